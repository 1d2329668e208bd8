/** Queries over an engine, each over one snapshot. */
import type { Engine, EngineRow } from '../../engine/engine.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { CancelSignal } from '../cancel.ts'
import { open } from '../operator/open.ts'
import type { Batch, QueryRun, Stream } from '../operator/query-run.ts'
import { rowWindow } from '../operator/window.ts'
import type { GetPlan, OperatorPlan, QueryPlan } from '../plan.ts'
import { newReadStats } from '../result.ts'
import type { RowsResult } from '../result.ts'
import { atOperand } from '../value/values.ts'
import type { Values } from '../value/values.ts'
import { keyValue } from './keys.ts'

/** What a statement runs with. */
export interface Execution {
  readonly values: Values
  readonly signal: CancelSignal | undefined
  readonly clock: Clock
  readonly memoryBytesMax: number
}

export async function executeQuery(engine: Engine, plan: QueryPlan, execution: Execution): Promise<RowsResult> {
  return plan.kind === 'get' ? await executeGet(engine, plan, execution.values) : executeOperators(engine, plan, execution)
}

async function executeGet(engine: Engine, plan: GetPlan, values: Values): Promise<RowsResult> {
  const window = rowWindow(plan.window, values)
  const stats = newReadStats()
  const key = plan.key.map(({ column, operand }) => atOperand(values, operand, (value) => keyValue(column, value)))
  if (window.offset > 0 || window.limit === 0 || key.includes(undefined)) return { kind: 'rows', columns: plan.output, rows: [], stats }
  const found = engine.get(undefined, plan.table, key as EngineRow, plan.columns, stats)
  const row = found instanceof Promise ? await found : found
  return { kind: 'rows', columns: plan.output, rows: row === undefined ? [] : [row], stats }
}

/** Literals are converted at once, so that errors in them come before the first row. */
function executeOperators(engine: Engine, plan: OperatorPlan, execution: Execution): RowsResult {
  const run = newQueryRun(engine, execution)
  return { kind: 'rows', columns: plan.output, rows: queryRows(run, open(plan.node, run)), stats: run.stats }
}

export function newQueryRun(engine: Engine, { values, signal, memoryBytesMax, clock }: Execution): QueryRun {
  return { values, signal, memoryBytesMax, nowMicros: Number(clock.wallMicros()), cells: new Map(), engine, snapshot: undefined, given: [], stats: newReadStats(), memoryBytes: 0, rowsOfTurn: 0 }
}

/** The snapshot is taken when the first batch is asked for and released with the last, or when the consumer stops. */
async function* queryRows(run: QueryRun, stream: Stream): AsyncGenerator<Batch> {
  const snapshot = run.engine.snapshot()
  run.snapshot = snapshot
  try {
    yield* stream()
  } finally {
    snapshot.release()
  }
}
