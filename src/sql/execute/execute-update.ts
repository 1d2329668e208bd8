/** UPDATE and DELETE over an engine. */
import type { EngineRow, EngineScan, EngineSession, PrepareRows } from '../../engine/engine.ts'
import { compile } from '../expression/compile.ts'
import { splitCondition } from '../vector/filter.ts'
import type { SplitCondition } from '../vector/filter.ts'
import type { QueryRun } from '../operator/query-run.ts'
import type { DeletePlan, RowWork, UpdatePlan } from '../plan.ts'
import type { WriteResult } from '../result.ts'
import { scanRange } from './bounds.ts'
import type { ScanRange } from './bounds.ts'
import type { Execution } from './execute-select.ts'
import { keysOf } from './keys.ts'
import { rowChange } from './row-changes.ts'
import { resolveTerms } from './terms.ts'
import { returnedRows, takeSnapshot, withRun, workOn, written } from './write-run.ts'

type Outcome = EngineRow | 'delete'

/** What a row becomes; `over` is what its new values are computed over. */
type Become = (row: EngineRow, over: EngineRow) => Outcome

export async function executeUpdate(engine: EngineSession, plan: UpdatePlan, execution: Execution): Promise<WriteResult> {
  return await withRun(engine, execution, (run) => changeRows(run, plan, rowChange(plan.table, plan.change.sets, run)))
}

export async function executeDelete(engine: EngineSession, plan: DeletePlan, execution: Execution): Promise<WriteResult> {
  return await withRun(engine, execution, async (run) => {
    const { find, change, returning } = plan
    const { pushed, rest } = conditionOf(run, plan)
    if (find.kind === 'keys' || returning !== undefined || rest !== undefined || change.work !== undefined) return await changeRows(run, plan, () => 'delete')
    const where = rangeOf(run, plan, pushed)
    return written(where === undefined ? 0 : await engine.deleteWhere(plan.table, where, run.stats))
  })
}

type ChangeRow = (row: EngineRow) => Outcome | 'keep'

async function changeRows(run: QueryRun, plan: UpdatePlan | DeletePlan, become: Become): Promise<WriteResult> {
  const { returning, change: { work } } = plan
  const { pushed, rest } = conditionOf(run, plan)
  const holds = rest === undefined ? undefined : compile(rest, run)
  const outcomeOf: ChangeRow = (row) => (holds === undefined || holds(row) === 1 ? become(row, row) : 'keep')
  if (work === undefined && returning === undefined) return written(await changeFound(run, plan, pushed, outcomeOf, undefined))
  let outcomes: ReadonlyMap<EngineRow, Outcome | 'keep'> = new Map()
  let returned: readonly EngineRow[] = []
  const prepare: PrepareRows = async (rows) => {
    if (work !== undefined || returning?.work !== undefined) takeSnapshot(run)
    outcomes = work === undefined ? new Map(rows.map((row) => [row, outcomeOf(row)])) : await workedOutcomes(run, work, rows, become)
    returned = await returnedRows(run, returning, rows.flatMap((row) => {
      const outcome = outcomes.get(row) ?? 'keep'
      return outcome === 'keep' ? [] : [outcome === 'delete' ? row : outcome]
    }))
  }
  run.willReturn?.(() => returned)
  const count = await changeFound(run, plan, pushed, (row) => outcomes.get(row) ?? 'keep', prepare)
  return written(count, returning, returned)
}

/** The part of the condition that the engine checks while it scans, and the rest; rows are whole rows by ordinal. */
function conditionOf(run: QueryRun, { table, find, change: { condition } }: UpdatePlan | DeletePlan): SplitCondition {
  if (find.kind === 'keys') return { pushed: [], rest: condition }
  return splitCondition({ table, columns: table.columns.map((_, ordinal) => ordinal), run, wide: false }, condition, false)
}

/** Of several partners of a row the first counts. */
async function workedOutcomes(run: QueryRun, work: RowWork, rows: readonly EngineRow[], become: Become): Promise<ReadonlyMap<EngineRow, Outcome>> {
  const outcomes = new Map<EngineRow, Outcome>()
  for await (const over of workOn(run, work, rows)) {
    const row = rows[over[0] as number]!
    if (!outcomes.has(row)) outcomes.set(row, become(row, over))
  }
  return outcomes
}

async function changeFound(run: QueryRun, plan: UpdatePlan | DeletePlan, conditions: SplitCondition['pushed'], change: ChangeRow, prepare: PrepareRows | undefined): Promise<number> {
  const { table, find } = plan
  if (find.kind === 'keys') {
    const keys = keysOf(find, run.values)
    return keys.length === 0 ? 0 : await run.engine.update(table, keys, change, prepare, run.stats)
  }
  const where = rangeOf(run, plan, conditions)
  return where === undefined ? 0 : await run.engine.updateWhere(table, where, change, prepare, run.stats)
}

/** What the engine scans for; undefined when no row can satisfy the terms. */
function rangeOf({ values, signal }: QueryRun, { table, find }: UpdatePlan | DeletePlan, conditions: SplitCondition['pushed']): (ScanRange & Pick<EngineScan, 'conditions' | 'signal'>) | undefined {
  const resolved = find.kind === 'where' ? resolveTerms(find.terms, values) : undefined
  if (resolved === undefined) return undefined
  const { lower, upper, predicate } = scanRange(table, resolved)
  return { lower, upper, predicate, conditions, signal }
}
