/** Keeps a connection to one other node: opens it, proves who we are, and opens it again, with growing waits, when it has ended. */
import { Caller } from '../call/caller.ts'
import { LsmtError } from '../../../errors.ts'
import { dialerHandshake } from '../handshake/handshake.ts'
import { shakeHands } from '../handshake/shake-hands.ts'
import type { Link, LinkStats } from '../link.ts'
import type { Node } from '../node.ts'
import { createBackoff } from './backoff.ts'
import type { Backoff } from './backoff.ts'
import { openSocket } from './connect.ts'

export interface DialerStats extends LinkStats {
  readonly isConnected: boolean
  /** Connections that were opened, this one included. */
  readonly connections: number
  /** Why there is none. */
  readonly lastFailure: string | undefined
}

const noLink: LinkStats = { bytesReceived: 0, bytesSent: 0, queuedBytes: 0, writes: 0, roundTripMs: undefined }

export class Dialer {
  readonly url: string
  readonly #self: Node
  readonly #wanted: string
  readonly #backoff: Backoff
  readonly #stopped = new AbortController()
  readonly #running: Promise<void>
  #link: Link | undefined
  #caller: Caller | undefined
  #pause = new AbortController()
  #connections = 0
  #lastFailure: string | undefined

  constructor(self: Node, wanted: string, url: string) {
    const { reconnectMs, reconnectMsMax } = self.settings
    this.url = url
    this.#self = self
    this.#wanted = wanted
    this.#backoff = createBackoff(reconnectMs, reconnectMsMax, self.random)
    this.#running = this.#run()
  }

  /** undefined while there is no connection. */
  get caller(): Caller | undefined {
    return this.#caller
  }

  /** The other node has been heard of: try now. */
  nudge(): void {
    this.#pause.abort()
  }

  async close(): Promise<void> {
    this.#stopped.abort()
    this.#pause.abort()
    this.#link?.end(new LsmtError('08006', 'this node closed the connection'))
    await this.#running
  }

  stats(): DialerStats {
    return { ...(this.#link?.stats() ?? noLink), isConnected: this.#caller !== undefined, connections: this.#connections, lastFailure: this.#lastFailure }
  }

  async #run(): Promise<void> {
    const { clock, settings } = this.#self
    const { signal } = this.#stopped
    while (!signal.aborted) {
      const beganAtMs = clock.monotonicMs()
      const failure = await this.#connectOnce()
      this.#link = undefined
      if (signal.aborted) return
      this.#tellFailure(failure.message)
      // One that held for a while was good; of those that end at once no more than a few a second are made.
      if (clock.monotonicMs() - beganAtMs > settings.reconnectMsMax + settings.silentMsMax) this.#backoff.reset()
      this.#pause = new AbortController()
      await clock.sleep(this.#backoff.nextMs(), this.#pause.signal)
    }
  }

  /** Resolves with the reason when there is no connection, or none any more. */
  async #connectOnce(): Promise<LsmtError> {
    const { secureContext, settings, identity } = this.#self
    const socket = await openSocket(new URL(this.url), secureContext, settings.connectMsMax, this.#stopped.signal)
    if (socket instanceof LsmtError) return socket
    const { hello, receive } = dialerHandshake(identity, this.#wanted, this.#self.nonce())
    return await new Promise((ended) => {
      this.#link = shakeHands(this.#self, socket, receive, { proved: (link) => this.#established(link, ended), failed: ended })
      this.#link.push(hello)
    })
  }

  #established(link: Link, ended: (reason: LsmtError) => void): void {
    const caller = new Caller(this.#wanted, link, this.#self.settings)
    link.establish({
      receive: (frame) => caller.receive(frame),
      ended: (reason) => {
        this.#caller = undefined
        caller.ended(reason)
        ended(reason)
      },
    })
    this.#caller = caller
    this.#connections++
    this.#lastFailure = undefined
    const { told, log } = this.#self
    if (told.isNews(`to ${this.#wanted}`, 'connected')) log.info({ peer: this.#wanted, url: this.url }, `connected to ${this.#wanted}`)
  }

  #tellFailure(reason: string): void {
    this.#lastFailure = reason
    const { told, log } = this.#self
    if (told.isNews(`to ${this.#wanted}`, reason)) log.warn({ peer: this.#wanted, url: this.url }, `no connection to ${this.#wanted}: ${reason}`)
  }
}
