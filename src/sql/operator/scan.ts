/** Rows of a table, narrowed by what the engine can check itself. */
import type { EngineExpression, EngineScan } from '../../engine/engine.ts'
import { accessByKeys, accessOf } from '../execute/access.ts'
import type { Access } from '../execute/access.ts'
import type { ScanRange } from '../execute/bounds.ts'
import { readKeys } from './lookup/key-read.ts'
import type { ScanNode } from './node.ts'
import { batchRows, noRows, pace, readStatsOf, snapshotOf } from './query-run.ts'
import type { Batch, QueryRun, Stream } from './query-run.ts'
import type { MemoryShare } from './spill/query-memory.ts'
import { createRowStore } from './spill/row-store.ts'
import type { RowStore } from './spill/row-store.ts'

export function scanAccess(node: ScanNode, { values, lookups }: QueryRun): Access {
  const keys = lookups.get(node)
  return keys === undefined ? accessOf(node.table, node.terms, node.hints, values) : accessByKeys(node.table, keys, node.terms, values)
}

/**
 * `repeated`: the rows will be asked for again and again, so they are kept. `conditions`: what must be true of them as well;
 * not where they are read by their keys.
 */
export function scan(node: ScanNode, run: QueryRun, rowsMax: number | undefined, repeated: boolean, conditions: readonly EngineExpression[] = [], access = scanAccess(node, run)): Stream {
  if (access.kind === 'nothing' || rowsMax === 0) return noRows
  const read: Stream = access.kind === 'keys' ? () => readKeys(node, access, run, rowsMax) : () => readRanges(node, access.ranges, conditions, run, rowsMax)
  return repeated ? kept(read, run) : read
}

async function* readRanges(node: ScanNode, ranges: readonly ScanRange[], conditions: readonly EngineExpression[], run: QueryRun, rowsMax: number | undefined): AsyncGenerator<Batch> {
  let left = rowsMax
  for (const range of node.reverse ? ranges.toReversed() : ranges) {
    for await (const batch of run.engine.scan(snapshotOf(run), engineScan(node, range, conditions, run, left), readStatsOf(run, node))) {
      for (const rows of inParts(batch)) {
        await pace(run, rows.length)
        yield rows
      }
      if (left !== undefined) left -= batch.length
    }
    if (left !== undefined && left <= 0) return
  }
}

export function engineScan(node: ScanNode, range: ScanRange, conditions: readonly EngineExpression[], { signal }: QueryRun, limit: number | undefined): EngineScan {
  return {
    table: node.table, lower: range.lower, upper: range.upper, predicate: range.predicate,
    ordered: node.ordered, reverse: node.reverse, columns: node.columns,
    conditions: conditions.length === 0 ? undefined : conditions,
    computed: undefined, limit, signal,
  }
}

/** Pages of the engine have as many rows as fit into a row group, which are too many for one turn of the event loop. */
function inParts(page: Batch): readonly Batch[] {
  if (page.length <= batchRows) return [page]
  return Array.from({ length: Math.ceil(page.length / batchRows) }, (_, part) => page.slice(part * batchRows, (part + 1) * batchRows))
}

/** Reads once, when first asked, and keeps the rows for the time of the query. */
function kept(read: Stream, run: QueryRun): Stream {
  const share = run.memory.share()
  const keptRows: KeptRows = { read, run, share, rows: undefined }
  return () => readKept(keptRows)
}

interface KeptRows {
  readonly read: Stream
  readonly run: QueryRun
  readonly share: MemoryShare
  rows: RowStore | undefined
}

async function* readKept(kept: KeptRows): AsyncGenerator<Batch> {
  kept.rows ??= await keepRows(kept)
  yield* kept.rows.read()
}

async function keepRows({ read, run, share }: KeptRows): Promise<RowStore> {
  const rows = createRowStore(run, share)
  for await (const batch of read()) await rows.append(batch)
  return rows
}
