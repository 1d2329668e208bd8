/**
 * Write batches: the one byte shape of a write, from the engine to the log, to peers and to the memtable.
 * The layout is drawn in src/kernel/skiplist.ts. Participants, when flag bit 0 is set, follow the 24 header
 * bytes, padded to a multiple of 8:
 *
 *  24  u32  part count n (shards that the statement writes to)
 *  28  u32  0
 *  32  u8[16] transaction id, random
 *  48  n × { u32 shard, u32 0, f64 baseSequence of that shard's part }
 *
 * A batch with participants counts only if every participant's log (or table files) has its part: see
 * recovery in src/engine/shards.ts. A control batch (flag bit 1) carries decisions for recovery and no
 * operations: its one operation kind is 6 abort (key = transaction id).
 */

export const operation = { put: 1, delete: 2, rangeDelete: 3, defineTable: 4, dropTable: 5, abort: 6 } as const

export interface Participant {
  readonly shard: number
  readonly baseSequence: number
}
