/**
 * The tables of an open database, and the statements that change which there are. The catalog's rows and what the
 * trees know of a table change in one atomic statement over all shards.
 */
import { LsmtError } from '../../errors.ts'
import { catalogShard, catalogTable, kvTable, nextTableIdRow, readCatalog, tableRow } from './catalog.ts'
import type { EngineRow, NewTable } from '../engine.ts'
import { tableSchema } from './new-table.ts'
import { scanShards } from '../read/scan.ts'
import type { TableSchema } from '../schema.ts'
import { tableAccess } from './table-access.ts'
import type { TableAccess } from './table-access.ts'
import type { StatementBuilder } from '../write/statement.ts'
import { admit, buildParts, commitTo } from '../write/writer.ts'
import type { Writer } from '../write/writer.ts'

export interface Tables {
  list(): readonly TableSchema[]
  find(name: string): TableSchema | undefined
  readonly version: number
  /** What reading and writing `schema` needs. 42P01 when it is not a table of this database (any more). */
  access(schema: TableSchema): TableAccess
  create(table: NewTable): Promise<TableSchema>
  drop(name: string): Promise<void>
}

/** Reads the catalog; the first time, makes it, with the table that exists from the start. */
export async function openTables(writer: Writer): Promise<Tables> {
  const catalog = tableAccess(catalogTable)
  const isNew = !writer.shards.trees[catalogShard]!.layouts.has(catalogTable.tableId)
  const { tables, nextTableId } = readCatalog(isNew ? [] : await catalogRows(writer, catalog))
  const opened = createTables(writer, catalog, tables, nextTableId)
  if (isNew) await opened.create(kvTable)
  return opened
}

async function catalogRows(writer: Writer, catalog: TableAccess): Promise<EngineRow[]> {
  const snapshots = writer.shards.trees.map((tree) => tree.snapshot())
  try {
    const rows: EngineRow[] = []
    const scan = { table: catalogTable, ordered: false, columns: [0, 1], predicate: [] }
    for await (const page of scanShards(writer.shards, snapshots, catalog, scan)) rows.push(...page)
    return rows
  } finally {
    for (const snapshot of snapshots) snapshot.release()
  }
}

interface TablesState {
  readonly writer: Writer
  readonly catalog: TableAccess
  readonly byName: Map<string, TableAccess>
  readonly byId: Map<number, TableAccess>
  readonly namesBeingCreated: Set<string>
  nextTableId: number
  version: number
}

function createTables(writer: Writer, catalog: TableAccess, known: readonly TableSchema[], nextTableId: number): Tables {
  const state: TablesState = { writer, catalog, byName: new Map(), byId: new Map(), namesBeingCreated: new Set(), nextTableId, version: 1 }
  for (const schema of known) register(state, tableAccess(schema))
  return {
    list: () => [...state.byName.values()].map((access) => access.schema),
    find: (name) => state.byName.get(name)?.schema,
    get version() {
      return state.version
    },
    access(schema) {
      const access = state.byId.get(schema.tableId)
      if (access === undefined) throw unknownTable(schema.name)
      return access
    },
    create: (table) => createTable(state, table),
    drop: (name) => dropTable(state, name),
  }
}

function register({ byName, byId }: TablesState, access: TableAccess): void {
  byName.set(access.schema.name, access)
  byId.set(access.schema.tableId, access)
}

async function createTable(state: TablesState, table: NewTable): Promise<TableSchema> {
  const { writer, catalog, namesBeingCreated } = state
  writer.shards.assertOpen()
  const access = tableAccess(tableSchema(table, state.nextTableId))
  if (state.byName.has(table.name) || namesBeingCreated.has(table.name)) throw new LsmtError('42P07', `table "${table.name}" exists`)
  const nextTableId = ++state.nextTableId
  namesBeingCreated.add(table.name)
  try {
    const isFirst = !writer.shards.trees[catalogShard]!.layouts.has(catalogTable.tableId)
    await change(state, (builder) => {
      if (isFirst) builder.define(catalog)
      builder.define(access)
      builder.putIn(catalogShard, catalog, tableRow(access.schema))
      builder.putIn(catalogShard, catalog, nextTableIdRow(nextTableId))
    })
  } finally {
    namesBeingCreated.delete(table.name)
  }
  register(state, access)
  state.version++
  return access.schema
}

async function dropTable(state: TablesState, name: string): Promise<void> {
  state.writer.shards.assertOpen()
  const access = state.byName.get(name)
  if (access === undefined || access.isDropped) throw unknownTable(name)
  access.isDropped = true
  try {
    await change(state, (builder) => {
      builder.drop(access)
      builder.deleteIn(catalogShard, state.catalog, [name])
    })
  } catch (error) {
    access.isDropped = false
    throw error
  }
  state.byName.delete(name)
  state.byId.delete(access.schema.tableId)
  state.version++
}

async function change({ writer, catalog }: TablesState, add: (builder: StatementBuilder) => void): Promise<void> {
  const parts = buildParts(writer, add)
  await admit(writer, parts)
  await commitTo(writer, catalog, parts)
}

function unknownTable(name: string): LsmtError {
  return new LsmtError('42P01', `table "${name}" does not exist`)
}
