/**
 * Small statements of one shard that come before the next group of the log share one batch: one record, one checksum, one
 * call into the memtable, and one promise for all who wait. Such a batch stands or falls as a whole, which is more than
 * its statements need. (What group commit does for syncs, done for the rest of a commit's cost.)
 *
 * Batches are held in this thread only until the log asks for them, or anything else is appended: so the order of
 * statements is the order in which they came here. A statement that comes while no other is under way has nobody to share
 * with, and where the log takes it at once nothing of this is needed: it is visible when it returns.
 */
import { createBatchBuilder } from '../../lsm/batch-builder.ts'
import type { BatchBuilder } from '../../lsm/batch-builder.ts'
import { batchHeaderBytes, hasFlags } from '../../lsm/batch.ts'
import type { LogRounds } from '../../lsm/log/rounds/log-rounds.ts'
import type { Tree } from '../../lsm/tree.ts'
import { createDeferred } from '../../runtime/deferred.ts'
import type { Deferred } from '../../runtime/deferred.ts'

export interface SharedBatches {
  /** Whether a statement that comes now is to be appended by itself, at once: nobody is there to share with. */
  isAlone(): boolean
  /** The same for a statement of several shards, which is answered when this resolves; undefined: it is not alone. */
  goAlone(): Promise<void> | undefined
  /** Takes the batch of a statement of one shard; resolves when it is durable as set, and visible. Undefined: it has to be appended by itself. */
  add(shard: number, batch: Uint8Array, operationCount: number): Promise<void> | undefined
  /** Where an operation of at most so many bytes is to be written that shares a shard's batch; when it is, `joined` at once. */
  builderOf(shard: number, byteLengthMax: number): BatchBuilder | undefined
  /** Counts what was written in; resolves as `add` does, with one promise for all of a batch. */
  joined(shard: number): Promise<void>
  /** Appends all that is held. */
  flush(): void
  /** Bytes held for a shard. */
  heldBytes(shard: number): number
}

/** A larger statement goes by itself, since copying costs more than sharing spares; and so many make a batch. */
const sharedBytesMax = 4 * 1024
const batchBytesMax = 64 * 1024

const settled = Promise.resolve()

interface Held {
  readonly builder: BatchBuilder
  /** Undefined when nothing is held. */
  applied: Deferred | undefined
}

/** Of trees whose logs keep these rounds together. */
export function createSharedBatches(trees: readonly Tree[], rounds: Pick<LogRounds, 'request' | 'mayWriteAlone' | 'writeAlone'>): SharedBatches {
  const held = trees.map((): Held => ({ builder: createBatchBuilder(), applied: undefined }))
  const canAppendAtOnce = trees.every((tree) => tree.appendAtOnce !== undefined)
  let isAnyHeld = false

  function flushShard(shard: number): void {
    const { builder, applied } = held[shard]!
    if (applied === undefined) return
    held[shard]!.applied = undefined
    trees[shard]!.append(builder.finish()).applied.then(() => applied.resolve(), applied.reject)
  }

  function builderOf(shard: number, byteLengthMax: number): BatchBuilder | undefined {
    if (byteLengthMax > sharedBytesMax) return undefined
    const { builder } = held[shard]!
    if (builder.byteLength + byteLengthMax > batchBytesMax) flushShard(shard)
    return builder
  }

  function joined(shard: number): Promise<void> {
    const into = held[shard]!
    if (!isAnyHeld) {
      isAnyHeld = true
      rounds.request()
    }
    into.applied ??= createDeferred()
    return into.applied.promise
  }

  const isAlone = (): boolean => canAppendAtOnce && !isAnyHeld && rounds.mayWriteAlone()

  return {
    isAlone,
    goAlone: () => (canAppendAtOnce && !isAnyHeld ? rounds.writeAlone() : undefined),
    add(shard, batch, operationCount) {
      if (hasFlags(batch)) return undefined
      if (isAlone()) return trees[shard]!.appendAtOnce!(batch) ?? settled
      const builder = builderOf(shard, batch.length)
      if (builder === undefined) return undefined
      builder.append(batch, operationCount, batchHeaderBytes)
      return joined(shard)
    },
    builderOf,
    joined,
    flush() {
      if (!isAnyHeld) return
      isAnyHeld = false
      for (let shard = 0; shard < held.length; shard++) flushShard(shard)
    },
    heldBytes: (shard) => held[shard]!.builder.byteLength,
  }
}
