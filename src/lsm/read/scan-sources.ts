/** What a scan reads: the runs of a view that may hold keys in its range, newest first, each with what newer ones delete. */
import { compareBoundaries, compareBytes, firstBoundary } from '../keys/key-bytes.ts'
import type { Boundary } from '../keys/key-bytes.ts'
import { clipCover, emptyCover, unionOfCovers } from '../keys/range-cover.ts'
import type { RangeCover } from '../keys/range-cover.ts'
import type { RowLayout } from '../keys/row-layout.ts'
import type { TableMeta, TableReader } from '../table/table.ts'
import type { ReadStats, ScanRequest } from '../tree.ts'
import type { Levels, TableFile } from '../state/version.ts'
import type { View } from '../state/view.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { loadTails } from './load-tails.ts'
import { createMemtableSource } from './merge/memtable-source.ts'
import type { MemtableSource, MemtableSourceOptions } from './merge/memtable-source.ts'
import { createRowMerge } from './merge/merged-rows.ts'
import type { RowMerge } from './merge/merged-rows.ts'
import { createScanColumns, storedOrdinals } from '../vector/scan-columns.ts'
import type { ScanColumns } from '../vector/scan-columns.ts'
import { createPredicate, predicateOrdinals } from './predicate.ts'
import type { Predicate } from './predicate.ts'
import type { ReadContext } from './read-context.ts'
import { planStretches } from './stretches.ts'
import type { FileRun, StretchPlan } from './stretches.ts'
import { openLayers } from './layers/open-layers.ts'
import { noMemtableLayers, openMemtableLayers } from './layers/memtable-layers.ts'
import type { MemtableLayers, ReadMemtable } from './layers/memtable-layers.ts'
import { planLayers } from './layers/plan-layers.ts'
import { createRecentSource } from './merge/recent-source.ts'
import { createTableSource } from './merge/table-source.ts'
import type { SmallStart } from './merge/table-source.ts'
import { viewFile } from './merge/view-file.ts'
import type { RunSource } from './merge/run-page.ts'

export interface ScanSources {
  readonly context: ReadContext
  readonly predicate: Predicate
  readonly columns: ScanColumns
  readonly plan: StretchPlan
  readonly merge: RowMerge
  /** Indexes of the memtables among the merge's sources. */
  readonly memtables: readonly number[]
  close(): void
}

const mergeReadAhead = 4

/** Of memtables that are read to their ends. */
const wholePageRows = 2048

/** Rows of the first page of a scan that starts small: a block of what chunks decode at least. */
export const smallPageRows = 64

/** What must be waited for before sources can be opened: range tombstones of files that were never read hide rows of older ones. */
export function loadCovers({ version }: View, { tableId, lower = firstBoundary, upper }: Pick<ScanRequest, 'tableId' | 'lower' | 'upper'>, stats: ReadStats | undefined): Promise<void> | undefined {
  if (version.withRangeTombstones.length === 0) return undefined
  const unknown = version.withRangeTombstones.filter(({ meta, reader }) => meta.tableId === tableId && reader.cover === undefined && isInRange(meta, lower, upper))
  return unknown.length === 0 ? undefined : loadInTurns(unknown.map(({ reader }) => reader), stats)
}

const tailsAtOnce = 16

async function loadInTurns(readers: readonly TableReader[], stats: ReadStats | undefined): Promise<void> {
  for (let i = 0; i < readers.length; i += tailsAtOnce) await loadTails(readers.slice(i, i + tailsAtOnce), stats)
}

/** The runs of a view in a key range, newest first: its memtables, then its files. */
export interface ViewRuns {
  /** Of those that may have an entry. */
  readonly memtables: readonly MemtableSource[]
  /** What each of `memtables` reads. */
  readonly memtablesRead: readonly ReadMemtable[]
  readonly files: readonly FileRun[]
}

/** Once `loadCovers` has nothing to wait for. */
export function openViewRuns(context: ReadContext, view: View, sequence: number, { lower = firstBoundary, upper }: Pick<ScanRequest, 'lower' | 'upper'>, memtableOptions?: MemtableSourceOptions, layers: MemtableLayers = noMemtableLayers): ViewRuns {
  const { tableId } = context.shape.layout
  let cover: RangeCover = emptyCover
  const cut = (added: RangeCover): RangeCover => (added.length === 0 ? cover : unionOfCovers(cover, clipCover(added, lower, upper)))
  const memtables: MemtableSource[] = [], memtablesRead: ReadMemtable[] = []
  for (const memtable of view.memtables) {
    const bound = memtable.bound(sequence)
    // What comes later is not seen; of one that shows all it has, it is.
    if (bound === sequence && memtable.entryCount() === 0 && memtable.rangeCount() === 0) continue
    const layer = layers.of(memtable)
    memtables.push(layer === undefined ? createMemtableSource(context, memtable.handle, bound, cover, memtableOptions) : createRecentSource(context, layer.recent, cover))
    memtablesRead.push({ memtable, cover, layer })
    cover = cut(memtable.cover(tableId, bound))
  }
  const files: FileRun[] = []
  for (const run of runsOf(view, tableId, lower, upper)) {
    files.push({ readers: run.map(({ reader }) => reader), cover })
    for (const { reader } of run) cover = cut(reader.cover!)
  }
  return { memtables, memtablesRead, files }
}

