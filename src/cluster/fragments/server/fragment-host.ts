/** What the answering side needs of the node it belongs to. */
import type { Kernel } from '../../../kernel/kernel.ts'
import type { HeapBudget } from '../../../kernel/grouping/limited-heap.ts'
import type { Tree } from '../../../lsm/tree.ts'
import type { Clock } from '../../../runtime/clock.ts'
import type { Turns } from '../../../runtime/pace.ts'
import type { ReadLevel } from '../../replication/event.ts'
import type { VisiblePart } from '../wire/questions.ts'

/** A replica that is here. */
export interface HostedReplica {
  /** Another one once its files were fetched anew. */
  readonly tree: Tree
  readonly replicated: {
    readonly tablesSequence: number
    readonly partsAfter: number
    visibleParts(): readonly VisiblePart[]
  }
  /**
   * Resolves when what is visible satisfies the level, and has `minSequence`. That holds until `deadlineMs` of the monotonic clock,
   * which is to be looked at in the step that takes the snapshot. 57P03 when it cannot be satisfied here.
   */
  read(level: ReadLevel, minSequence?: number): Promise<{ readonly deadlineMs: number }>
}

export interface FragmentHost {
  readonly kernel: Kernel
  /** What all aggregations by group may use of the kernel's memory together. */
  readonly groupBudget: HeapBudget
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly turns: Turns
  /** Throws 55000 once what is read here is closed. */
  readonly assertOpen: () => void
  /** undefined: there is none of the shard here. */
  replica(shard: number): HostedReplica | undefined
}
