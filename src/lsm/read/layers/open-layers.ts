/** The runs of table files as layers, each with a lane of keys for every newer run. */
import type { Boundary } from '../../keys/key-bytes.ts'
import { emptyCover } from '../../keys/range-cover.ts'
import type { Memtable } from '../../state/memtable.ts'
import { createMemtableSource } from '../merge/memtable-source.ts'
import { createTableSource } from '../merge/table-source.ts'
import { viewFile } from '../merge/view-file.ts'
import type { ReadContext } from '../read-context.ts'
import type { FileRun } from '../stretches.ts'
import { createKeyLane } from './key-lane.ts'
import type { KeyLane } from './key-lane.ts'
import type { Layer } from './plan-layers.ts'
import { createShadow, filesMayHave } from './shadow.ts'

const firstPageRows = 1024

/** Row groups of a newer run whose keys are fetched at once. */
const readAhead = 4

export interface LayersOptions {
  /** Newest first, those without an entry in the range left out. */
  readonly memtables: readonly Memtable[]
  /** Newest first. */
  readonly files: readonly FileRun[]
  readonly sequence: number
  readonly lower: Uint8Array
  readonly upper: Boundary
}

export function openLayers(context: ReadContext, { memtables, files, sequence, lower, upper }: LayersOptions): readonly Layer[] {
  const memtableLanes = (): readonly KeyLane[] => memtables.map(({ handle, bound }) => createKeyLane(context, {
    open: () => createMemtableSource(context, handle, bound(sequence), emptyCover, { firstPageRows }),
    isInMemory: true, mayHave: () => true, lower, upper,
  }))
  const fileLane = ({ readers }: FileRun): KeyLane => createKeyLane(context, {
    open: () => createTableSource(context, { files: readers.map((reader) => viewFile(reader, context.stats)), cover: emptyCover, columns: [], readAhead }),
    isInMemory: false, mayHave: filesMayHave(readers), lower, upper,
  })
  return files.map((run, i) => ({ ...run, shadow: createShadow(context, run.cover, [...memtableLanes(), ...files.slice(0, i).map(fileLane)]) }))
}
