/**
 * A shard as its replicas show it to a coordinator and to readers, without any replica: one log in memory whose leader may
 * change, lose what was not committed, answer late, or do what it was asked and not say so. One seed decides all of it.
 */
import { LsmtError } from '../../../src/errors.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { abortBatch } from '../../../src/lsm/batch-builder.ts'
import { assignBaseSequence, readBatchHeader } from '../../../src/lsm/batch.ts'
import { abortsIn, partOf } from '../../../src/lsm/log/logged-parts.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { refusalError } from '../../../src/cluster/replica/refusal.ts'
import type { Refusal } from '../../../src/cluster/replica/refusal.ts'
import type { OpenedShard } from '../../../src/cluster/replica/replica.ts'
import type { ShardLeader } from '../../../src/cluster/engine/appends/shard-leader.ts'
import type { ShardSource } from '../../../src/cluster/engine/reads/consistent-snapshot.ts'
import { placeSnapshot } from '../../../src/cluster/engine/reads/placed-snapshot.ts'
import type { ReadingTree, TakenSnapshot } from '../../../src/cluster/engine/reads/placed-snapshot.ts'
import { createModelTree } from '../../engine/model-tree.ts'
import type { ModelTree } from '../../engine/model-tree.ts'

interface LogEntry {
  readonly baseSequence: number
  readonly lastSequence: number
  readonly batch: Uint8Array
  readonly transactionId: string | undefined
}

export class FakeShard {
  readonly tree: ModelTree
  epoch = 1
  /** Every so many answers is lost, or late; 0: none. */
  trouble = 0
  /** Some snapshots take long, so that they show more than when they were asked for. */
  hasSlowViews = false
  private readonly shard: number
  private readonly random: Random
  private log: LogEntry[] = []
  private committed = 0
  private released = 0
  private visible = 0
  private settled = 0
  private opened = 0
  /** What became of each entry. */
  private readonly shown = new Map<number, Uint8Array>()
  /** Greatest coordinator that any leader has promised to take. */
  private promised = 0
  /** What a replica shows that lags behind. */
  private readonly follower: ModelTree
  private followed = 0
  private followedSettled = 0
  private readonly parts: { baseSequence: number; participants: readonly { shard: number; baseSequence: number }[] }[] = []

  constructor(kernel: Kernel, shard: number, random: Random) {
    this.tree = createModelTree(kernel)
    this.follower = createModelTree(kernel)
    this.shard = shard
    this.random = random
  }

  /** Another leader: what was not committed may be lost, and it has to be opened and told what may be seen. */
  changeLeader(): void {
    this.epoch++
    this.opened = 0
    const uncommitted = this.log.filter(({ lastSequence }) => lastSequence > this.committed)
    const kept = this.random.below(uncommitted.length + 1)
    this.log = this.log.filter(({ lastSequence }) => lastSequence <= this.committed).concat(uncommitted.slice(0, kept))
    this.released = this.visible
    const { epoch } = this
    void this.later(4).then(() => this.commitAll(epoch))
  }

  leader(): ShardLeader {
    const { epoch } = this
    return {
      node: `leader ${epoch}`,
      epoch,
      open: (coordinator) => this.answer(epoch, () => this.open(coordinator, epoch)),
      append: (coordinator, { baseSequence, batches, until }) => {
        let base = baseSequence
        const refusal = this.refusalTo(coordinator, epoch)
        if (refusal !== undefined) return this.answer(epoch, () => Promise.reject(this.refused(refusal)))
        for (const batch of batches) {
          const gap = this.appendOne(base, batch)
          if (gap !== undefined) return this.answer(epoch, () => Promise.reject(this.refused(gap)))
          base += readBatchHeader(batch).operationCount
        }
        return this.answer(epoch, async () => {
          await this.later(6)
          this.commitAll(epoch)
          await this.until(epoch, () => this.committed >= base - 1 && (until === 'committed' || this.visible >= base - 1))
          return { copies: 2 }
        })
      },
      release: (coordinator, through, settledThrough) => this.answer(epoch, async () => {
        const refusal = this.refusalTo(coordinator, epoch)
        if (refusal !== undefined) throw this.refused(refusal)
        if (through > this.committed) throw new Error(`shard ${this.shard}: released through ${through}, committed is ${this.committed}`)
        this.released = Math.max(this.released, through)
        this.settled = Math.max(this.settled, settledThrough)
        await this.later(3)
        this.apply()
        await this.until(epoch, () => this.visible >= through)
      }),
    }
  }

  source(): ShardSource {
    const take = (): TakenSnapshot => ({
      snapshot: placeSnapshot(this.tree, this.tree.snapshot()),
      tablesSequence: 0,
      parts: this.parts.filter(({ baseSequence }) => baseSequence > this.settled),
      partsAfter: this.settled,
    })
    const served = (minSequence: number): boolean => this.visible >= Math.max(this.committed, minSequence)
    return {
      isHere: (minSequence) => this.random.below(4) > 0 && served(minSequence),
      now: (minSequence) => (this.random.below(4) > 0 && served(minSequence) ? take() : undefined),
      take: async (minSequence) => {
        await this.later(this.hasSlowViews && this.random.below(5) === 0 ? 60 : 5)
        const wanted = Math.max(minSequence, this.committed)
        while (this.visible < wanted) await this.later(2)
        return take()
      },
    }
  }

