/**
 * Aggregates over whole table files, without a look at their row groups: what a column comes to in a file is worked out
 * from its zone maps once, and kept as long as the file is open.
 */
import type { Kernel } from '../../../kernel/kernel.ts'
import { mergePartials, partialOfNothing } from '../../aggregate.ts'
import { compareBoundaries, compareBytes, firstBoundary } from '../../keys/key-bytes.ts'
import { emptyCover } from '../../keys/range-cover.ts'
import type { RowLayout } from '../../keys/row-layout.ts'
import type { ColumnTotals, TableFile } from '../../state/version.ts'
import type { View } from '../../state/view.ts'
import type { AggregateFunction, AggregatePartial, AggregateRequest, ReadStats, ScanRequest } from '../../tree.ts'
import { storedAggregate } from './column-aggregate.ts'
import { createMemtableSource } from '../merge/memtable-source.ts'
import type { ReadContext } from '../read-context.ts'
import { hasEntry, runsOf } from '../scan-sources.ts'

/** undefined unless the request's rows are all live rows of some files, and these tell enough without waiting for storage. */
export function aggregateFiles(kernel: Kernel, view: View, sequence: number, shape: RowLayout, request: ScanRequest, aggregates: readonly AggregateRequest[], stats?: ReadStats): readonly AggregatePartial[] | undefined {
  if (request.predicate.length > 0 || (request.conditions !== undefined && request.conditions.length > 0)) return undefined
  if (aggregates.some(({ ordinal = 0 }) => ordinal >= shape.layout.columns.length)) return undefined
  const context: ReadContext = { kernel, shape, reverse: false, stats }
  const files = wholeFiles(context, view, sequence, request)
  if (files === undefined) return undefined
  const partials: AggregatePartial[] = []
  for (const { function: wanted, ordinal } of aggregates) {
    const partial = ordinal === undefined ? rowCount(files) : columnPartial(context, files, wanted, ordinal)
    if (partial === undefined) return undefined
    partials.push(partial)
  }
  if (stats !== undefined) {
    for (const { meta: { rowGroupCount } } of files) {
      stats.rowGroupsTotal += rowGroupCount
      stats.rowGroupsPruned += rowGroupCount
    }
  }
  return partials
}

/** The files that have all rows of a range, and no others, none of them hidden; undefined where there are no such. */
function wholeFiles(context: ReadContext, view: View, sequence: number, { tableId, lower = firstBoundary, upper }: ScanRequest): readonly TableFile[] | undefined {
  if (view.version.withRangeTombstones.some(({ meta }) => meta.tableId === tableId)) return undefined
  const runs = runsOf(view, tableId, lower, upper)
  const files = runs.length === 1 ? runs[0]! : runs.flat()
  const isCut = files.some(({ meta }) => compareBytes(meta.minKey, lower) < 0 || compareBoundaries(meta.maxKey, upper) >= 0)
  if (isCut || (runs.length > 1 && doOverlap(files)) || hasMemtableRows(context, view, sequence, lower, upper)) return undefined
  return files
}

function doOverlap(files: readonly TableFile[]): boolean {
  const sorted = files.toSorted((a, b) => compareBytes(a.meta.minKey, b.meta.minKey))
  return sorted.some(({ meta }, i) => i > 0 && compareBytes(sorted[i - 1]!.meta.maxKey, meta.minKey) >= 0)
}

/** Tombstones included. */
function hasMemtableRows(context: ReadContext, { memtables }: View, sequence: number, lower: Uint8Array, upper: Uint8Array | undefined): boolean {
  return memtables.some((memtable) => {
    const bound = memtable.bound(sequence)
    if (memtable.cover(context.shape.layout.tableId, bound).length > 0) return true
    if (memtable.entryCount() === 0) return false
    const source = createMemtableSource(context, memtable.handle, bound, emptyCover)
    try {
      return hasEntry(source, lower, upper)
    } finally {
      source.close()
    }
  })
}

function rowCount(files: readonly TableFile[]): AggregatePartial {
  return { kind: 'count', count: files.reduce((sum, { meta }) => sum + meta.rowCount - meta.tombstoneCount, 0) }
}

function columnPartial(context: ReadContext, files: readonly TableFile[], wanted: AggregateFunction, ordinal: number): AggregatePartial | undefined {
  const { layout, missing } = context.shape
  let merged = partialOfNothing(wanted, layout.columns[ordinal])
  for (const file of files) {
    const totals = file.totals.get(ordinal) ?? readTotals(context, file, ordinal)
    const isNull = totals === 'absent' && missing.cell(ordinal) === undefined
    const partial = totals === 'absent' ? undefined : totals?.[wanted]
    if (partial === undefined && !isNull) return undefined
    if (partial !== undefined) merged = mergePartials(merged, partial)
  }
  return merged
}

/** undefined while the file's tail is to be waited for. */
function readTotals(context: ReadContext, { reader, totals }: TableFile, ordinal: number): ColumnTotals | 'absent' | undefined {
  if (reader.useFilter(context.stats) === undefined) return undefined
  const found = reader.zoneMap(ordinal) === 0 ? 'absent' : totalsOf(context, reader, ordinal)
  totals.set(ordinal, found)
  return found
}

const extremes: ReadonlySet<AggregateFunction> = new Set(['min', 'max'])

function totalsOf(context: ReadContext, reader: TableFile['reader'], ordinal: number): ColumnTotals {
  const { columns } = context.shape.layout
  const column = storedAggregate(context, ordinal)
  try {
    let hasExtremes = true
    for (let rowGroup = 0; rowGroup < reader.meta.rowGroupCount; rowGroup++) {
      hasExtremes &&= column.canAddZone(reader, rowGroup, extremes)
      column.addZone(reader, rowGroup)
    }
    return {
      count: column.partial('count'),
      sum: columns[ordinal] === 'bytes' ? undefined : column.partial('sum'),
      min: hasExtremes ? column.partial('min') : undefined,
      max: hasExtremes ? column.partial('max') : undefined,
    }
  } finally {
    column.free()
  }
}
