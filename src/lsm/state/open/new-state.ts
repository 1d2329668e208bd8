/** A tree as its table files have it, before its log is read. */
import { createImageKeeper } from '../../image/memtable-images.ts'
import type { Log } from '../../log/log.ts'
import type { ManifestState } from '../../manifest.ts'
import { PointReader } from '../../read/point/point-read.ts'
import { createMemtable } from '../memtable.ts'
import { defineTable, noteTrouble } from '../tree-state.ts'
import type { TreeOptions, TreeState } from '../tree-state.ts'
import { releaseVersion } from '../version.ts'
import type { Version } from '../version.ts'
import { createView } from '../view.ts'

/** Takes over the reference to `version`. */
export function newTreeState(options: TreeOptions, manifest: ManifestState, log: Log, version: Version): TreeState {
  const { kernel, memtableMemory: memory, settings, cache, clock, shard } = options, closing = new AbortController()
  const images = createImageKeeper({ kernel, cache, clock, settings, shard, signal: closing.signal, onFailure: (error) => noteTrouble(state, 'an image of a memtable', error) })
  const memtables = { kernel, memory, images, expectedBytes: settings.memtableBytesMax }, active = createMemtable(memtables, manifest.flushedSequence)
  const state: TreeState = {
    options, log, pointReader: new PointReader(kernel, cache),
    counters: { flushes: 0, compactions: 0, trivialMoves: 0, bytesFlushed: 0, bytesIngested: 0, bytesCompacted: 0, stalledSlowMs: 0, stalledStopMs: 0 },
    layouts: new Map(), shapes: new Map(), allShapes: [], maxTableId: manifest.maxTableId,
    view: createView({ memtables: [active], version, shapes: new Map() }),
    active, memtables, frozen: [], manifest, nextFileNumber: manifest.nextFileNumber,
    nextSequence: manifest.flushedSequence + 1, visibleSequence: manifest.flushedSequence,
    pending: [], waiters: [], failure: undefined, background: undefined, flushFailure: undefined,
    closing, isClosed: false,
    lanes: { publish: Promise.resolve(), ingesting: false, flush: undefined, compaction: Promise.resolve(), compacting: false, compactionWanted: false, background: Promise.resolve() },
    deletions: new Set(), batchScratch: { address: 0, byteLength: 0 },
  }
  releaseVersion(version, () => undefined)
  for (const layout of manifest.layouts) defineTable(state, layout)
  return state
}