  /** Reads as of now: they wait while something committed is not visible. */
  newest(): ReadingTree {
    const get: ReadingTree['get'] = (snapshot, ...rest) => {
      if (snapshot !== undefined || (this.visible === this.committed && this.random.below(3) > 0)) return this.tree.get(snapshot, ...rest)
      return { fetch: () => this.later(3), fetchSync: undefined, files: [], rowGroup: undefined }
    }
    const { overlay, scan, aggregate, groupedAggregate, topRows } = this.tree
    return { overlay, scan, aggregate, groupedAggregate, topRows, get }
  }

  /** Views of the replica that lags. */
  nearSource(): ShardSource {
    const take = (): TakenSnapshot => ({
      snapshot: placeSnapshot(this.follower, this.follower.snapshot()),
      tablesSequence: 0,
      parts: this.parts.filter(({ baseSequence }) => baseSequence > this.followedSettled && baseSequence <= this.followed),
      partsAfter: this.followedSettled,
    })
    return {
      isHere: (minSequence) => this.followed >= minSequence,
      now: (minSequence) => (this.followed >= minSequence && this.random.below(3) > 0 ? take() : undefined),
      take: async (minSequence) => {
        while (this.followed < minSequence) {
          await this.later(2)
          this.follow()
        }
        return take()
      },
    }
  }

  /** Some more of what the leader shows. */
  follow(): void {
    const next = this.log.filter(({ lastSequence }) => lastSequence > this.followed && lastSequence <= this.visible)
    for (const entry of next.slice(0, this.random.below(next.length + 1))) {
      this.follower.show(this.shown.get(entry.baseSequence)!)
      this.followed = entry.lastSequence
    }
    if (this.random.below(3) === 0) this.followedSettled = Math.min(this.settled, this.followed)
  }

  private appendOne(base: number, batch: Uint8Array): Refusal | undefined {
    const last = this.log.at(-1)?.lastSequence ?? 0
    if (base <= last) return undefined
    if (base > last + 1) return { kind: 'gap', expectedSequence: last + 1 }
    const copy = Uint8Array.from(batch)
    if (readBatchHeader(copy).baseSequence !== base) throw new Error('a batch says another sequence than it is offered at')
    this.log.push({ baseSequence: base, lastSequence: base + readBatchHeader(copy).operationCount - 1, batch: copy, transactionId: partOf(copy, 'log')?.transactionId })
    return undefined
  }

  private async open(coordinator: number, epoch: number): Promise<OpenedShard> {
    if (coordinator < this.promised) throw this.refused({ kind: 'fenced', epoch: this.promised })
    this.promised = coordinator
    this.opened = coordinator
    await this.later(4)
    this.commitAll(epoch)
    await this.until(epoch, () => this.committed === (this.log.at(-1)?.lastSequence ?? 0))
    const parts = this.log.flatMap(({ batch }) => partOf(batch, 'log') ?? [])
    return { lastSequence: this.committed, flushedSequence: 0, parts, aborted: new Set(this.log.flatMap(({ batch }) => abortsIn(batch, 'log'))), epoch }
  }

  private refusalTo(coordinator: number, epoch: number): Refusal | undefined {
    if (epoch !== this.epoch) return { kind: 'notLeader', leader: undefined }
    if (coordinator < this.promised) return { kind: 'fenced', epoch: this.promised }
    return this.opened === coordinator ? undefined : { kind: 'notReady' }
  }

  private refused(refusal: Refusal): LsmtError {
    return refusalError(refusal, this.shard)
  }

  private commitAll(epoch: number): void {
    if (epoch !== this.epoch) return
    this.committed = this.log.at(-1)?.lastSequence ?? 0
    this.apply()
  }

  /** In log order, up to the first part that is not released; of one that was aborted nothing is applied. */
  private apply(): void {
    const aborted = new Set(this.log.filter(({ lastSequence }) => lastSequence <= this.released).flatMap(({ batch }) => abortsIn(batch, 'log')))
    for (const { baseSequence, lastSequence, batch, transactionId } of this.log) {
      if (lastSequence <= this.visible) continue
      if (lastSequence > this.committed || (transactionId !== undefined && lastSequence > this.released)) break
      const isAborted = transactionId !== undefined && aborted.has(transactionId)
      const shown = isAborted ? nothingAt(baseSequence, lastSequence) : batch
      this.tree.show(shown)
      this.shown.set(baseSequence, shown)
      if (transactionId !== undefined && !isAborted) this.parts.push({ baseSequence, participants: partOf(batch, 'log')!.participants })
      this.visible = lastSequence
    }
  }

  private async answer<T>(epoch: number, run: () => Promise<T>): Promise<T> {
    await this.later(3)
    const fate = this.trouble === 0 ? 1 : this.random.below(this.trouble)
    const value = await run()
    if (epoch !== this.epoch) throw this.refused({ kind: 'notLeader', leader: undefined })
    if (fate === 0) throw new LsmtError('40003', 'the answer was lost')
    return value
  }

  private async until(epoch: number, isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (epoch !== this.epoch) throw this.refused({ kind: 'notLeader', leader: undefined })
      await this.later(2)
    }
  }

  private async later(turnsMax: number): Promise<void> {
    for (let turns = this.random.below(turnsMax); turns >= 0; turns--) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** A batch that changes nothing and takes as many sequences. */
function nothingAt(baseSequence: number, lastSequence: number): Uint8Array {
  const batch = abortBatch(Array.from({ length: lastSequence - baseSequence + 1 }, () => new Uint8Array(16)))
  assignBaseSequence(batch, baseSequence)
  return batch
}
