/** The shards of one database as the engine's reads and writes see them: all of them, or those of one transaction. */
import type { Kernel } from '../../kernel/kernel.ts'
import type { HeapBudget } from '../../kernel/grouping/limited-heap.ts'
import type { Readers } from '../../lsm/readers/readers.ts'
import type { Snapshot, Tree } from '../../lsm/tree.ts'
import type { Turns } from '../../runtime/pace.ts'
import type { TextReader } from '../codec/text-reader.ts'
import type { KeyScratch } from './key-scratch.ts'
import type { ShardSnapshot } from './shard-snapshot.ts'

export interface Shards {
  readonly kernel: Kernel
  readonly trees: readonly Tree[]
  /** One consistent view of all shards. */
  snapshot(): ShardSnapshot
  /** What is read of a shard as it is now; undefined = its tree's newest state. */
  newest(shard: number): Snapshot | undefined
  readonly keys: KeyScratch
  readonly texts: TextReader
  /** Throws 55000 once the database is closed. After any wait it may be: then the shards' memory is gone. */
  readonly assertOpen: () => void
  /** What all aggregations by group may use of the kernel's memory together. */
  readonly groupBudget: HeapBudget
  readonly turns: Turns
  readonly readers: Readers
}
