/** Plans over an engine. */
import type { Engine } from '../../engine/engine.ts'
import { LsmtError } from '../../errors.ts'
import { checkCancelled, unlessCancelled } from '../cancel.ts'
import type { CancelSignal } from '../cancel.ts'
import { executeAggregate, executeGet, executeScan } from './execute-select.ts'
import { executeInsert } from './execute-insert.ts'
import { executeDelete, executeUpdate } from './execute-update.ts'
import type { CreateTablePlan, DropTablePlan, Plan, QueryPlan } from '../plan.ts'
import { newReadStats } from '../result.ts'
import type { RowsResult, StatementResult } from '../result.ts'
import type { Values } from '../value/values.ts'

export async function executePlan(engine: Engine, plan: Plan, values: Values, signal: CancelSignal | undefined): Promise<StatementResult> {
  checkCancelled(signal)
  switch (plan.kind) {
    case 'get':
    case 'scan':
    case 'aggregate':
      return await executeQuery(engine, plan, values, signal)
    case 'insert':
      return await executeInsert(engine, plan, values, async (query) => await executeQuery(engine, query, values, signal))
    case 'update':
      return await executeUpdate(engine, plan, values, signal)
    case 'delete':
      return await executeDelete(engine, plan, values, signal)
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
      return { kind: 'rows', columns: plan.output, rows: plan.rows, stats: newReadStats() }
  }
}

async function executeQuery(engine: Engine, plan: QueryPlan, values: Values, signal: CancelSignal | undefined): Promise<RowsResult> {
  switch (plan.kind) {
    case 'get':
      return await executeGet(engine, plan, values)
    case 'scan':
      return executeScan(engine, plan, values, signal)
    case 'aggregate':
      return await unlessCancelled(executeAggregate(engine, plan, values), signal)
  }
}

/** IF NOT EXISTS holds also against a table that another statement creates meanwhile. */
async function executeCreate(engine: Engine, plan: CreateTablePlan): Promise<StatementResult> {
  if (plan.ifNotExists && engine.table(plan.table.name) !== undefined) return { kind: 'schema' }
  try {
    await engine.createTable(plan.table)
  } catch (error) {
    if (!plan.ifNotExists || !(error instanceof LsmtError) || error.code !== '42P07') throw error
  }
  return { kind: 'schema' }
}

async function executeDrop(engine: Engine, plan: DropTablePlan): Promise<StatementResult> {
  for (const name of plan.names) await engine.dropTable(name)
  return { kind: 'schema' }
}
