/** Plans over an engine. */
import type { EngineSession } from '../../engine/engine.ts'
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
      return executeDefinition(engine, plan)
    case 'show':
      return { kind: 'rows', columns: plan.output, rows: plan.rows, stats: newQueryStats() }
  }
}

async function executeDefinition(engine: EngineSession, plan: CreateTablePlan | DropTablePlan | AlterTablePlan | TruncatePlan): Promise<StatementResult> {
  switch (plan.kind) {
    case 'createTable':
      await executeCreate(engine, plan)
      break
    case 'dropTable':
      for (const name of plan.names) await engine.dropTable(name)
      break
    case 'alterTable':
      if (plan.change !== undefined) await engine.alterTable(plan.name, plan.change)
      break
    case 'truncate':
      await engine.truncateTable(plan.name)
      break
  }
  return { kind: 'schema' }
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
