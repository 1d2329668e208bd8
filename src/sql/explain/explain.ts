/**
 * EXPLAIN: the plan that a statement would run with, with the values it has. ANALYZE runs it, writes included, and tells
 * what each operator did.
 */
import type { EngineSession } from '../../engine/engine.ts'
import { executePlan } from '../execute/execute.ts'
import { countStatement } from '../execute/execute-select.ts'
import type { Execution } from '../execute/execute-select.ts'
import type { StatementPlan } from '../plan.ts'
import { areRowsHere, newQueryStats } from '../result.ts'
import type { RowsResult, StatementResult } from '../result.ts'
import type { Explain } from '../scan/explain.ts'
import { describePlan } from './describe-plan.ts'
import type { ExplainNode } from './explain-node.ts'
import { createProbe, totalReads } from './probe.ts'
import { renderJson, renderText } from './render.ts'
import type { Totals } from './render.ts'

/** Runs a plan, or tells of it when EXPLAIN stands before its statement. */
export function runPlan(engine: EngineSession, plan: StatementPlan, execution: Execution): StatementResult | Promise<StatementResult> {
  const { counts, values: { statement: { explain } } } = execution
  if (counts !== undefined) countStatement(counts, explain === undefined ? plan.kind : 'explain')
  return explain === undefined ? executePlan(engine, plan, execution) : explainPlan(engine, plan, execution, explain)
}

/** One column of text: a row for each line, or one with a JSON document. */
async function explainPlan(engine: EngineSession, plan: StatementPlan, execution: Execution, explain: Explain): Promise<RowsResult> {
  if (!explain.analyze) return rowsOf(describePlan(plan, execution.values, undefined), undefined, explain)
  describePlan(plan, execution.values, undefined)
  const { clock, requests } = execution
  const probe = createProbe(clock, requests)
  const started = clock.monotonicMs()
  const outcome = await consume(await executePlan(engine, plan, { ...execution, probe }))
  const ms = clock.monotonicMs() - started
  const described = describePlan(plan, execution.values, probe)
  const reads = totalReads(outcome.reads, probe.reads.values())
  const root = described.actual === undefined ? { ...described, actual: { rows: outcome.rows, loops: 1, ms, reads: plan.kind === 'get' ? outcome.reads : undefined, heldBytes: 0, spilledBytes: 0 } } : described
  return rowsOf(root, { ms, rows: outcome.rows, reads, usdPerRead: execution.limits.usdPerRead ?? 0 }, explain)
}

/** Goes through all rows, as a client would. */
async function consume(result: StatementResult): Promise<Pick<Totals, 'rows' | 'reads'>> {
  if (result.kind !== 'rows') return { rows: result.kind === 'write' ? result.rowCount : 0, reads: newQueryStats() }
  if (areRowsHere(result.rows)) return { rows: result.rows.length, reads: result.stats }
  let rows = 0
  for await (const batch of result.rows) rows += batch.length
  return { rows, reads: result.stats }
}

function rowsOf(node: ExplainNode, totals: Totals | undefined, { format }: Explain): RowsResult {
  const lines = format === 'json' ? [renderJson(node, totals)] : renderText(node, totals)
  return { kind: 'rows', columns: [{ name: 'QUERY PLAN', type: { kind: 'text' } }], rows: lines.map((line) => [line]), stats: totals?.reads ?? newQueryStats() }
}
