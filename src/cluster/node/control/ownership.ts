/**
 * Carries out, at one node, what the plan of ownership says: takes shards that nobody owns, and gives up what others
 * should have. Which of several nodes takes a shard is decided by the swap in the configuration store.
 */
import type { Alarms } from '../../../runtime/alarms.ts'
import { LsmtError } from '../../../errors.ts'
import type { Log } from '../../../runtime/log.ts'
import type { SwapOutcome, SwapRequest } from '../hosted-replica.ts'
import { ownerOf, planGivingUp, planTaking, withOwner } from '../../placement/ownership.ts'
import type { ConfigurationAt } from '../../replication/configuration.ts'
import type { LiveNode } from '../../replication/event.ts'

export interface OwnershipSettings {
  /** For which a shard that another node should take is left to it. */
  readonly holdBackMs: number
  /** For which nothing must have changed before a shard is given up for the sake of balance. */
  readonly settleMs: number
  /** Between attempts, and looks whether something is due. */
  readonly lookEveryMs: number
}

export const defaultOwnershipSettings: OwnershipSettings = { holdBackMs: 300, settleMs: 3_000, lookEveryMs: 100 }

/** What a node knows of its cluster. */
export interface KnownOwners {
  readonly shards: ReadonlyMap<number, ConfigurationAt>
  readonly live: readonly LiveNode[]
  readonly draining: readonly string[]
}

export interface OwnershipOptions {
  readonly self: LiveNode
  readonly clock: { monotonicMs(): number }
  readonly alarms: Alarms
  readonly log: Log
  readonly settings?: OwnershipSettings
  known(): KnownOwners
  /** That of this node, while it is trusted: the revision at which its live key was made. */
  leaseId(): number | undefined
  swap(shard: number, request: SwapRequest): Promise<SwapOutcome>
  /** Resolves when this node does not own the shard any more. */
  giveUp(shard: number): Promise<void>
}

interface Orphan {
  readonly revision: number
  readonly sinceMs: number
  isAsked: boolean
  /** Not before then again. */
  askAtMs: number
}

export class Ownership {
  readonly #options: OwnershipOptions
  readonly #settings: OwnershipSettings
  readonly #orphans = new Map<number, Orphan>()
  readonly #work = new Set<Promise<void>>()
  #seen = ''
  #calmSinceMs: number
  #isGivingUp = false
  #isLeaving = false
  #takeBackLook = (): void => {}

  constructor(options: OwnershipOptions) {
    this.#options = options
    this.#settings = options.settings ?? defaultOwnershipSettings
    this.#calmSinceMs = options.clock.monotonicMs()
  }

  /** What is known has changed, or it is time to look again. */
  tend(): void {
    if (this.#isLeaving) return
    this.#takeBackLook()
    this.#takeBackLook = this.#options.alarms.after(this.#settings.lookEveryMs, () => this.tend())
    const known = this.#options.known()
    this.#noteChange(known)
    this.#takeOrphans(known)
    this.#giveUp(known)
  }

  /** Nothing is taken any more. */
  leave(): void {
    this.#isLeaving = true
    this.#takeBackLook()
  }

  async close(): Promise<void> {
    this.leave()
    await Promise.all(this.#work)
  }

  #noteChange({ live, draining, shards }: KnownOwners): void {
    const seen = JSON.stringify([live, draining, [...shards].map(([shard, { configuration }]) => [shard, configuration.leader])])
    if (seen === this.#seen) return
    this.#seen = seen
    this.#calmSinceMs = this.#options.clock.monotonicMs()
  }

  #takeOrphans(known: KnownOwners): void {
    const { self, clock } = this.#options
    const nowMs = clock.monotonicMs()
    const taking = planTaking(inputOf(known))
    for (const shard of this.#orphans.keys()) if (!taking.has(shard)) this.#orphans.delete(shard)
    const leaseId = this.#options.leaseId()
    for (const [shard, taker] of taking) {
      const at = known.shards.get(shard)!
      const orphan = this.#orphanOf(shard, at.revision, nowMs)
      const isDue = taker.node === self.node || nowMs - orphan.sinceMs >= this.#settings.holdBackMs
      if (isDue && !orphan.isAsked && orphan.askAtMs <= nowMs && leaseId !== undefined) this.#track(this.#take(shard, at, leaseId, orphan))
    }
  }

  #orphanOf(shard: number, revision: number, nowMs: number): Orphan {
    const before = this.#orphans.get(shard)
    if (before?.revision === revision) return before
    const orphan: Orphan = { revision, sinceMs: nowMs, isAsked: false, askAtMs: nowMs }
    this.#orphans.set(shard, orphan)
    return orphan
  }

  async #take(shard: number, { revision, configuration }: ConfigurationAt, leaseId: number, orphan: Orphan): Promise<void> {
    const { self, swap, log, clock } = this.#options
    orphan.isAsked = true
    const taken = withOwner(configuration, self)
    const { outcome } = await swap(shard, { revision, configuration: taken, leaseId, absent: configuration.leader ?? undefined })
    if (outcome === 'done') log.info({ shard, epoch: taken.epoch }, `this node takes shard ${shard}, ${whose(configuration.leader?.node)}`)
    // Taken or not, what the store has will be seen; if not, the same is asked again.
    orphan.askAtMs = clock.monotonicMs() + 5 * this.#settings.lookEveryMs
    orphan.isAsked = false
  }

  #giveUp(known: KnownOwners): void {
    const { self, clock, log, giveUp } = this.#options
    const isDraining = known.draining.includes(self.node)
    if (this.#isGivingUp || (!isDraining && clock.monotonicMs() - this.#calmSinceMs < this.#settings.settleMs)) return
    const shard = planGivingUp(inputOf(known), self)
    if (shard === undefined) return
    this.#isGivingUp = true
    log.info({ shard }, `this node gives up shard ${shard}: ${isDraining ? 'it is draining' : 'others own fewer'}`)
    this.#track(giveUp(shard).catch((error: unknown) => {
      if (!(error instanceof LsmtError) || error.code === 'XX000') throw error
      log.warn({ shard }, `shard ${shard} could not be given up: ${error.message}`)
    }).finally(() => { this.#isGivingUp = false }))
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => void this.#work.delete(tracked))
    this.#work.add(tracked)
  }
}

const whose = (node: string | undefined): string => (node === undefined ? 'which nobody owns' : `which ${node} owned`)

function inputOf({ shards, live, draining }: KnownOwners): Parameters<typeof planTaking>[0] {
  return { shards: new Map([...shards].map(([shard, { configuration }]) => [shard, configuration])), live, draining }
}

/** Shards that stay where they are not to be, since no other node is there. */
export function stuckShards(known: KnownOwners): readonly number[] {
  const hasOther = known.live.some(({ node }) => !known.draining.includes(node))
  if (hasOther) return []
  return [...known.shards].filter(([, { configuration }]) => ownerOf(configuration, known.live) !== undefined).map(([shard]) => shard).toSorted((a, b) => a - b)
}
