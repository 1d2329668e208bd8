/**
 * One shard at this node: opened where the configuration says that this store keeps it or is to get it, closed where it
 * does not, and its data deleted once nobody can count on it any more. One thing at a time.
 *
 * A leader that takes this store in again must not hold what it said before its data went for what it has then. So the
 * replica is closed first, which ends what it says; the leader answers a question that comes after that on the same
 * connection; and if the configuration, read before and after, is still the same one without this store, nothing that was
 * said is on its way any more.
 */
import { LsmtError } from '../../../errors.ts'
import type { Log } from '../../../runtime/log.ts'
import type { Storage } from '../../../storage/storage.ts'
import type { ConfigurationAt } from '../../replication/configuration.ts'
import type { HostedReplica } from '../hosted-replica.ts'
import { storesOf } from '../store/cluster-view.ts'
import { dropShardData, endDropping, hasShardData } from './shard-data.ts'

export interface SlotOptions<R extends HostedReplica> {
  readonly shard: number
  readonly store: string
  readonly storage: Storage
  readonly log: Log
  /** As the watch shows it. */
  known(): ConfigurationAt | undefined
  /** Linearizable, sent after the call; undefined when the shard has no configuration. */
  read(): Promise<ConfigurationAt | undefined>
  /** Resolves once the node has dealt with all messages that were sent to it before. */
  settle(node: string): Promise<void>
  open(): Promise<R>
  /** The replica is there, or is not any more. */
  readonly onChange: () => void
  readonly clock: { monotonicMs(): number }
}

/** Until what could not be opened is tried again: twice as long each time, since of a large copy it is much work to see that it is damaged. */
const againMsFirst = 2_000, againMsMax = 60_000

interface Failure {
  readonly error: LsmtError
  readonly waitMs: number
  readonly againAtMs: number
}

export class ShardSlot<R extends HostedReplica> {
  readonly #options: SlotOptions<R>
  #replica: R | undefined
  /** Why it could not be opened the last time. What was in the way may be gone, or people have mended it. */
  #failure: Failure | undefined
  #mayHaveData = true
  #isClosed = false
  #working: Promise<void> | undefined
  #isAskedAgain = false

  constructor(options: SlotOptions<R>) {
    this.#options = options
  }

  get replica(): R | undefined {
    return this.#replica
  }

  /** Why the copy that should be here is not; undefined when it is, or none should be. */
  get failure(): LsmtError | undefined {
    return this.#failure?.error
  }

  /** Brings about what the configuration says; never throws. */
  tend(): void {
    this.#isAskedAgain = true
    this.#working ??= this.#work().finally(() => { this.#working = undefined })
  }

  /** Also of a shard that is not kept: opened for as long as it takes to look at it. undefined where nothing of it is here. */
  async look<T>(look: (replica: HostedReplica) => T): Promise<T | undefined> {
    await this.#working
    if (this.#replica !== undefined) return look(this.#replica)
    if (this.#isClosed || !(await hasShardData(this.#options.storage, this.#options.shard))) return undefined
    return await this.#alone(async () => {
      await endDropping(this.#options.storage, this.#options.shard)
      if (!(await hasShardData(this.#options.storage, this.#options.shard))) return undefined
      const replica = await this.#options.open()
      try {
        return look(replica)
      } finally {
        await replica.close()
      }
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#working
    await this.#end()
  }

  async #alone<T>(run: () => Promise<T>): Promise<T> {
    while (this.#working !== undefined) await this.#working
    const running = run()
    this.#working = running.then(() => undefined, () => undefined).finally(() => {
      this.#working = undefined
      if (this.#isAskedAgain) this.tend()
    })
    return await running
  }

  async #work(): Promise<void> {
    while (this.#isAskedAgain && !this.#isClosed) {
      this.#isAskedAgain = false
      try {
        await this.#tendOnce()
      } catch (error) {
        if (!(error instanceof LsmtError)) throw error
        this.#options.log.warn({ shard: this.#options.shard }, `shard ${this.#options.shard}, which is kept elsewhere now, could not be cleared away yet: ${error.message}`)
      }
    }
  }

  async #tendOnce(): Promise<void> {
    const known = this.#options.known()
    if (known !== undefined && this.#isKept(known)) return await this.#begin()
    this.#failure = undefined
    await this.#end()
    if (known !== undefined && this.#mayHaveData) await this.#clear()
  }

  #isKept(at: ConfigurationAt): boolean {
    return storesOf(at).includes(this.#options.store)
  }

  async #begin(): Promise<void> {
    const { storage, shard, log, open, onChange, clock } = this.#options
    if (this.#replica !== undefined || (this.#failure !== undefined && clock.monotonicMs() < this.#failure.againAtMs)) return
    try {
      await endDropping(storage, shard)
      this.#mayHaveData = true
      this.#replica = await open()
      if (this.#failure !== undefined) log.info({ shard }, `this node's copy of shard ${shard} is opened after all`)
      this.#failure = undefined
    } catch (error) {
      if (!(error instanceof LsmtError)) throw error
      this.#failed(error)
    }
    onChange()
  }

  /** Told once for each reason. */
  #failed(error: LsmtError): void {
    const { shard, log, clock } = this.#options
    const before = this.#failure
    const waitMs = before === undefined ? againMsFirst : Math.min(2 * before.waitMs, againMsMax)
    this.#failure = { error, waitMs, againAtMs: clock.monotonicMs() + waitMs }
    if (before?.error.message !== error.message) log.error({ shard, err: error }, `this node's copy of shard ${shard} cannot be opened, and counts as lost: ${error.message}`)
  }

  async #end(): Promise<void> {
    const replica = this.#replica
    if (replica === undefined) return
    this.#replica = undefined
    this.#options.onChange()
    await replica.close()
  }

  /** What cannot be made certain now is tried again with the next change, or look. */
  async #clear(): Promise<void> {
    const { storage, shard, log, read, settle } = this.#options
    if (!(await hasShardData(storage, shard))) {
      this.#mayHaveData = false
      return
    }
    const before = await read()
    if (before === undefined || this.#isKept(before) || before.configuration.leader === null) return
    await settle(before.configuration.leader.node)
    const after = await read()
    if (after?.revision !== before.revision) return
    await dropShardData(storage, shard)
    this.#mayHaveData = false
    log.info({ shard }, `what was here of shard ${shard} is deleted: other nodes keep it`)
  }
}
