/** ON CONFLICT: what becomes of existing rows that meet proposed ones. All is worked out before anything is written. */
import type { EngineRow, PreparePairs } from '../../engine/engine.ts'
import { LsmtError } from '../../errors.ts'
import { compile } from '../expression/compile.ts'
import type { QueryRun } from '../operator/query-run.ts'
import type { ChangePlan, InsertPlan, RowWork } from '../plan.ts'
import type { WriteResult } from '../result.ts'
import { rowChange } from './row-changes.ts'
import { returnedRows, takeSnapshot, workOn, written } from './write-run.ts'

type Outcome = EngineRow | 'keep'
type Pairs = Parameters<PreparePairs>[0]
type Decide = (existing: EngineRow, proposed: EngineRow) => Outcome

export async function insertOrChange(plan: InsertPlan, rows: readonly EngineRow[], run: QueryRun): Promise<WriteResult> {
  const { table, onConflict, returning } = plan
  const { engine } = run
  const decide = onConflict === undefined ? () => 'keep' as const : decider(plan, onConflict, run)
  const refuseWritten = onConflict === undefined ? () => {} : refuseSecondChange
  if (decide !== undefined && returning === undefined) {
    return written(await engine.insertOrUpdate(table, rows, (existing, proposed, isWritten) => {
      refuseWritten(isWritten)
      return decide(existing, proposed)
    }, undefined, run.stats))
  }
  const outcomeOf = new Map<EngineRow, Outcome>()
  let returned = new Map<EngineRow, EngineRow>()
  const prepare: PreparePairs = async (pairs) => {
    if (onConflict?.work !== undefined || returning?.work !== undefined) takeSnapshot(run)
    const outcomes = decide === undefined ? await workedOutcomes(plan, onConflict!, run, pairs) : pairs.map(([existing, proposed]) => decide(existing, proposed))
    for (const [index, [, proposed]] of pairs.entries()) outcomeOf.set(proposed, outcomes[index]!)
    const proposals = rows.filter((row) => outcomeOf.get(row) !== 'keep')
    const values = await returnedRows(run, returning, proposals.map((row) => (outcomeOf.get(row) ?? row) as EngineRow))
    returned = new Map(proposals.map((row, index) => [row, values[index]!]))
  }
  const allReturned = (): readonly EngineRow[] => rows.map((row) => returned.get(row)).filter((row) => row !== undefined)
  run.willReturn?.(allReturned)
  const count = await engine.insertOrUpdate(table, rows, (_, proposed, isWritten) => {
    refuseWritten(isWritten)
    const outcome = outcomeOf.get(proposed)
    if (outcome !== undefined) return outcome
    // DO NOTHING, about a row of the statement itself.
    returned.delete(proposed)
    return 'keep'
  }, prepare, run.stats)
  return written(count, returning, allReturned())
}

/** Undefined when it takes operators to decide. */
function decider({ table }: InsertPlan, { condition, work, sets }: ChangePlan, run: QueryRun): Decide | undefined {
  if (work !== undefined) return undefined
  const setRow = rowChange(table, sets, run)
  const holds = condition === undefined ? undefined : compile(condition, run)
  return (existing, proposed) => {
    const both = [...existing, ...proposed]
    return holds === undefined || holds(both) === 1 ? setRow(existing, both) : 'keep'
  }
}

async function workedOutcomes({ table }: InsertPlan, { work, sets }: ChangePlan, run: QueryRun, pairs: Pairs): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = pairs.map(() => 'keep')
  const setRow = rowChange(table, sets, run)
  for await (const over of workOn(run, work as RowWork, pairs.map(([existing, proposed]) => [...existing, ...proposed]))) {
    const number = over[0] as number
    outcomes[number] = setRow(pairs[number]![0], over)
  }
  return outcomes
}

function refuseSecondChange(isWritten: boolean): void {
  if (isWritten) throw new LsmtError('21000', 'ON CONFLICT DO UPDATE cannot change a row that the statement has written already', { hint: 'no two of the proposed rows may have the same key' })
}
