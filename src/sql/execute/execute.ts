/** Plans over an engine. */
import type { EngineSession } from '../../engine/engine.ts'
import { LsmtError } from '../../errors.ts'
import { checkCancelled } from '../cancel.ts'
import { executeQuery } from './execute-select.ts'
import type { Execution } from './execute-select.ts'
import { executeInsert } from './execute-insert.ts'
import { executeDelete, executeUpdate } from './execute-update.ts'
import type { CreateTablePlan, DropTablePlan, StatementPlan } from '../plan.ts'
import { newQueryStats } from '../result.ts'
import type { StatementResult } from '../result.ts'

export async function executePlan(engine: EngineSession, plan: StatementPlan, execution: Execution): Promise<StatementResult> {
  const { signal } = execution
  checkCancelled(signal)
  switch (plan.kind) {
    case 'get':
    case 'query':
      return await executeQuery(engine, plan, execution)
    case 'insert':
      return await executeInsert(engine, plan, execution, async (query) => await executeQuery(engine, query, execution))
    case 'update':
      return await executeUpdate(engine, plan, execution)
    case 'delete':
      return await executeDelete(engine, plan, execution)
    case 'createTable':
      return await executeCreate(engine, plan)
    case 'dropTable':
      return await executeDrop(engine, plan)
    case 'alterTable':
      if (plan.change !== undefined) await engine.alterTable(plan.name, plan.change)
      return { kind: 'schema' }
    case 'truncate':
      await engine.truncateTable(plan.name)
      return { kind: 'schema' }
    case 'show':
      return { kind: 'rows', columns: plan.output, rows: plan.rows, stats: newQueryStats() }
  }
}

/** IF NOT EXISTS holds also against a table that another statement creates meanwhile. */
async function executeCreate(engine: EngineSession, plan: CreateTablePlan): Promise<StatementResult> {
  if (plan.ifNotExists && engine.table(plan.table.name) !== undefined) return { kind: 'schema' }
  try {
    await engine.createTable(plan.table)
  } catch (error) {
    if (!plan.ifNotExists || !(error instanceof LsmtError) || error.code !== '42P07') throw error
  }
  return { kind: 'schema' }
}

async function executeDrop(engine: EngineSession, plan: DropTablePlan): Promise<StatementResult> {
  for (const name of plan.names) await engine.dropTable(name)
  return { kind: 'schema' }
}
