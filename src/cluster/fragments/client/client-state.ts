/** What the trees of a client share, and what each is told. */
import type { HeapBudget } from '../../../kernel/grouping/limited-heap.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { TableLayout } from '../../../lsm/layout.ts'
import type { NodeQuestions } from './node-questions.ts'
import type { Channel } from './peer.ts'
import type { TextScratch } from './remote-row.ts'

export interface FragmentClientOptions {
  readonly kernel: Kernel
  /** What all aggregations by group may use of the kernel's memory together. */
  readonly groupBudget: HeapBudget
  readonly channel: Channel
  /** For a snapshot, or the row of a key. */
  readonly timeoutMs: number
}

export interface RemoteTreeOptions {
  readonly shard: number
  /** Who leads the shard; throws 08006 or 57P03 when nobody is known. */
  readonly where: () => string
  /** The tables as whoever asks knows them; what is read of others is 40001. */
  readonly layouts: Pick<ReadonlyMap<number, TableLayout>, 'get'>
  /** Rows were read of the shard as it was at this sequence. */
  readonly onRead?: (sequence: number) => void
}

export interface ClientState extends FragmentClientOptions {
  readonly scratch: TextScratch
  readonly nodes: NodeQuestions
  nextId(): number
}
