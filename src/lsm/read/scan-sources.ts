/** What a scan reads: the runs of a view that may hold keys in its range, newest first, each with what newer ones delete. */
import { compareBoundaries, compareBytes, firstBoundary } from '../keys/key-bytes.ts'
import type { Boundary } from '../keys/key-bytes.ts'
import { clipCover, emptyCover, unionOfCovers } from '../keys/range-cover.ts'
import type { RangeCover } from '../keys/range-cover.ts'
import type { RowLayout } from '../keys/row-layout.ts'
import type { TableReader } from '../table/table.ts'
import type { ReadStats, ScanRequest } from '../tree.ts'
import type { TableFile } from '../state/version.ts'
import type { View } from '../state/view.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { createMemtableSource } from './merge/memtable-source.ts'
import type { MemtableSource } from './merge/memtable-source.ts'
import { createRowMerge } from './merge/merged-rows.ts'
import type { RowMerge } from './merge/merged-rows.ts'
import { createScanColumns, storedOrdinals } from '../vector/scan-columns.ts'
import type { ScanColumns } from '../vector/scan-columns.ts'
import { createPredicate, predicateOrdinals } from './predicate.ts'
import type { Predicate } from './predicate.ts'
import type { ReadContext } from './read-context.ts'
import { planStretches } from './stretches.ts'
import type { FileRun, StretchPlan } from './stretches.ts'
import { createTableSource } from './merge/table-source.ts'
import type { RunFile } from './merge/table-source.ts'

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

/** Rows of the first page of a scan that starts small: a block of what chunks decode at least. */
export const smallPageRows = 64

/** `wanted`: the ordinals that will be asked for. */
export function openScanSources(kernel: Kernel, view: View, sequence: number, shape: RowLayout, request: ScanRequest, wanted: readonly number[], stats?: ReadStats): ScanSources {
  const context: ReadContext = { kernel, shape, reverse: request.reverse === true, stats }
  const { columns: kinds } = shape.layout
  const read = [...new Set([...storedOrdinals(kinds.length, request.computed, wanted), ...predicateOrdinals(request)])]
  const lower = request.lower ?? firstBoundary, upper = request.upper
  let cover: RangeCover = emptyCover
  const cut = (added: RangeCover): RangeCover => unionOfCovers(cover, clipCover(added, lower, upper))
  const memtables: MemtableSource[] = []
  for (const memtable of view.memtables) {
    const bound = memtable.bound(sequence)
    memtables.push(createMemtableSource(context, memtable.handle, bound, cover))
    cover = cut(memtable.cover(shape.layout.tableId, bound))
  }
  const runs: FileRun[] = []
  for (const files of runsOf(view, shape.layout.tableId, lower, upper)) {
    runs.push({ readers: files.map(({ reader }) => reader), cover })
    for (const file of files) if (file.cover.length > 0) cover = cut(file.cover)
  }
  const tables = runs.map(({ readers, cover: newer }) => createTableSource(context, { files: readers.map(openFile), cover: newer, columns: read, readAhead: mergeReadAhead }))
  const merge = createRowMerge(context, { sources: [...memtables, ...tables], keepTombstones: false, ...(request.startsSmall && { firstRowsMax: smallPageRows }) })
  const predicate = createPredicate(context, request)
  const columns = createScanColumns(kernel, kinds, request.computed)
  return {
    context, predicate, columns, merge,
    plan: planStretches(context, lower, upper, runs, memtables),
    memtables: memtables.map((_, i) => i),
    close() {
      merge.close()
      predicate.free()
      columns.free()
    },
  }
}

const openFile = (reader: TableReader): RunFile => ({ meta: reader.meta, open: () => reader })

/** Every file of level 0 is a run, as is each deeper level. */
function runsOf(view: View, tableId: number, lower: Uint8Array, upper: Boundary): readonly (readonly TableFile[])[] {
  const levels = view.version.tables.get(tableId) ?? []
  const runs = levels.flatMap((files, level) => (level === 0 ? files.map((file) => [file]) : [files]))
  return runs
    .map((files) => files.filter(({ meta }) => compareBytes(meta.maxKey, lower) >= 0 && compareBoundaries(meta.minKey, upper) < 0))
    .filter((files) => files.length > 0)
}
