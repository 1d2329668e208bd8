/** UPDATE and DELETE over an engine. */
import { checkRow } from '../../engine/check-value.ts'
import type { Engine, EngineRow } from '../../engine/engine.ts'
import type { CancelSignal } from '../cancel.ts'
import type { DeletePlan, UpdatePlan, WherePlan } from '../plan.ts'
import type { WriteResult } from '../result.ts'
import type { Values } from '../value/values.ts'
import type { Execution } from './execute-select.ts'
import { scanRange } from './bounds.ts'
import type { ScanRange } from './bounds.ts'
import { keysOf, keyText } from './keys.ts'
import { rowChange, writeResult } from './row-changes.ts'
import { resolveTerms } from './terms.ts'

type Changes = (row: EngineRow) => EngineRow | 'delete'

export async function executeUpdate(engine: Engine, plan: UpdatePlan, execution: Execution): Promise<WriteResult> {
  const { values, signal } = execution
  const change = rowChange(plan.sets, execution)
  return await changeRows(engine, plan, values, signal, (row) => checkRow(plan.table, change(row, row)))
}

export async function executeDelete(engine: Engine, plan: DeletePlan, values: Values, signal: CancelSignal | undefined): Promise<WriteResult> {
  const { table, rows, returning } = plan
  if (rows.kind === 'keys' || returning !== undefined) return await changeRows(engine, plan, values, signal, () => 'delete')
  const where = rangeOf(plan, rows, values, signal)
  return writeResult(where === undefined ? 0 : await engine.deleteWhere(table, where), undefined, [])
}

async function changeRows(engine: Engine, plan: UpdatePlan | DeletePlan, values: Values, signal: CancelSignal | undefined, change: Changes): Promise<WriteResult> {
  const { table, rows, returning } = plan
  // A row may be asked for again: its last answer counts.
  const changed = new Map<string, EngineRow>()
  const noted: Changes = returning === undefined ? change : (row) => {
    const becomes = change(row)
    changed.set(keyText(table.primaryKey.map((ordinal) => row[ordinal]!)), becomes === 'delete' ? row : becomes)
    return becomes
  }
  if (rows.kind === 'where') {
    const where = rangeOf(plan, rows, values, signal)
    return writeResult(where === undefined ? 0 : await engine.updateWhere(table, where, noted), returning, changed.values())
  }
  const keys = keysOf(rows, values)
  return writeResult(keys.length === 0 ? 0 : await engine.update(table, keys, noted), returning, changed.values())
}

/** What the engine scans for; undefined when no row can satisfy the terms. */
function rangeOf({ table }: UpdatePlan | DeletePlan, { terms }: WherePlan, values: Values, signal: CancelSignal | undefined): (ScanRange & { readonly signal?: CancelSignal }) | undefined {
  const resolved = resolveTerms(terms, values)
  return resolved && { ...scanRange(table, resolved), ...(signal && { signal }) }
}
