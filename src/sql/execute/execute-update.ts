/** UPDATE and DELETE over an engine. */
import { checkRow } from '../../engine/check-value.ts'
import type { Engine, EngineRow } from '../../engine/engine.ts'
import type { DeletePlan, UpdatePlan } from '../plan.ts'
import type { WriteResult } from '../result.ts'
import type { Values } from '../value/values.ts'
import { keysOf, keyText } from './keys.ts'
import { rowChange, writeResult } from './row-changes.ts'

export async function executeUpdate(engine: Engine, plan: UpdatePlan, values: Values): Promise<WriteResult> {
  const change = rowChange(plan.sets, values)
  return await changeByKey(engine, plan, values, (row) => checkRow(plan.table, change(row, row)))
}

export async function executeDelete(engine: Engine, plan: DeletePlan, values: Values): Promise<WriteResult> {
  return await changeByKey(engine, plan, values, () => 'delete')
}

async function changeByKey(engine: Engine, plan: UpdatePlan | DeletePlan, values: Values, change: (row: EngineRow) => EngineRow | 'delete'): Promise<WriteResult> {
  const { table, returning } = plan
  const keys = keysOf(plan, values)
  if (keys.length === 0) return writeResult(0, returning, [])
  if (returning === undefined) return writeResult(await engine.update(table, keys, change), undefined, [])
  // A row may be asked for again: its last answer counts.
  const changed = new Map<string, EngineRow>()
  const count = await engine.update(table, keys, (row) => {
    const becomes = change(row)
    changed.set(keyText(table.primaryKey.map((ordinal) => row[ordinal]!)), becomes === 'delete' ? row : becomes)
    return becomes
  })
  return writeResult(count, returning, [...changed.values()])
}
