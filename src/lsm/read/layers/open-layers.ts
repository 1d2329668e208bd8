/** Images of memtables and the runs of table files as layers, each with a lane of keys for every newer run. */
import { compareBoundaries, compareBytes } from '../../keys/key-bytes.ts'
import type { Boundary } from '../../keys/key-bytes.ts'
import { emptyCover } from '../../keys/range-cover.ts'
import { createMemtableSource } from '../merge/memtable-source.ts'
import { createTableSource } from '../merge/table-source.ts'
import { viewFile } from '../merge/view-file.ts'
import type { ReadContext } from '../read-context.ts'
import type { FileRun } from '../stretches.ts'
import { createKeyLane } from './key-lane.ts'
import type { KeyLane } from './key-lane.ts'
import type { Layer, Layers } from './plan-layers.ts'
import type { MemtableLayers, ReadMemtable } from './memtable-layers.ts'
import { createRecentKeys, recentLane, withRecentKeys } from './recent-keys.ts'
import { createShadow, filesMayHave } from './shadow.ts'

const firstPageRows = 1024

/** Row groups of a newer run whose keys are fetched at once. */
const readAhead = 4

export interface LayersOptions {
  /** Newest first, those without an entry left out. */
  readonly memtables: readonly ReadMemtable[]
  /** Closed with the layers. */
  readonly images: MemtableLayers
  /** Newest first. */
  readonly files: readonly FileRun[]
  /** Whether the tree has no other run of files. */
  readonly hasAllFiles: boolean
  readonly sequence: number
  readonly lower: Uint8Array
  readonly upper: Boundary
}

export function openLayers(context: ReadContext, { memtables, images, files, hasAllFiles, sequence, lower, upper }: LayersOptions): Layers {
  // One that shows all it has, whatever the snapshot, counts its operations by itself.
  const isOwn = ({ memtable: { bound } }: ReadMemtable): boolean => bound(sequence) !== sequence
  const shared = memtables.filter((each) => !isOwn(each)).map(({ memtable, cover, layer }) => ({ memtable, cover, layer, recent: createRecentKeys(context, memtable, sequence) }))
  // To the end, not only as far as the scan reads: of its last row group all is to be known.
  const memtableLane = ({ memtable: { handle, bound } }: ReadMemtable): KeyLane => createKeyLane(context, {
    open: () => createMemtableSource(context, handle, bound(sequence), emptyCover, { firstPageRows }),
    isInMemory: true, mayHave: () => true, lower, upper: undefined,
  })
  const sharedLane = (each: (typeof shared)[number]): KeyLane => withRecentKeys(context, each.recent, memtableLane(each))
  const fileLane = ({ readers }: FileRun): KeyLane => createKeyLane(context, {
    open: () => createTableSource(context, { files: readers.map((reader) => viewFile(reader, context.stats)), cover: emptyCover, columns: [], readAhead }),
    isInMemory: false, mayHave: filesMayHave(readers), maxSequence: maxSequenceOf(readers), lower, upper,
  })
  const ownLanes = (): readonly KeyLane[] => memtables.filter(isOwn).map(memtableLane)
  const memtablesSince = Math.min(...shared.map(({ memtable }) => memtable.startSequence))
  const fileLayers = files.map((run, i): Layer => ({
    readers: run.readers, cover: run.cover,
    shadow: createShadow(context, {
      sequence, cover: run.cover,
      lanes: [...shared.map(sharedLane), ...files.slice(0, i).map(fileLane)],
      ownLanes: ownLanes(),
      hasAll: (low, high) => isBefore(run, memtablesSince) && ((files.length === 1 && hasAllFiles) || (compareBytes(low, lower) >= 0 && compareBoundaries(high, upper) <= 0)),
    }),
  }))
  const imageLayers: Layer[] = []
  for (const [i, { layer, cover }] of shared.entries()) {
    if (layer === undefined) continue
    const lanes = shared.slice(0, i).map(sharedLane)
    if (layer.recent.count > 0) lanes.push(recentLane(context, layer.recent))
    imageLayers.push({ readers: [layer.image.reader], cover, shadow: createShadow(context, { sequence, cover, lanes, ownLanes: ownLanes(), hasAll: () => true }) })
  }
  return {
    layers: imageLayers.concat(fileLayers),
    onMemtableRows: images.noteReads,
    close() {
      for (const { recent } of shared) recent.close()
      images.close()
    },
  }
}

const maxSequenceOf = (readers: FileRun['readers']): number => Math.max(...readers.map(({ meta }) => meta.maxSequence))

/** Memtables of a follower may have what newer files of its writer have too: their rows are hidden by themselves, until the memtables go. */
const isBefore = ({ readers }: FileRun, sequence: number): boolean => maxSequenceOf(readers) <= sequence
