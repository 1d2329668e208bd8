/**
 * The channel between the nodes of a cluster: messages, requests and streams to a node by its name, over one connection
 * that this node keeps to each other one, and the answers to what comes over those that the others keep to it.
 */
import type { Duplex } from 'node:stream'
import { LsmtError } from '../../errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import type { Random } from '../../runtime/random.ts'
import { Acceptor } from './acceptor.ts'
import type { AcceptorStats } from './acceptor.ts'
import type { Caller, RequestOptions, StreamOptions } from './call/caller.ts'
import type { RequestHandler, StreamHandler } from './call/services.ts'
import { secureContextOf } from './dial/connect.ts'
import type { PeerTls } from './dial/connect.ts'
import { Dialer } from './dial/dialer.ts'
import type { DialerStats } from './dial/dialer.ts'
import { instanceOf, nameBytesMax, nonceOf } from './handshake/hello.ts'
import { proofKey } from './handshake/proof.ts'
import type { Node } from './node.ts'
import type { TransportSettings } from './settings.ts'
import { createTold } from './told.ts'

export interface TransportOptions {
  readonly cluster: string
  readonly node: string
  /** At least 16 bytes that cannot be guessed, the same on all nodes. */
  readonly secret: Uint8Array
  readonly tls?: PeerTls
  readonly settings: TransportSettings
  readonly clock: Clock
  /** For nonces too: must not be foreseeable but in tests. */
  readonly random: Random
  readonly log: Log
  /** A message came. Must not wait; 08P01 for a body that is wrong cuts the connection. The body is a view: copy what is kept. */
  readonly onMessage: (from: string, body: Uint8Array) => void
  readonly requests: Readonly<Record<string, RequestHandler>>
  readonly streams: Readonly<Record<string, StreamHandler>>
}

export interface PeerStats extends DialerStats {
  readonly node: string
  /** Messages that were not sent, since there was no connection or too much waited. */
  readonly droppedMessages: number
}

export interface Transport {
  /** Which other nodes there are, and at which `http:` or `https:` address. Connections to others are closed. 22023 for what is no address. */
  setPeers(urls: ReadonlyMap<string, string>): void
  /**
   * A message, one way. It may be lost: false when it is certain that it is, true tells nothing. Messages to one node
   * arrive in their order, each at most once. The parts are sent as they are at the end of the turn: nobody may change them.
   */
  send(node: string, body: readonly Uint8Array[]): boolean
  /**
   * A question and its answer, with the error of the other node if it has one. 08006 and 53300: it was not sent.
   * 40003: it was, and what came of it is not known. Whoever only read asks again.
   */
  request(node: string, method: string, body: readonly Uint8Array[], options: RequestOptions): Promise<Uint8Array>
  /** Bytes in order, read as fast as they are asked for; 08006 when the connection ends before they do. Leaving the loop ends it there too. */
  stream(node: string, method: string, body: readonly Uint8Array[], options?: StreamOptions): AsyncGenerator<Uint8Array, void, void>
  /** A socket that was asked to become this protocol (`isUpgrade`), and what has been read of it. */
  accept(socket: Duplex, head: Uint8Array): void
  stats(): { readonly to: readonly PeerStats[]; readonly from: readonly AcceptorStats[] }
  /** Ends all connections; what waits for answers fails. */
  close(): Promise<void>
}

interface Known {
  readonly dialer: Dialer
  droppedMessages: number
}

export function createTransport(options: TransportOptions): Transport {
  const self = nodeOf(options)
  const { log, requests, streams, onMessage } = options
  const peers = new Map<string, Known>()
  const failed = (method: string, error: unknown): LsmtError => {
    log.error({ err: error, method }, `'${method}' of a node failed`)
    return new LsmtError('XX000', `internal error in '${method}' of ${options.node}; its log has the details`)
  }
  const acceptor = new Acceptor(self, { message: onMessage, requests, streams, failed }, (node) => peers.get(node)?.dialer.nudge())

  function callerOf(node: string): Caller {
    const dialer = peers.get(node)?.dialer
    if (dialer?.caller !== undefined) return dialer.caller
    const reason = dialer === undefined ? 'no address of it is known' : (dialer.stats().lastFailure ?? 'not connected yet')
    throw new LsmtError('08006', `node '${node}' cannot be reached: ${reason}`, { hint: 'nothing was sent' })
  }

  return {
    setPeers(urls) {
      for (const [node, url] of urls) checkUrl(node, url)
      for (const [node, { dialer }] of peers) {
        if (urls.get(node) === dialer.url) continue
        peers.delete(node)
        void dialer.close()
      }
      for (const [node, url] of urls) {
        if (node !== options.node && !peers.has(node)) peers.set(node, { dialer: new Dialer(self, node, url), droppedMessages: 0 })
      }
    },
    send(node, body) {
      const peer = peers.get(node)
      if (peer === undefined) return false
      const isTaken = peer.dialer.caller?.send(body) === true
      if (!isTaken) peer.droppedMessages++
      return isTaken
    },
    async request(node, method, body, requestOptions) {
      return await callerOf(node).request(method, body, requestOptions)
    },
    async *stream(node, method, body, streamOptions = {}) {
      yield* callerOf(node).stream(method, body, streamOptions)
    },
    accept: (socket, head) => acceptor.accept(socket, head),
    stats: () => ({ to: [...peers].map(([node, { dialer, droppedMessages }]) => ({ node, droppedMessages, ...dialer.stats() })), from: acceptor.stats() }),
    async close() {
      acceptor.close()
      await Promise.all([...peers.values()].map(({ dialer }) => dialer.close()))
    },
  }
}

function nodeOf({ cluster, node, secret, tls = {}, settings, clock, random, log }: TransportOptions): Node {
  checkName('cluster', cluster)
  checkName('node', node)
  const randomByte = (): number => random.below(256)
  const identity = { cluster, node, instance: instanceOf(randomByte), key: proofKey(secret, cluster) }
  return { identity, settings, clock, random, log, told: createTold(clock), secureContext: secureContextOf(tls), nonce: () => nonceOf(randomByte) }
}

function checkName(what: string, name: string): void {
  if (name === '' || Buffer.byteLength(name) > nameBytesMax) throw new LsmtError('22023', `the ${what} is called ${JSON.stringify(name.slice(0, nameBytesMax))}: 1 to ${nameBytesMax} bytes are wanted`)
}

function checkUrl(node: string, url: string): void {
  checkName('node', node)
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') throw new LsmtError('22023', `the address of ${node} is ${JSON.stringify(url)}: http://HOST:PORT or https://HOST:PORT is wanted`)
}
