/**
 * Staged tables: an id that the trees know and the catalog does not, so that nobody sees its rows. Publishing gives its
 * id to the table and drops the former one, in one statement, as TRUNCATE does with an empty one. What a crash leaves
 * behind is a table without a row in the catalog, which the next opening drops.
 */
import { LsmtError } from '../../errors.ts'
import type { EngineRow, StagedWriteMode } from '../engine.ts'
import { scanShards } from '../read/scan.ts'
import { requestTableIds } from '../requests/request-tables.ts'
import { shardsOf } from '../shards/shard-snapshot.ts'
import type { TableSchema } from '../schema.ts'
import { writeBlind, writeNew } from '../write/insert.ts'
import { tableChanged } from '../write/writer.ts'
import type { Writer } from '../write/writer.ts'
import { catalogShard, catalogTable, nextTableIdRow, tableRow } from './catalog.ts'
import { recoverNextRowId } from './hidden-key.ts'
import { tableAccess } from './table-access.ts'
import type { TableAccess } from './table-access.ts'
import { change, inTurn, leaving, register, unknownTable } from './tables-state.ts'
import type { TablesState } from './tables-state.ts'

/** Row ids set apart for the rows of one staged table: they come before those of rows that are written meanwhile. */
const stagedRowIds = 2 ** 32

/** See `Engine.stageTable`. */
export async function stageTable(state: TablesState, table: TableSchema): Promise<TableSchema> {
  const before = current(state, table)
  if (table.hiddenKey && before.state.nextRowId === undefined) await recoverNextRowId(state.writer.shards, before)
  return await inTurn(state, async () => {
    const access = tableAccess({ ...current(state, table).schema, tableId: state.nextTableId })
    const nextTableId = ++state.nextTableId
    await change(state, (builder) => {
      builder.define(access)
      builder.putIn(catalogShard, state.catalog, nextTableIdRow(nextTableId))
    })
    if (table.hiddenKey) reserveRowIds(before, access)
    state.byId.set(access.schema.tableId, access)
    return access.schema
  })
}

function reserveRowIds(before: TableAccess, staged: TableAccess): void {
  staged.state.nextRowId = before.state.nextRowId!
  before.state.nextRowId = staged.state.nextRowId + stagedRowIds
}

/** See `Engine.publishStaged`. The table's lock is taken before the turn to change the catalog, as transactions do. */
export async function publishStaged(state: TablesState, staged: TableSchema, table: TableSchema, mode: StagedWriteMode, commit?: Writer['commit']): Promise<TableSchema> {
  const access = stagedAccess(state, staged)
  const release = await current(state, table).state.locks.lockTable()
  try {
    await copyRows(state, current(state, table), access, mode)
    return await inTurn(state, () => replace(state, current(state, table), access, commit))
  } finally {
    release()
  }
}

async function replace(state: TablesState, before: TableAccess, staged: TableAccess, commit?: Writer['commit']): Promise<TableSchema> {
  await leaving(before, 'truncated', () =>
    change(state, (builder) => {
      builder.drop(before.schema.tableId)
      builder.putIn(catalogShard, state.catalog, tableRow(staged.schema))
    }, commit),
  )
  // The next row's id is read anew: rows written meanwhile have larger ones than the staged.
  register(state, staged.schema.hiddenKey ? tableAccess(staged.schema) : staged, before)
  return staged.schema
}

/** Brings the rows of a table, which nobody writes, under the id of another. */
async function copyRows({ writer }: TablesState, from: TableAccess, to: TableAccess, mode: StagedWriteMode): Promise<void> {
  const { shards } = writer
  const { schema } = from
  const snapshot = shards.snapshot()
  try {
    await snapshot.ready
    const scan = { table: schema, ordered: false, columns: schema.columns.map((_, ordinal) => ordinal), predicate: [] }
    for await (const rows of scanShards(shards, shardsOf(snapshot), from, scan)) {
      const living = withoutDropped(schema, rows)
      if (schema.hiddenKey) await writeBlind(writer, to, living)
      else await writeNew(writer, to, living, mode === 'insert' ? 'insert' : 'insert-or-ignore')
    }
  } finally {
    snapshot.release()
  }
}

function withoutDropped({ columns }: TableSchema, rows: readonly EngineRow[]): readonly EngineRow[] {
  if (columns.every(({ dropped }) => dropped !== true)) return rows
  return rows.map((row) => row.map((value, ordinal) => (columns[ordinal]!.dropped === true ? null : value)))
}

/** See `Engine.dropStaged`. */
export function dropStaged(state: TablesState, staged: TableSchema): Promise<void> {
  return inTurn(state, async () => {
    const { schema: { tableId } } = stagedAccess(state, staged)
    await change(state, (builder) => builder.drop(tableId))
    state.byId.delete(tableId)
  })
}

/** Drops what the trees know and the catalog does not. */
export async function dropOrphans(state: TablesState): Promise<void> {
  const known = new Set([catalogTable.tableId, ...requestTableIds, ...state.byId.keys()])
  const orphans = new Set(state.writer.shards.trees.flatMap(({ layouts }) => [...layouts.keys()].filter((tableId) => !known.has(tableId))))
  if (orphans.size === 0) return
  await change(state, (builder) => {
    for (const tableId of orphans) builder.drop(tableId)
  })
}

/** The table by the very schema that was looked up. 40001 when it changed, 42P01 when it is gone. */
function current({ writer, byId, byName }: TablesState, table: TableSchema): TableAccess {
  writer.shards.assertOpen()
  const access = byId.get(table.tableId)
  if (access?.schema === table && byName.get(table.name) === access) return access
  throw byName.has(table.name) ? tableChanged(table.name) : unknownTable(table.name)
}

function stagedAccess({ writer, byId, byName }: TablesState, staged: TableSchema): TableAccess {
  writer.shards.assertOpen()
  const access = byId.get(staged.tableId)
  if (access === undefined || byName.get(staged.name) === access) throw new LsmtError('55000', `the rows staged for table "${staged.name}" were published or dropped`)
  return access
}
