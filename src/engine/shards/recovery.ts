/**
 * Which parts of statements over several shards count after a crash.
 *
 * A part counts only if, for every participant, its log has the part of the same transaction, or its table files hold
 * it already (its manifest's flushed sequence has reached the part's base sequence: parts are applied, and so flushed,
 * only once all are durable). Parts that do not count are skipped, and an abort record is made durable in every log
 * that holds one before any new write is taken. Without it, a participant that lost its part would use the same
 * sequence numbers again for other writes, flush them, and a later recovery would take the part for complete. A
 * transaction with an abort record anywhere stays aborted.
 */
import type { Participant } from '../../lsm/batch.ts'

/** A part as one shard's log holds it. */
export interface LoggedPart {
  /** 32 hex digits. */
  readonly transactionId: string
  readonly baseSequence: number
  readonly participants: readonly Participant[]
}

/** What one shard's log and manifest say, in order of shard number. */
export interface ShardLog {
  readonly flushedSequence: number
  readonly parts: readonly LoggedPart[]
  /** Transactions that the log has abort records of. */
  readonly aborted: ReadonlySet<string>
}

/** By shard: the transactions whose part in this shard's log does not count. */
export function partsThatDoNotCount(shards: readonly ShardLog[]): readonly ReadonlySet<string>[] {
  const aborted = new Set(shards.flatMap((shard) => [...shard.aborted]))
  const logged = shards.map((shard) => new Set(shard.parts.map((part) => part.transactionId)))
  const isComplete = (part: LoggedPart): boolean =>
    part.participants.every(({ shard, baseSequence }) => logged[shard]?.has(part.transactionId) === true || (shards[shard]?.flushedSequence ?? -1) >= baseSequence)
  return shards.map((shard) => new Set(shard.parts.filter((part) => aborted.has(part.transactionId) || !isComplete(part)).map((part) => part.transactionId)))
}
