/** The tree of a shard that somebody else writes: all of its reads, none of its writes. */
import { LsmtError } from '../../errors.ts'
import { createHistogram } from '../../runtime/histogram.ts'
import { groupBounds, syncMsBounds } from '../log/log.ts'
import type { Log } from '../log/log.ts'
import { emptyManifest } from '../manifest.ts'
import { closeTree, treeReads } from '../state/create-tree.ts'
import { newTreeState } from '../state/open/new-state.ts'
import type { TreeOptions, TreeState } from '../state/tree-state.ts'
import { treeStats } from '../state/tree-stats.ts'
import { createVersion } from '../state/version.ts'
import type { Tree } from '../tree.ts'

export function readOnlyRefusal(): LsmtError {
  return new LsmtError('25006', 'this node only reads: it follows what the database\'s writer has written', { hint: 'send writes to the node that was started without --read-only' })
}

const refuse = (): Promise<never> => Promise.reject(readOnlyRefusal())

/** Nothing is ever appended to it. */
const noLog: Log = {
  append: refuse,
  admit: () => undefined,
  sync: () => Promise.resolve(),
  truncateBelow: () => Promise.resolve(),
  roll: () => undefined,
  counts: { segments: 0, appends: 0, syncs: 0, bytes: 0, groups: createHistogram(groupBounds), syncMs: createHistogram(syncMsBounds) },
  failure: undefined,
  close: () => Promise.resolve(),
}

/** As before anything was read. */
export function emptyState(options: Omit<TreeOptions, 'durability' | 'syncIntervalMs' | 'beforePublish'>): TreeState {
  const unused = { durability: 'memory' as const, syncIntervalMs: 0, beforePublish: () => Promise.resolve() }
  return newTreeState({ ...options, ...unused, keepsFiles: true }, emptyManifest(options.shard), noLog, createVersion(new Map()))
}

export function createFollowedTree(state: TreeState): Tree {
  return {
    ...treeReads(state),
    get visibleSequence() { return state.visibleSequence },
    get nextSequence() { return state.nextSequence },
    append() {
      const refused = refuse()
      refused.catch(() => {})
      return { baseSequence: state.nextSequence, durable: refused, applied: refused }
    },
    admit: () => undefined,
    sync: () => Promise.resolve(),
    flush: refuse,
    checkpoint: refuse,
    compact: refuse,
    get stats() { return treeStats(state) },
    close: () => closeTree(state),
  }
}
