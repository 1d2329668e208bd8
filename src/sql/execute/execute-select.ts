/** Queries over an engine, each over one snapshot. */
import type { EngineRow, EngineSession } from '../../engine/engine.ts'
import type { Clock } from '../../runtime/clock.ts'
import { unlessEnded } from '../../runtime/end-signal.ts'
import type { CancelSignal } from '../cancel.ts'
import { columnStream } from '../operator/engine/engine-rows.ts'
import { open } from '../operator/open.ts'
import { newQueryRun, queryRows } from '../operator/query-run.ts'
import type { Probe, QueryLimits, QueryRun } from '../operator/query-run.ts'
import { rowWindow } from '../operator/window.ts'
import type { GetPlan, OperatorPlan, Plan, QueryPlan } from '../plan.ts'
import type { RequestBudget } from '../request-budget.ts'
import { newQueryStats } from '../result.ts'
import type { RowsResult, RowStream } from '../result.ts'
import { atOperand } from '../value/values.ts'
import type { Values } from '../value/values.ts'
import { keyValue } from './keys.ts'
import type { Staging } from './queried/staging.ts'

/** How many statements of each kind were begun. */
export type StatementCounts = Partial<Record<Plan['kind'] | 'explain', number>>

/** What a statement runs with. */
export interface Execution {
  readonly values: Values
  readonly signal: CancelSignal | undefined
  readonly clock: Clock
  readonly limits: QueryLimits
  readonly requests?: RequestBudget | undefined
  /** Where rows can be staged: not within a transaction. */
  readonly stages?: Staging | undefined
  /** Statements run so far, by kind. */
  readonly counts?: StatementCounts
  /** Under EXPLAIN ANALYZE. */
  readonly probe?: Probe
  readonly willReturn?: QueryRun['willReturn']
  /** See `nowOf`. */
  nowMicros?: number
}

export function countStatement(counts: StatementCounts, kind: keyof StatementCounts): void {
  counts[kind] = (counts[kind] ?? 0) + 1
}

/** Microseconds since 1970: one time for all of a statement. */
export function nowOf(execution: Execution): number {
  return (execution.nowMicros ??= Number(execution.clock.wallMicros()))
}

/** A point read of a row that is in memory is answered at once. */
export function executeQuery(engine: EngineSession, plan: QueryPlan, execution: Execution): RowsResult | Promise<RowsResult> {
  return plan.kind === 'get' ? executeGet(engine, plan, execution) : executeOperators(engine, plan, execution)
}

function executeGet(engine: EngineSession, plan: GetPlan, { values, requests, signal }: Execution): RowsResult | Promise<RowsResult> {
  const window = rowWindow(plan.window, values)
  const stats = newQueryStats(requests)
  const result = (row: EngineRow | undefined): RowsResult => ({ kind: 'rows', columns: plan.output, rows: row === undefined ? [] : [row], stats })
  const key = plan.key.map(({ column, operand }) => atOperand(values, operand, (value) => keyValue(column, value)))
  if (window.offset > 0 || window.limit === 0 || key.includes(undefined)) return result(undefined)
  const found = engine.get(undefined, plan.table, key as EngineRow, plan.columns, stats)
  return found instanceof Promise ? unlessEnded(found, signal).then(result) : result(found)
}

/** Literals are converted at once, so that errors in them come before the first row. */
function executeOperators(engine: EngineSession, plan: OperatorPlan, execution: Execution): RowsResult {
  const run = newRun(engine, execution)
  return { kind: 'rows', columns: plan.output, rows: rowStream(plan, run), stats: run.stats }
}

/** Who watches operators sees them at work, row by row. */
function rowStream({ node }: OperatorPlan, run: QueryRun): RowStream {
  const columns = run.probe === undefined ? columnStream(node, run) : undefined
  if (columns === undefined) return queryRows(run, open(node, run))
  return { [Symbol.asyncIterator]: () => queryRows(run, open(node, run)), byColumn: () => queryRows(run, columns) }
}

/** Operators of a statement; what they hold is given back by `endRun`. */
export function newRun(engine: EngineSession, execution: Execution): QueryRun {
  const { values, signal, limits, requests, probe, willReturn } = execution
  return newQueryRun({ engine, stats: newQueryStats(requests), signal, values, limits, probe, willReturn, nowMicros: nowOf(execution) })
}
