/** Plans over an engine. */
import type { Engine } from '../../engine/engine.ts'
import { LsmtError } from '../../errors.ts'
import { checkCancelled, unlessCancelled } from '../cancel.ts'
import type { CancelSignal } from '../cancel.ts'
import { executeAggregate, executeGet, executeScan } from './execute-select.ts'
import { executeDelete, executeInsert, executeUpdate } from './execute-write.ts'
import type { CreateTablePlan, DropTablePlan, Plan } from '../plan.ts'
import { newReadStats } from '../result.ts'
import type { RowsResult, StatementResult } from '../result.ts'
import type { Values } from '../value/values.ts'

export async function executePlan(engine: Engine, plan: Plan, values: Values, signal: CancelSignal | undefined): Promise<StatementResult> {
  checkCancelled(signal)
  switch (plan.kind) {
    case 'get':
      return await executeGet(engine, plan, values)
    case 'insert':
      return { kind: 'write', rowCount: await executeInsert(engine, plan, values) }
    case 'update':
      return { kind: 'write', rowCount: await executeUpdate(engine, plan, values) }
    case 'delete':
      return { kind: 'write', rowCount: await executeDelete(engine, plan, values) }
    case 'scan':
      return executeScan(engine, plan, values, signal)
    case 'aggregate':
      return await unlessCancelled(executeAggregate(engine, plan, values), signal)
    case 'createTable':
      return await executeCreate(engine, plan)
    case 'dropTable':
      return await executeDrop(engine, plan)
    case 'showTables':
      return showTables(engine)
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

function showTables(engine: Engine): RowsResult {
  const names = engine.tables().map((table) => table.name)
  return { kind: 'rows', columns: [{ name: 'name', type: { kind: 'text' } }], rows: names.toSorted().map((name) => [name]), stats: newReadStats() }
}
