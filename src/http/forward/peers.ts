/** Requests to other nodes over connections that are kept, and whether a node that is waited for is still there. */
import { Agent, request as requestPlain } from 'node:http'
import type { ClientRequest } from 'node:http'
import { Agent as TlsAgent, request as requestTls } from 'node:https'
import { LsmtError } from '../../errors.ts'

export interface PeerRequest {
  /** Of the node, without a '/' at the end. */
  readonly url: string
  readonly method: string
  /** With its query. */
  readonly path: string
  /** Names and values in turn. */
  readonly headers: readonly string[]
}

export interface Peers {
  /** Its body is the caller's to send. 22023 for a URL that is none. */
  open(request: PeerRequest): ClientRequest
  /** Calls `onSilent` once when the node has not answered for long, though it was asked; until the returned function is called. */
  watch(url: string, onSilent: () => void): () => void
  close(): void
}

/** Below what servers allow a connection between requests: who sends over one that the other is closing cannot know what came of it. */
const idleMsMax = 20_000

/** A node that is waited for is silent when it did not answer so often. */
const missesMax = 2

export interface PeersOptions {
  /** In PEM: whose certificates are believed, where not the system's. */
  readonly ca?: string | undefined
  /** Between questions whether a node is there, and for each answer. */
  readonly probeMs?: number
}

export function createPeers({ ca, probeMs = 2_000 }: PeersOptions): Peers {
  const options = { keepAlive: true, timeout: idleMsMax, scheduling: 'lifo' } as const
  const agent = new Agent(options)
  const tlsAgent = new TlsAgent({ ...options, ...(ca !== undefined && { ca }) })
  const watched = new Map<string, Watched>()

  function open({ url, method, path, headers }: PeerRequest): ClientRequest {
    const { protocol, hostname, port, host } = parsedUrl(url)
    const settings = { hostname: hostname.replace(/^\[(.*)\]$/, '$1'), port, method, path, headers: ['host', host, ...headers] as unknown as Record<string, string> }
    return protocol === 'https:' ? requestTls({ ...settings, agent: tlsAgent }) : requestPlain({ ...settings, agent })
  }

  /** Any answer will do. */
  function isThere(url: string): Promise<boolean> {
    return new Promise((resolve) => {
      const asking = open({ url, method: 'GET', path: '/health/live', headers: [] })
      const end = (found: boolean): void => {
        clearTimeout(timer)
        asking.destroy()
        resolve(found)
      }
      const timer = setTimeout(() => end(false), probeMs)
      asking.on('response', () => end(true))
      asking.on('error', () => end(false))
      asking.end()
    })
  }

  return {
    open,
    watch(url, onSilent) {
      const known = watched.get(url) ?? new Watched(probeMs, () => isThere(url))
      watched.set(url, known)
      known.listeners.add(onSilent)
      return () => {
        known.listeners.delete(onSilent)
        if (known.listeners.size > 0) return
        known.stop()
        if (watched.get(url) === known) watched.delete(url)
      }
    },
    close() {
      for (const known of watched.values()) known.stop()
      agent.destroy()
      tlsAgent.destroy()
    },
  }
}

function parsedUrl(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') throw new LsmtError('22023', `the address of a node is ${JSON.stringify(url)}: http://HOST:PORT or https://HOST:PORT is wanted`)
  return parsed
}

/** A node that somebody waits for. Most answer before they are asked for the first time. */
class Watched {
  readonly listeners = new Set<() => void>()
  private readonly probeMs: number
  private readonly isThere: () => Promise<boolean>
  private timer: NodeJS.Timeout
  private misses = 0
  private isStopped = false

  constructor(probeMs: number, isThere: () => Promise<boolean>) {
    this.probeMs = probeMs
    this.isThere = isThere
    this.timer = this.later()
  }

  stop(): void {
    this.isStopped = true
    clearTimeout(this.timer)
  }

  private later(): NodeJS.Timeout {
    return setTimeout(() => void this.ask(), this.probeMs)
  }

  private async ask(): Promise<void> {
    this.misses = (await this.isThere()) ? 0 : this.misses + 1
    if (this.isStopped) return
    if (this.misses >= missesMax) {
      this.misses = 0
      for (const tell of this.listeners) tell()
    }
    if (!this.isStopped) this.timer = this.later()
  }
}
