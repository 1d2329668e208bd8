/** What statements write, by way of a writer that brings it into the database or into one transaction. */
import { LsmtError } from '../../errors.ts'
import { checkRow } from '../check-value.ts'
import type { EngineRow, EngineSession } from '../engine.ts'
import type { TableSchema } from '../schema.ts'
import { recoverNextRowId, withRowIds } from '../tables/hidden-key.ts'
import type { TableAccess } from '../tables/table-access.ts'
import type { Tables } from '../tables/tables.ts'
import type { TextInserter } from '../write/columns/insert-text.ts'
import { writeBlind, writeNew, writeOperations, writeOrChange } from '../write/insert.ts'
import { changeRows, changeRowsWhere, deleteKeyRange, deleteRowsWhere } from '../write/update.ts'
import { tableChanged } from '../write/writer.ts'
import type { Writer } from '../write/writer.ts'

export type EngineWrites = Pick<EngineSession, 'insert' | 'insertText' | 'insertOrUpdate' | 'update' | 'updateWhere' | 'deleteWhere' | 'write' | 'deleteRange'>

export function createWrites(writer: Writer, tables: Pick<Tables, 'access'>, texts: Pick<TextInserter, 'insertText'>): EngineWrites {
  function writable(table: TableSchema): TableAccess {
    writer.shards.assertOpen()
    const access = tables.access(table)
    if (access.schema.columns.length !== table.columns.length) throw tableChanged(table.name)
    return access
  }

  /** The rows checked, with ids where the key is hidden. */
  async function prepare(access: TableAccess, rows: readonly EngineRow[]): Promise<readonly EngineRow[]> {
    if (access.schema.hiddenKey && access.state.nextRowId === undefined) await recoverNextRowId(writer.shards, access)
    return checked(access, access.schema.hiddenKey ? withRowIds(access, rows) : rows)
  }

  return {
    async insert(table, rows, mode) {
      const access = writable(table)
      if (rows.length === 0) return 0
      const ready = access.schema.hiddenKey ? await prepare(access, rows) : checked(access, rows)
      if (mode !== 'upsert' && !access.schema.hiddenKey) return writeNew(writer, access, ready, mode)
      await writeBlind(writer, access, ready)
      return ready.length
    },
    async insertText(table, values, mode) {
      return await texts.insertText(writer, writable(table), values, mode)
    },
    async insertOrUpdate(table, rows, change, before) {
      const access = writable(table)
      return rows.length === 0 ? 0 : writeOrChange(writer, access, await prepare(access, rows), change, before)
    },
    async update(table, keys, change, before) {
      const access = writable(table)
      return keys.length === 0 ? 0 : changeRows(writer, access, keys, change, before)
    },
    async updateWhere(table, where, change, before) {
      return await changeRowsWhere(writer, writable(table), where, change, before)
    },
    async deleteWhere(table, where) {
      return await deleteRowsWhere(writer, writable(table), where)
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

function checked(access: TableAccess, rows: readonly EngineRow[]): readonly EngineRow[] {
  const { schema } = access
  for (let i = 0; i < rows.length; i++) {
    const row = checkRow(schema, rows[i]!)
    if (row !== rows[i]) return rows.map((each) => checkRow(schema, each))
  }
  return rows
}
