/** SELECT over an engine: point reads, scans and aggregates, each over one snapshot. */
import { LsmtError } from '../../errors.ts'
import type { Engine, EngineRow, EngineScan } from '../../engine/engine.ts'
import type { ReadStats } from '../../lsm/tree.ts'
import { checkCancelled } from '../cancel.ts'
import type { CancelSignal } from '../cancel.ts'
import { scanRange } from './bounds.ts'
import { integerText } from '../value/assign.ts'
import { keyValue } from './keys.ts'
import { resolveTerms } from './terms.ts'
import type { AggregatePlan, GetPlan, ScanPlan } from '../plan.ts'
import { newReadStats } from '../result.ts'
import type { RowsResult } from '../result.ts'
import { slotKind } from '../slot.ts'
import type { SqlValue } from '../slot.ts'
import type { Operand } from '../statement.ts'
import { atOperand } from '../value/values.ts'
import type { Values } from '../value/values.ts'

interface RowWindow {
  readonly offset: number
  /** Rows after the offset; undefined: all. */
  readonly limit: number | undefined
}

function rowWindow(plan: GetPlan | ScanPlan | AggregatePlan, values: Values): RowWindow {
  return { offset: countOperand(values, plan.offset, 'OFFSET') ?? 0, limit: countOperand(values, plan.limit, 'LIMIT') }
}

function countOperand(values: Values, operand: Operand | undefined, clause: string): number | undefined {
  if (operand === undefined) return undefined
  return atOperand(values, operand, (value) => rowCount(value, clause))
}

function rowCount({ kind, value }: SqlValue, clause: string): number | undefined {
  if (kind === slotKind.null) return undefined
  const count = kind === slotKind.integer ? (value as number) : kind === slotKind.text ? Number(integerText({ kind: 'bigint' }, value as string)) : Number.NaN
  if (count < 0) throw new LsmtError('22023', `${clause} must not be negative`)
  if (!Number.isSafeInteger(count)) throw new LsmtError('42804', `${clause} must be a whole number`)
  return count
}

function rowsResult(plan: GetPlan | ScanPlan | AggregatePlan, rows: RowsResult['rows'], stats: ReadStats): RowsResult {
  return { kind: 'rows', columns: plan.output, rows, stats }
}

export async function executeGet(engine: Engine, plan: GetPlan, values: Values): Promise<RowsResult> {
  const window = rowWindow(plan, values)
  const stats = newReadStats()
  const key = plan.key.map(({ column, operand }) => atOperand(values, operand, (value) => keyValue(column, value)))
  if (window.offset > 0 || window.limit === 0 || key.includes(undefined)) return rowsResult(plan, [], stats)
  const found = engine.get(undefined, plan.table, key as EngineRow, plan.columns, stats)
  const row = found instanceof Promise ? await found : found
  return rowsResult(plan, row === undefined ? [] : [row], stats)
}

export function executeScan(engine: Engine, plan: ScanPlan, values: Values, signal: CancelSignal | undefined): RowsResult {
  const window = rowWindow(plan, values)
  const stats = newReadStats()
  const terms = resolveTerms(plan.terms, values)
  if (terms === undefined || window.limit === 0) return rowsResult(plan, [], stats)
  const scan: EngineScan = {
    table: plan.table,
    ...scanRange(plan.table, terms),
    reverse: plan.reverse,
    ordered: true,
    columns: plan.columns,
    ...(window.limit === undefined ? {} : { limit: window.limit + window.offset }),
  }
  return rowsResult(plan, scanBatches(engine, scan, plan.projection, window.offset, stats, signal), stats)
}

/** Rows after which the event loop gets a turn, since batches that are in memory arrive without one. */
const rowsPerTurn = 10_000

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** The snapshot is taken when the first batch is asked for and released with the last, or when the consumer stops. */
async function* scanBatches(engine: Engine, scan: EngineScan, projection: readonly number[] | undefined, offset: number, stats: ReadStats, signal: CancelSignal | undefined): AsyncGenerator<readonly EngineRow[]> {
  const snapshot = engine.snapshot()
  let skip = offset
  let rowsOfTurn = 0
  try {
    for await (const batch of engine.scan(snapshot, scan, stats)) {
      rowsOfTurn += batch.length
      if (rowsOfTurn > rowsPerTurn) {
        await nextTurn()
        rowsOfTurn = 0
      }
      checkCancelled(signal)
      const rows = skip === 0 ? batch : batch.slice(skip)
      skip -= Math.min(skip, batch.length)
      if (rows.length > 0) yield projection === undefined ? rows : rows.map((row) => projection.map((position) => row[position]!))
    }
  } finally {
    snapshot.release()
  }
}

export async function executeAggregate(engine: Engine, plan: AggregatePlan, values: Values): Promise<RowsResult> {
  const window = rowWindow(plan, values)
  const stats = newReadStats()
  const terms = resolveTerms(plan.terms, values)
  if (window.limit === 0 || window.offset > 0) return rowsResult(plan, [], stats)
  if (terms === undefined) return rowsResult(plan, [plan.aggregates.map((aggregate) => (aggregate.function === 'count' ? 0 : null))], stats)
  const snapshot = engine.snapshot()
  try {
    const scan: EngineScan = { table: plan.table, ...scanRange(plan.table, terms), ordered: false, columns: [] }
    return rowsResult(plan, [await engine.aggregate(snapshot, scan, plan.aggregates, stats)], stats)
  } finally {
    snapshot.release()
  }
}
