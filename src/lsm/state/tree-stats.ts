/** The counts of a tree, as one value. */
import { compactionDebtBytes } from '../compaction/compact-tree.ts'
import { stallOf } from './back-pressure.ts'
import { createHistogram } from '../../runtime/histogram.ts'
import { groupBounds, syncMsBounds } from '../log/log.ts'
import type { TreeState } from './tree-state.ts'
import type { TreeStats } from '../tree.ts'

/** Of a shard whose tree is not here. */
export const noTreeStats: TreeStats = {
  memtableBytes: 0, frozenMemtables: 0, levels: [], flushes: 0, compactions: 0, trivialMoves: 0, bytesFlushed: 0, bytesIngested: 0, bytesCompacted: 0,
  stall: 'none', stalledMs: { slow: 0, stop: 0 }, log: { segments: 0, appends: 0, syncs: 0, bytes: 0, groups: createHistogram(groupBounds), syncMs: createHistogram(syncMsBounds) }, filters: { absent: 0, present: 0, wrong: 0 },
  compactionDebtBytes: 0, failure: undefined, background: undefined,
}

export function treeStats(state: TreeState): TreeStats {
  const { counters, log, options, pointReader } = state
  return {
    memtableBytes: state.active.usedBytes() + state.frozen.reduce((sum, { memtable }) => sum + memtable.usedBytes(), 0),
    frozenMemtables: state.frozen.length,
    levels: levelStats(state),
    flushes: counters.flushes,
    compactions: counters.compactions,
    trivialMoves: counters.trivialMoves,
    bytesFlushed: counters.bytesFlushed,
    bytesIngested: counters.bytesIngested,
    bytesCompacted: counters.bytesCompacted,
    stall: stallOf(state),
    stalledMs: { slow: counters.stalledSlowMs, stop: counters.stalledStopMs },
    log: { ...log.counts },
    filters: { ...pointReader.counts },
    compactionDebtBytes: compactionDebtBytes(state),
    failure: state.failure?.message,
    background: options.jobs.fallback ?? state.background,
  }
}

function levelStats({ view }: TreeState): TreeStats['levels'] {
  const levels: { level: number; files: number; bytes: number }[] = []
  for (const table of view.version.tables.values()) {
    table.forEach((files, level) => {
      const stats = (levels[level] ??= { level, files: 0, bytes: 0 })
      stats.files += files.length
      for (const { meta } of files) stats.bytes += meta.byteLength
    })
  }
  return Array.from(levels, (stats, level) => stats ?? { level, files: 0, bytes: 0 })
}