/** A source for each run of files, of which columns are asked for by ordinal. */
export function openTableSources(context: ReadContext, { files }: ViewRuns, columns: readonly number[], startsSmall?: SmallStart): readonly RunSource[] {
  return files.map(({ readers, cover }) => createTableSource(context, { files: readers.map((reader) => viewFile(reader, context.stats)), cover, columns, readAhead: mergeReadAhead, ...(startsSmall && { startsSmall }) }))
}

export interface SourcesRequest extends ScanRequest {
  /** Whether row groups are read once the sources are closed, by whoever keeps the view. */
  readonly rowsOutliveScan?: true
}

/** Once `loadCovers` has nothing to wait for. `wanted`: the ordinals that will be asked for. */
export function openScanSources(kernel: Kernel, view: View, sequence: number, shape: RowLayout, request: SourcesRequest, wanted: readonly number[], stats?: ReadStats): ScanSources {
  const context: ReadContext = { kernel, shape, reverse: request.reverse === true && request.anyOrder !== true, stats }
  const { columns: kinds } = shape.layout
  const { merge, plan, memtables } = request.anyOrder === true ? planAnyOrder(context, view, sequence, request) : planKeyOrder(context, view, sequence, request, wanted)
  const predicate = createPredicate(context, request)
  const columns = createScanColumns(kernel, kinds, request.computed)
  return {
    context, predicate, columns, merge, plan, memtables,
    close() {
      plan.close()
      merge.close()
      predicate.free()
      columns.free()
    },
  }
}

type Planned = Pick<ScanSources, 'merge' | 'plan' | 'memtables'>

function planKeyOrder(context: ReadContext, view: View, sequence: number, request: ScanRequest, wanted: readonly number[]): Planned {
  const read = [...new Set([...storedOrdinals(context.shape.layout.columns.length, request.computed, wanted), ...predicateOrdinals(request)])]
  const runs = openViewRuns(context, view, sequence, request), { memtables, files } = runs
  const merge = createRowMerge(context, { sources: [...memtables, ...openTableSources(context, runs, read)], keepTombstones: false, ...(request.startsSmall && { firstRowsMax: smallPageRows }) })
  return { merge, plan: planStretches(context, request.lower ?? firstBoundary, request.upper, files, memtables), memtables: memtables.map((_, i) => i) }
}

function planAnyOrder(context: ReadContext, view: View, sequence: number, request: SourcesRequest): Planned {
  const { lower = firstBoundary, upper, rowsOutliveScan } = request
  const images = lower.length === 0 && upper === undefined && rowsOutliveScan !== true ? openMemtableLayers(context, view, sequence) : noMemtableLayers
  try {
    return planWithImages(context, view, sequence, request, images)
  } catch (error) {
    images.close()
    throw error
  }
}

function planWithImages(context: ReadContext, view: View, sequence: number, request: ScanRequest, images: MemtableLayers): Planned {
  const { lower = firstBoundary, upper } = request, { shape } = context
  const { memtables, memtablesRead, files } = openViewRuns(context, view, sequence, request, { firstPageRows: wholePageRows }, images)
  const merge = createRowMerge(context, { sources: memtables, keepTombstones: false })
  const filled = memtables.map((_, i) => i).filter((i) => hasEntry(memtables[i]!, lower, upper))
  const hasAllFiles = files.length === runsOf(view, shape.layout.tableId, firstBoundary, undefined).length
  const layers = openLayers(context, { memtables: memtablesRead, images, files, hasAllFiles, sequence, lower, upper })
  return { merge, plan: planLayers(context, lower, upper, layers, filled.length > 0), memtables: filled }
}

/** Tombstones included. */
export function hasEntry(memtable: MemtableSource, lower: Uint8Array, upper: Boundary): boolean {
  const first = memtable.peek(lower)
  return first !== undefined && compareBoundaries(first, upper) < 0
}

function isInRange({ minKey, maxKey }: TableMeta, lower: Uint8Array, upper: Boundary): boolean {
  return compareBytes(maxKey, lower) >= 0 && compareBoundaries(minKey, upper) < 0
}

const noLevels: Levels = []

/** Every file of level 0 is a run, as is each deeper level. */
export function runsOf(view: View, tableId: number, lower: Uint8Array, upper: Boundary): readonly (readonly TableFile[])[] {
  const levels = view.version.tables.get(tableId) ?? noLevels
  const runs: (readonly TableFile[])[] = []
  for (let level = 0; level < levels.length; level++) {
    const files = levels[level]!
    if (level === 0) {
      for (const file of files) if (isInRange(file.meta, lower, upper)) runs.push([file])
      continue
    }
    const first = firstReaching(files, lower)
    let end = first
    while (end < files.length && compareBoundaries(files[end]!.meta.minKey, upper) < 0) end++
    if (end > first) runs.push(first === 0 && end === files.length ? files : files.slice(first, end))
  }
  return runs
}

/** The first file of a sorted level whose largest key is not below a boundary. */
function firstReaching(files: readonly TableFile[], lower: Uint8Array): number {
  let low = 0, high = files.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareBytes(files[middle]!.meta.maxKey, lower) < 0) low = middle + 1
    else high = middle
  }
  return low
}
