/** Plans over an engine. */
import type { EngineSession } from '../../engine/engine.ts'
import type { Clock } from '../../runtime/clock.ts'
import { LsmtError } from '../../errors.ts'
import { checkCancelled } from '../cancel.ts'
import { executeQuery } from './execute-select.ts'
import type { Execution } from './execute-select.ts'
import { executeInsert } from './execute-insert.ts'
import { executeDelete, executeUpdate } from './execute-update.ts'
import type { AlterTablePlan, CreateTablePlan, DropTablePlan, StatementPlan, TruncatePlan } from '../plan.ts'
import { newQueryStats } from '../result.ts'
import type { StatementResult } from '../result.ts'

/** A read that no storage is needed for is answered at once. */
export function executePlan(engine: EngineSession, plan: StatementPlan, execution: Execution): StatementResult | Promise<StatementResult> {
  const { signal } = execution
  checkCancelled(signal)
  switch (plan.kind) {
    case 'get':
    case 'query':
      return executeQuery(engine, plan, execution)
    case 'insert':
      return executeInsert(engine, plan, execution, async (query) => await executeQuery(engine, query, execution))
    case 'update':
      return executeUpdate(engine, plan, execution)
    case 'delete':
      return executeDelete(engine, plan, execution)
    case 'createTable':
    case 'dropTable':
    case 'alterTable':
    case 'truncate':
      return executeDefinition(engine, plan, execution.clock)
    case 'show':
      return { kind: 'rows', columns: plan.output, rows: plan.rows, stats: newQueryStats() }
  }
}

async function executeDefinition(engine: EngineSession, plan: CreateTablePlan | DropTablePlan | AlterTablePlan | TruncatePlan, clock: Clock): Promise<StatementResult> {
  switch (plan.kind) {
    case 'createTable':
      await executeCreate(engine, plan)
      break
    case 'dropTable':
      for (const name of plan.names) await engine.dropTable(name)
      break
    case 'alterTable':
      await executeAlter(engine, plan, clock)
      break
    case 'truncate':
      await engine.truncateTable(plan.name)
      break
  }
  return { kind: 'schema' }
}

/** A default that depends on the time is, for the rows that are there, that of now. */
async function executeAlter(engine: EngineSession, { name, change, missing }: AlterTablePlan, clock: Clock): Promise<void> {
  if (change === undefined) return
  const value = missing?.kind === 'clock' ? missing.valueAt(Number(clock.wallMicros())) : missing?.value
  await engine.alterTable(name, change.kind === 'addColumn' && value !== undefined ? { ...change, missing: value } : change)
}

/** IF NOT EXISTS holds also against a table that another statement creates meanwhile. */
async function executeCreate(engine: EngineSession, plan: CreateTablePlan): Promise<void> {
  if (plan.ifNotExists && engine.table(plan.table.name) !== undefined) return
  try {
    await engine.createTable(plan.table)
  } catch (error) {
    if (!plan.ifNotExists || !(error instanceof LsmtError) || error.code !== '42P07') throw error
  }
}
