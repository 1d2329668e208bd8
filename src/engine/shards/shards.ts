/** The shards of one database as the engine's reads and writes see them. */
import type { Kernel } from '../../kernel/kernel.ts'
import type { HeapBudget } from '../../kernel/grouping/limited-heap.ts'
import type { Tree } from '../../lsm/tree.ts'
import type { Turns } from '../../runtime/pace.ts'
import type { Committer } from './commit.ts'
import type { KeyScratch } from './key-scratch.ts'

export interface Shards {
  readonly kernel: Kernel
  readonly trees: readonly Tree[]
  readonly committer: Committer
  readonly keys: KeyScratch
  /** Throws 55000 once the database is closed. After any wait it may be: then the shards' memory is gone. */
  readonly assertOpen: () => void
  /** What all aggregations by group may use of the kernel's memory together. */
  readonly groupBudget: HeapBudget
  readonly turns: Turns
}
