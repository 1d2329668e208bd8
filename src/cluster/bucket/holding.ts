/**
 * A shard in the hands of one owner under one epoch: opened out of the bucket, confirmed by the configuration store after
 * the claim stands, and closed. What is not confirmed serves nobody: an owner that came late, when another one had taken
 * the shard, has interrupted that one by its claim, and must not write behind its back.
 */
import type { Alarms } from '../../runtime/alarms.ts'
import { pause } from '../../runtime/alarms.ts'
import { LsmtError } from '../../errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { ConfigurationAt } from '../replication/configuration.ts'
import type { OwnedShard, ShardEvents } from './open-shard.ts'

export interface HoldingOptions {
  readonly shard: number
  readonly epoch: number
  readonly alarms: Alarms
  readonly log: Log
  open(events: ShardEvents): Promise<OwnedShard>
  /** Linearizable, sent after the call; undefined when it could not be read. */
  readConfiguration(): Promise<ConfigurationAt | undefined>
  isOwner(at: ConfigurationAt): boolean
  readonly events: Omit<ShardEvents, 'onFailure'>
  /** It may serve. */
  ready(): void
  /** It serves no more, and is to be closed: another one owns the shard, or it cannot be opened or written. */
  failed(error: unknown, hasServed: boolean): void
}

const retryMs = 200

export class Holding {
  readonly epoch: number
  readonly #options: HoldingOptions
  readonly #closing = new AbortController()
  readonly #opening: Promise<void>
  #shard: OwnedShard | undefined
  #isConfirmed = false
  #failure: unknown
  #closed: Promise<void> | undefined

  constructor(options: HoldingOptions) {
    this.#options = options
    this.epoch = options.epoch
    this.#opening = this.#open()
  }

  /** While it may serve. */
  get shard(): OwnedShard | undefined {
    return this.#isConfirmed && this.#failure === undefined ? this.#shard : undefined
  }

  /** Resolves when nothing is written in its name any more. */
  close(): Promise<void> {
    this.#closing.abort()
    return (this.#closed ??= this.#leave())
  }

  async #leave(): Promise<void> {
    await this.#opening
    await this.#shard?.leave().catch((error: unknown) => this.#tellClosing(error))
  }

  async #open(): Promise<void> {
    try {
      const shard = await this.#options.open({ ...this.#options.events, onFailure: (error) => this.fail(error) })
      this.#shard = shard
      if (!(await this.#confirm())) return
      this.#isConfirmed = true
      this.#options.ready()
    } catch (error) {
      this.fail(error)
    }
  }

  async #confirm(): Promise<boolean> {
    const { readConfiguration, isOwner, alarms, shard } = this.#options
    while (!this.#closing.signal.aborted && this.#failure === undefined) {
      const at = await readConfiguration()
      if (at !== undefined && !isOwner(at)) throw new LsmtError('55006', `shard ${shard} was taken by ${at.configuration.leader?.node ?? 'nobody'} while this node opened it`)
      if (at !== undefined) return !this.#closing.signal.aborted && this.#failure === undefined
      await pause(alarms, retryMs, this.#closing.signal)
    }
    return false
  }

  /** Nothing is promised any more. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    if (!this.#closing.signal.aborted) this.#options.failed(error, this.#isConfirmed)
  }

  /** What was not written then was not acknowledged. */
  #tellClosing(error: unknown): void {
    if (!(error instanceof LsmtError)) throw error
    this.#options.log.info({ shard: this.#options.shard }, `shard ${this.#options.shard} was left in the middle of something: ${error.message}`)
  }
}
