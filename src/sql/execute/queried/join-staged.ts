/**
 * The end of a staged table: its rows take the place of the table's when that costs no more than writing them, that is when
 * the table is empty or the rows are more than a transaction may write; otherwise one transaction brings them in, so that
 * a small write does not copy a large table.
 */
import type { Engine, StagedWriteMode } from '../../../engine/engine.ts'
import type { TableSchema } from '../../../engine/schema.ts'
import { LsmtError } from '../../../errors.ts'
import type { VisibleWrites } from './staging.ts'

/** Makes all staged rows rows of `table` at once; there is no staged table then. When it fails there still is. */
export async function joinStaged(engine: Engine, visible: VisibleWrites, staged: TableSchema, table: TableSchema, mode: StagedWriteMode): Promise<void> {
  if ((await isEmpty(engine, table)) || !(await joinByTransaction(engine, visible, staged, table, mode))) await visible.publishStaged(staged, table, mode)
  else await engine.dropStaged(staged)
}

export async function isEmpty(engine: Engine, table: TableSchema): Promise<boolean> {
  const snapshot = engine.snapshot()
  try {
    for await (const rows of engine.scan(snapshot, { table, ordered: false, columns: [], predicate: [], limit: 1 })) if (rows.length > 0) return false
    return true
  } finally {
    snapshot.release()
  }
}

/** False when the rows are too many. The transaction's snapshot keeps what it finds in memtables: so little should be there. */
async function joinByTransaction(engine: Engine, visible: VisibleWrites, staged: TableSchema, table: TableSchema, mode: StagedWriteMode): Promise<boolean> {
  await engine.flush()
  const transaction = await visible.begin(() => [table])
  const snapshot = transaction.snapshot()
  try {
    for await (const rows of transaction.scan(snapshot, { table: staged, ordered: table.hiddenKey, columns: visibleAndDropped(table), predicate: [] })) await transaction.insert(table, rows, mode)
    await transaction.commit()
    return true
  } catch (error) {
    if (error instanceof LsmtError && (error.code === '54000' || error.code === '53200')) return false
    throw error
  } finally {
    snapshot.release()
    transaction.rollback()
  }
}

/** All but the hidden key: dropped columns are null in rows that were staged just now. */
function visibleAndDropped(table: TableSchema): readonly number[] {
  const ordinals = table.columns.map((_, ordinal) => ordinal)
  return table.hiddenKey ? ordinals.slice(1) : ordinals
}
