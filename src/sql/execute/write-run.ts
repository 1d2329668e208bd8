/** One run of a write: expressions and operators over the rows at hand, and what RETURNING makes of them. */
import type { EngineRow, EngineSession } from '../../engine/engine.ts'
import { compile } from '../expression/compile.ts'
import { open } from '../operator/open.ts'
import { endRun } from '../operator/query-run.ts'
import type { QueryRun } from '../operator/query-run.ts'
import type { Returning, RowWork } from '../plan.ts'
import type { WriteResult } from '../result.ts'
import { newRun } from './execute-select.ts'
import type { Execution } from './execute-select.ts'

/** Runs a write; its snapshot, if it takes one, and all that its operators hold are given back whatever happens. */
export async function withRun<T>(engine: EngineSession, execution: Execution, use: (run: QueryRun) => Promise<T>): Promise<T> {
  const run = newRun(engine, execution)
  try {
    return await use(run)
  } finally {
    await endRun(run)
  }
}

/** The state before the statement, which is what its subqueries read; to be taken once nobody else can change its rows. */
export function takeSnapshot(run: QueryRun): void {
  run.snapshot?.release()
  run.snapshot = run.engine.snapshot()
}

/** What the work gives for the rows: their number and values, a row at a time. */
export async function* workOn(run: QueryRun, work: RowWork, rows: readonly EngineRow[]): AsyncGenerator<EngineRow> {
  run.given = rows
  for await (const batch of open(work, run)()) yield* batch
}

/** RETURNING, to be worked out before anything is written: what fails then writes nothing. Rows are whole rows by ordinal. */
export async function returnedRows(run: QueryRun, returning: Returning | undefined, rows: readonly EngineRow[]): Promise<readonly EngineRow[]> {
  if (returning?.work !== undefined) return await workedRows(run, returning.work, rows)
  const expressions = (returning?.expressions ?? []).map((expression) => compile(expression, run))
  return rows.map((row) => expressions.map((expression) => expression(row)))
}

async function workedRows(run: QueryRun, work: RowWork, rows: readonly EngineRow[]): Promise<readonly EngineRow[]> {
  const returned: EngineRow[] = []
  for await (const row of workOn(run, work, rows)) returned.push(row.slice(1))
  return returned
}

export function written(rowCount: number, returning?: Returning, rows: readonly EngineRow[] = []): WriteResult {
  return { kind: 'write', rowCount, columns: returning?.output ?? [], rows: returning === undefined ? [] : rows }
}
