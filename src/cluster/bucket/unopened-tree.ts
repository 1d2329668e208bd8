/** What is seen of a shard that is not open here: nothing, and whoever asks for more is told to ask elsewhere. */
import { noTreeStats } from '../../lsm/state/tree-stats.ts'
import type { Tree } from '../../lsm/tree.ts'
import type { SeenTree } from '../replica/replica.ts'

export function unopenedTree(refusal: () => Error): SeenTree {
  const refuse = (): never => {
    throw refusal()
  }
  const refuseLater = (): Promise<never> => Promise.reject(refusal())
  const tree: Tree = {
    // Less than what an empty shard shows.
    visibleSequence: -1,
    layouts: new Map(), nextSequence: 1, stats: noTreeStats,
    append: refuse, admit: () => undefined, sync: refuseLater, snapshot: refuse, overlay: refuse, get: refuse, scan: refuse,
    aggregate: refuseLater, groupedAggregate: refuseLater, topRows: refuseLater, checkpoint: refuseLater,
    // There is nothing of it here.
    flush: () => Promise.resolve(), compact: () => Promise.resolve(), close: () => Promise.resolve(),
  }
  return { tree, flushedSequence: 0, tablesSequence: 0, partsAfter: 0, logged: () => ({ parts: [], aborted: new Set() }), visibleParts: () => [] }
}
