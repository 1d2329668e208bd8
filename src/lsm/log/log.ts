/**
 * The write-ahead log of one shard: numbered segments of checksummed records, group commit, recovery.
 *
 * Segment file `wal/<shard>/<number, 20 digits>.wal`:
 *   header 64 bytes: magic "LSMTWAL1", u16 version, u16 checksum algorithm (1 = xxh64), u32 shard, f64 segment number,
 *                    f64 writer epoch, f64 sequence before its first record, u32 flags (1 = cuts), 12 zero bytes,
 *                    xxh64 of the 56 bytes before
 *   records, each at a multiple of 8:
 *     0  u64 xxh64 of all that follows, padding included   8  u32 payload bytes   12  u32 complement of the payload bytes
 *    16  f64 base sequence   24  f64 sequence up to which the log was durable when this record was written
 *    32  payload (a write batch, base sequence as above), zeros to the next multiple of 8
 *   zeros to the preallocated end
 *
 * Group commit: records that arrive while a sync is under way, or before the next turn of the event loop, are
 * written together by one write and made durable by one sync. Those of `interval`, which no write waits for, go on beside
 * what is written meanwhile, one at a time: a sync that takes longer than an interval keeps the next round waiting. A failed
 * write or sync poisons the log: nothing after it is acknowledged. Only where the disk has no room for a write or a new
 * segment the same is tried again, in the same place, once there is room; all that is queued waits for it.
 *
 * Recovery: a disk that loses power keeps any sectors of what was written since the last sync, so after a torn record
 * a whole one may follow. It was never acknowledged if its durable sequence is not past the last good record before
 * the tear: such a tail is cut. A later record that says otherwise, or a later segment that starts elsewhere than where
 * the good records end, proves that acknowledged data is damaged: corruption.
 *
 * Of a replica (src/lsm/replicated/) the writer epoch is that of the leader who gave the records their places, so a new
 * epoch begins a new segment. What was cut off there stays in its segments: the next one says by its flag that it begins
 * before where they end. Its header is durable before any record stands behind it.
 */
import type { Histogram } from '../../runtime/histogram.ts'

export interface LogRecord {
  readonly baseSequence: number
  readonly payload: Uint8Array
  /** Where it stands, for messages. */
  readonly file: string
  readonly byteOffset: number
}

/** Bounds of `LogCounts`: records of a group, milliseconds of a sync. */
export const groupBounds: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
export const syncMsBounds: readonly number[] = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1000]

export interface LogCounts {
  readonly segments: number
  readonly appends: number
  readonly syncs: number
  readonly bytes: number
  /** Records that were written together, and how long syncs took in ms. */
  readonly groups: Histogram
  readonly syncMs: Histogram
}

export interface Log {
  /** Queues one record; resolves when it is durable (for `memory`: when queued; for `interval`: when written). */
  append(baseSequence: number, payload: Uint8Array): Promise<void>
  /**
   * Writes one record in this step, as durable as set when this returns. False, with nothing done, where it would have to wait: for
   * records before it, for room, or for the disk. Throws what ends the log. Absent where it always would.
   */
  appendAtOnce?(baseSequence: number, payload: Uint8Array): boolean
  /** Waits until a record of so many bytes would have a preallocated place; undefined when it has one. 53100 when the disk has no room to make one. */
  admit(payloadBytes: number): Promise<void> | undefined
  /** Resolves when everything queued before is durable, whatever the setting. */
  sync(): Promise<void>
  /** Segments whose every record is at or below `sequence` are deleted. */
  truncateBelow(sequence: number): Promise<void>
  /** Starts a new segment, so that the ones before can be truncated once flushed. */
  roll(): void
  /** That will be soon: what takes long about it is done beside what is written meanwhile. */
  expectRoll?(): void
  /** What the log calls to have the memtable flushed, so that it can let go of what it keeps; absent where it never asks. */
  onFlushWanted?(flush: () => void): void
  readonly counts: LogCounts
  readonly failure: Error | undefined
  close(): Promise<void>
}
