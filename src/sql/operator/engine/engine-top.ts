/**
 * ORDER BY … LIMIT that the engine does by itself: it keeps the first rows while it scans and passes over what comes too
 * late. The keys are plain columns of one scan; of an expression among them, or another operator between, rows are sorted.
 */
import { unlessEnded } from '../../../runtime/end-signal.ts'
import type { EngineExpression, EngineOrder, EngineScan } from '../../../engine/engine.ts'
import type { ScanRange } from '../../execute/bounds.ts'
import type { Run } from '../../expression/compile.ts'
import { splitCondition } from '../../vector/filter.ts'
import type { QueryNode, ScanNode } from '../node.ts'
import { batchRows, noRows, pace, readStatsOf, snapshotOf } from '../query-run.ts'
import type { Batch, QueryRun, Stream } from '../query-run.ts'

export type SortNode = Extract<QueryNode, { readonly kind: 'sort' }>

export interface EngineTop {
  readonly scan: ScanNode
  readonly conditions: readonly EngineExpression[]
  readonly order: readonly EngineOrder[]
}

/** Rows of one answer that the engine keeps by itself, in memory that no query's limit counts; more of them are sorted. */
export const topRowsMax = 1_000

/** undefined for another form; a projection between is to be applied to the rows that are left. */
export function engineTop({ input, keys }: SortNode, run: Run): EngineTop | undefined {
  const below = input.kind === 'project' ? input.input : input
  const scan = below.kind === 'filter' ? below.input : below
  if (scan.kind !== 'scan') return undefined
  const order: EngineOrder[] = []
  for (const { index, descending, nullsFirst } of keys) {
    const column = input.kind === 'project' ? input.expressions[index]! : undefined
    if (column !== undefined && column.kind !== 'column') return undefined
    const ordinal = scan.columns[column?.place.index ?? index]
    if (ordinal === undefined) return undefined
    order.push({ ordinal, descending, nullsFirst })
  }
  // Not every row is looked at, so conditions that may fail are not for the engine.
  const { pushed, rest } = splitCondition({ table: scan.table, columns: scan.columns, run, wide: false }, below.kind === 'filter' ? below.condition : undefined, true)
  return rest === undefined ? { scan, conditions: pushed, order } : undefined
}

/** `range`: all that is read of the scan's table; what is read counts as `node`'s. */
export function topOfScan({ scan, conditions, order }: EngineTop, range: ScanRange, node: SortNode, run: QueryRun, rowsMax: number): Stream {
  if (rowsMax === 0) return noRows
  const engineScan: EngineScan = { table: scan.table, lower: range.lower, upper: range.upper, predicate: range.predicate, ordered: false, reverse: false, columns: scan.columns, conditions: conditions.length === 0 ? undefined : conditions, computed: undefined, limit: undefined, signal: run.signal }
  return () => topRows(engineScan, order, node, run, rowsMax)
}

async function* topRows(scan: EngineScan, order: readonly EngineOrder[], node: SortNode, run: QueryRun, rowsMax: number): AsyncGenerator<Batch> {
  const rows = await unlessEnded(run.engine.topRows(snapshotOf(run), scan, order, rowsMax, readStatsOf(run, node)), run.signal)
  for (let start = 0; start < rows.length; start += batchRows) {
    await pace(run, batchRows)
    yield rows.slice(start, start + batchRows)
  }
}
