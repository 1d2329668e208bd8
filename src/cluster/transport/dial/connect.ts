/** Opens connections to other nodes: the door to sockets that go out. */
import { connect as connectPlain, isIP } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls, createSecureContext } from 'node:tls'
import type { SecureContext } from 'node:tls'
import { LsmtError } from '../../../errors.ts'
import { socketEvent } from './socket-event.ts'
import { readUpgradeAnswer, upgradeRequest } from './upgrade.ts'

/** For nodes whose addresses are `https:`. PEM. */
export interface PeerTls {
  /** Whose certificates are believed; the system's when not given. */
  readonly ca?: string | undefined
  /** What this node shows of itself where the other side asks for it. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/** 22023 for what is no certificate, or no key to it. */
export function secureContextOf({ ca, cert, key }: PeerTls): SecureContext {
  try {
    return createSecureContext({ ca, cert, key })
  } catch (error) {
    throw new LsmtError('22023', `the certificates for other nodes cannot be used: ${(error as Error).message}`, {}, error)
  }
}

/** A connected socket behind the upgrade, or why there is none (08006), within `timeoutMs`. The signal ends it early. */
export async function openSocket(url: URL, secureContext: SecureContext, timeoutMs: number, signal: AbortSignal): Promise<Socket | LsmtError> {
  const socket = startConnecting(url, secureContext)
  const giveUp = (reason: string) => (): void => void socket.destroy(new LsmtError('08006', reason))
  const timer = setTimeout(giveUp(`no connection within ${timeoutMs} ms`), timeoutMs)
  const abort = giveUp('the node is stopping')
  signal.addEventListener('abort', abort)
  try {
    socket.setNoDelay(true)
    await socketEvent(socket, url.protocol === 'https:' ? 'secureConnect' : 'connect')
    socket.write(upgradeRequest(url.host))
    await readUpgradeAnswer(socket)
    return socket
  } catch (error) {
    // Its errors are told; a later one has nobody to hear it.
    socket.on('error', () => {})
    socket.destroy()
    return error instanceof LsmtError ? error : new LsmtError('08006', (error as Error).message, {}, error)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}

function startConnecting({ protocol, hostname, port }: URL, secureContext: SecureContext): Socket {
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  if (protocol === 'https:') return connectTls({ host, port: Number(port === '' ? 443 : port), secureContext, ...(isIP(host) === 0 && { servername: host }) })
  return connectPlain({ host, port: Number(port === '' ? 80 : port) })
}
