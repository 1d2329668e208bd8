/** The listening socket: plain or TLS, how it is opened and closed. */
import { createServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Server as TlsServer } from 'node:https'
import type { AddressInfo, Server as SocketServer, Socket } from 'node:net'
import { LsmtError } from '../errors.ts'
import { connectionOptions } from './guard/connections.ts'
import type { HttpLimits } from './guard/limits.ts'

/** In PEM. */
export interface Certificate {
  readonly cert: Buffer
  readonly key: Buffer
}

export interface Address {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
}

export interface ListenerSettings extends Address {
  /** Undefined: without TLS. */
  readonly certificate: Certificate | undefined
  readonly limits: HttpLimits
}

export interface Listener {
  readonly server: Server
  /** Has connections (with TLS: once they are secure) go to `take` first, and gives what Node takes them by. */
  divert(take: (socket: Socket) => void): (socket: Socket) => void
  /** Connections from now on are answered with this certificate. 22023 when it cannot be used; the one before stays. */
  replaceCertificate(certificate: Certificate): void
  /** http(s)://host:port as it is; there once it listens. */
  url(): string
}

/** 22023 for a certificate that cannot be used. */
export function createListener(handle: RequestListener, { host, certificate, limits }: ListenerSettings): Listener {
  const options = connectionOptions(limits)
  const secure = certificate && usable(() => createTlsServer({ ...options, ...certificate, minVersion: 'TLSv1.2', handshakeTimeout: limits.headersTimeoutMs }, handle))
  const server: Server | TlsServer = secure ?? createServer(options, handle)
  return {
    server,
    divert: (take) => divert(server, secure === undefined ? 'connection' : 'secureConnection', take),
    replaceCertificate(replacement) {
      usable(() => secure?.setSecureContext({ ...replacement, minVersion: 'TLSv1.2' }))
    },
    url() {
      const { port } = server.address() as AddressInfo
      return `${secure === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`
    },
  }
}

/** What a server of Node's does with a connection is the listener that it has from the beginning. */
function divert(server: Server, event: 'connection' | 'secureConnection', take: (socket: Socket) => void): (socket: Socket) => void {
  const [toNode] = server.listeners(event) as ((this: Server, socket: Socket) => void)[]
  server.off(event, toNode!).on(event, take)
  return (socket) => toNode!.call(server, socket)
}

function usable<T>(use: () => T): T {
  try {
    return use()
  } catch (error) {
    throw new LsmtError('22023', `the TLS certificate or its key cannot be used: ${error instanceof Error ? error.message : String(error)}`, { hint: 'both are files in PEM, and the key is that of the certificate' }, error)
  }
}

/** Resolves when connections are taken; rejects with 55006 when the port is in use, 22023 when the address is not there. */
export function listen(server: SocketServer, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') reject(new LsmtError('55006', `port ${port} on ${host} is in use by another process`))
      else reject(new LsmtError('22023', `cannot listen on ${host}:${port}: ${error.code ?? error.message}`))
    })
    server.listen(port, host, resolve)
  })
}

/** Takes no more connections, and cuts those that there are. */
export async function closeListener(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  server.closeAllConnections()
  await closed
}
