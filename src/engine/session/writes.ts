/** What statements write, by way of a writer that brings it into the database or into one transaction. */
import { LsmtError } from '../../errors.ts'
import { checkRow } from '../check-value.ts'
import { rowsOfColumns } from '../write/columns/rows-of-columns.ts'
import type { EngineColumns, EngineRow, EngineSession, WriteMode } from '../engine.ts'
import type { TableSchema } from '../schema.ts'
import { recoverNextRowId, withRowIds } from '../tables/hidden-key.ts'
import type { TableAccess } from '../tables/table-access.ts'
import type { Tables } from '../tables/tables.ts'
import type { ColumnInserter } from '../write/columns/insert-columns.ts'
import type { QuickPuts } from '../write/quick-put.ts'
import { writeBlind, writeNew, writeOperations, writeOrChange } from '../write/insert.ts'
import { changeRows, changeRowsWhere, deleteKeyRange, deleteRowsWhere } from '../write/update.ts'
import { tableChanged } from '../write/writer.ts'
import type { Writer } from '../write/writer.ts'
import type { ReadStats } from '../../lsm/tree.ts'

export type EngineWrites = Pick<EngineSession, 'insert' | 'insertText' | 'insertColumns' | 'insertOrUpdate' | 'update' | 'updateWhere' | 'deleteWhere' | 'write' | 'deleteRange'>

/** With `quick` single rows are written by it where it takes them. */
export function createWrites(writer: Writer, tables: Pick<Tables, 'access'>, columnar: Pick<ColumnInserter, 'insertText' | 'insertColumns'>, quick?: QuickPuts): EngineWrites {
  function writable(table: TableSchema): TableAccess {
    writer.shards.assertOpen()
    const access = tables.access(table)
    if (access.schema.columns.length !== table.columns.length) throw tableChanged(table.name)
    return access
  }

  /** Whatever was there before: nothing under an id that is new. */
  function putAll(access: TableAccess, rows: readonly EngineRow[]): Promise<number> {
    return (rows.length === 1 ? quick?.put(access, rows[0]!) : undefined) ?? writeBlind(writer, access, rows)
  }

  function insert(access: TableAccess, rows: readonly EngineRow[], mode: WriteMode, stats: ReadStats | undefined): Promise<number> {
    if (rows.length === 0) return Promise.resolve(0)
    if (mode !== 'upsert' && !access.schema.hiddenKey) return writeNew(writer, access, ready(access, rows), mode, stats)
    const recovering = recoverIds(writer, access)
    return recovering === undefined ? putAll(access, ready(access, rows)) : recovering.then(() => putAll(access, ready(access, rows)))
  }

  return {
    insert(table, rows, mode, stats) {
      return rejecting(() => insert(writable(table), rows, mode, stats))
    },
    async insertColumns(table, columns, mode, stats) {
      const access = writable(table)
      checkWidths(access, columns)
      const count = mode === 'insert-or-ignore' || columns.rowCount === 0 ? undefined : await columnar.insertColumns(writer, access, columns, mode, stats)
      return count ?? (await insert(access, rowsOfColumns(columns), mode, stats))
    },
    async insertText(table, values, mode, stats) {
      return await columnar.insertText(writer, writable(table), values, mode, stats)
    },
    async insertOrUpdate(table, rows, change, before, stats) {
      const access = writable(table)
      return rows.length === 0 ? 0 : writeOrChange(writer, access, await prepare(writer, access, rows), change, before, stats)
    },
    async update(table, keys, change, before, stats) {
      const access = writable(table)
      return keys.length === 0 ? 0 : changeRows(writer, access, keys, change, before, stats)
    },
    async updateWhere(table, where, change, before, stats) {
      return await changeRowsWhere(writer, writable(table), where, change, before, stats)
    },
    async deleteWhere(table, where, stats) {
      return await deleteRowsWhere(writer, writable(table), where, stats)
    },
    async write(table, operations) {
      const access = writable(table)
      if (access.schema.hiddenKey) throw new LsmtError('0A000', `table "${table.name}" has no primary key to write by`)
      if (operations.length > 0) await writeOperations(writer, access, operations)
    },
    async deleteRange(table, lower, upper) {
      await deleteKeyRange(writer, writable(table), lower, upper)
    },
  }
}

/** What `async` does, without a promise of its own around the work's. */
function rejecting<T>(work: () => Promise<T>): Promise<T> {
  try {
    return work()
  } catch (error) {
    return Promise.reject(error)
  }
}

/** Undefined where the next id of a hidden key is known, or nobody asks. */
function recoverIds({ shards }: Writer, access: TableAccess): Promise<void> | undefined {
  return access.schema.hiddenKey && access.state.nextRowId === undefined ? recoverNextRowId(shards, access) : undefined
}

/** The rows checked, with ids where the key is hidden. */
function ready(access: TableAccess, rows: readonly EngineRow[]): readonly EngineRow[] {
  return checked(access, access.schema.hiddenKey ? withRowIds(access, rows) : rows)
}

/** The same, once it is known which ids come next. */
async function prepare(writer: Writer, access: TableAccess, rows: readonly EngineRow[]): Promise<readonly EngineRow[]> {
  await recoverIds(writer, access)
  return ready(access, rows)
}

/** As `checkRow` would say of each row. */
function checkWidths({ schema: { name, columns, hiddenKey } }: TableAccess, given: EngineColumns): void {
  const width = columns.length - (hiddenKey ? 1 : 0)
  if (given.columns.length !== width) throw new LsmtError('42804', `table "${name}" has ${width} columns, ${given.columns.length} were given`)
  for (const [index, { values, nulls }] of given.columns.entries()) {
    const rowCount = Math.min(values.length, nulls?.length ?? values.length)
    if (rowCount < given.rowCount) throw new LsmtError('22023', `column ${index} has ${rowCount} values for ${given.rowCount} rows`)
  }
}

function checked(access: TableAccess, rows: readonly EngineRow[]): readonly EngineRow[] {
  const { schema } = access
  for (let i = 0; i < rows.length; i++) {
    const row = checkRow(schema, rows[i]!)
    if (row !== rows[i]) return rows.map((each) => checkRow(schema, each))
  }
  return rows
}
