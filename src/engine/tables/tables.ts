/**
 * The tables of an open database, and the statements that change which there are. The catalog's rows and what the
 * trees know of a table change in one atomic statement over all shards.
 */
import { LsmtError } from '../../errors.ts'
import type { MissingValue, TableLayout } from '../../lsm/layout.ts'
import { checkValue } from '../check-value.ts'
import { catalogShard, catalogTable, kvTable, nextTableIdRow, readCatalog, tableRow } from './catalog.ts'
import { alteredTable } from './alter-table.ts'
import type { EngineRow, EngineValue, NewTable, StagedWriteMode, TableChange } from '../engine.ts'
import { tableSchema } from './new-table.ts'
import { physicalValue } from '../read/predicate.ts'
import { scanShards } from '../read/scan.ts'
import { shardsOf } from '../shards/shard-snapshot.ts'
import type { TableSchema } from '../schema.ts'
import { tableAccess } from './table-access.ts'
import type { TableAccess } from './table-access.ts'
import { tableChanged } from '../write/writer.ts'
import type { Writer } from '../write/writer.ts'
import { dropOrphans, dropStaged, publishStaged, stageTable } from './staged-table.ts'
import { change, existing, inTurn, leaving, register, unknownTable } from './tables-state.ts'
import type { TablesState } from './tables-state.ts'

type Commit = Writer['commit']

export interface Tables {
  list(): readonly TableSchema[]
  find(name: string): TableSchema | undefined
  version(): number
  /** What reading and writing `schema` needs. 42P01 when it is not a table of this database (any more). */
  access(schema: TableSchema): TableAccess
  /** `commit` of this and the following: what the statement's parts are committed by; the writer's own when absent. */
  create(table: NewTable, commit?: Commit): Promise<TableSchema>
  drop(name: string, commit?: Commit): Promise<void>
  alter(name: string, change: TableChange, commit?: Commit): Promise<TableSchema>
  truncate(name: string, commit?: Commit): Promise<TableSchema>
  stage(table: TableSchema): Promise<TableSchema>
  publishStaged(staged: TableSchema, table: TableSchema, mode: StagedWriteMode, commit?: Commit): Promise<TableSchema>
  dropStaged(staged: TableSchema): Promise<void>
  settled(): Promise<void>
  /** The tables as they are now, whatever becomes of them. */
  pin(): PinnedTables
}

export type PinnedTables = Pick<Tables, 'list' | 'find' | 'version' | 'access'>

/** Reads the catalog; the first time, makes it, with the table that exists from the start. */
export async function openTables(writer: Writer): Promise<Tables> {
  const catalog = tableAccess(catalogTable)
  const isNew = !writer.shards.trees[catalogShard]!.layouts.has(catalogTable.tableId)
  const { tables, nextTableId } = readCatalog(isNew ? [] : await catalogRows(writer, catalog))
  const state: TablesState = { writer, catalog, byName: new Map(), byId: new Map(), nextTableId, version: 1, tail: Promise.resolve() }
  for (const schema of tables) register(state, tableAccess(schema))
  await dropOrphans(state)
  const opened = createTables(state)
  if (isNew) await opened.create(kvTable)
  return opened
}

async function catalogRows(writer: Writer, catalog: TableAccess): Promise<EngineRow[]> {
  const snapshot = writer.shards.snapshot()
  try {
    await snapshot.ready
    const rows: EngineRow[] = []
    const scan = { table: catalogTable, ordered: false, columns: [0, 1], predicate: [] }
    for await (const page of scanShards(writer.shards, shardsOf(snapshot), catalog, scan)) rows.push(...page)
    return rows
  } finally {
    snapshot.release()
  }
}

function createTables(state: TablesState): Tables {
  return {
    ...lookups(state),
    version: () => state.version,
    pin() {
      const { version } = state
      return { ...lookups({ byName: new Map(state.byName), byId: new Map(state.byId) }), version: () => version }
    },
    create: (table, commit) => inTurn(state, () => createTable(state, table, commit)),
    drop: (name, commit) => inTurn(state, () => dropTable(state, name, commit)),
    alter: (name, change, commit) => inTurn(state, () => alterTable(state, name, change, commit)),
    truncate: (name, commit) => inTurn(state, () => truncateTable(state, name, commit)),
    stage: (table) => stageTable(state, table),
    publishStaged: (staged, table, mode, commit) => publishStaged(state, staged, table, mode, commit),
    dropStaged: (staged) => dropStaged(state, staged),
    async settled() {
      await state.tail.catch(() => {})
    },
  }
}

/** Over the maps that `state` has at the time of a call. */
export function lookups(state: { readonly byName: ReadonlyMap<string, TableAccess>; readonly byId: ReadonlyMap<number, TableAccess> }): Pick<Tables, 'list' | 'find' | 'access'> {
  return {
    list: () => [...state.byName.values()].map((access) => access.schema),
    find: (name) => state.byName.get(name)?.schema,
    access(schema) {
      const { byName, byId } = state
      const access = byId.get(schema.tableId)
      if (access === undefined) throw byName.has(schema.name) ? tableChanged(schema.name) : unknownTable(schema.name)
      return access
    },
  }
}

async function createTable(state: TablesState, table: NewTable, commit?: Commit): Promise<TableSchema> {
  const { writer, catalog } = state
  writer.shards.assertOpen()
  const access = tableAccess(tableSchema(table, state.nextTableId))
  if (state.byName.has(table.name)) throw tableExists(table.name)
  const nextTableId = ++state.nextTableId
  const isFirst = !writer.shards.trees[catalogShard]!.layouts.has(catalogTable.tableId)
  await change(state, (builder) => {
    if (isFirst) builder.define(catalog)
    builder.define(access)
    builder.putIn(catalogShard, catalog, tableRow(access.schema))
    builder.putIn(catalogShard, catalog, nextTableIdRow(nextTableId))
  }, commit)
  register(state, access)
  return access.schema
}

async function dropTable(state: TablesState, name: string, commit?: Commit): Promise<void> {
  const access = existing(state, name)
  await leaving(access, 'dropped', () =>
    change(state, (builder) => {
      builder.drop(access.schema.tableId)
      builder.deleteIn(catalogShard, state.catalog, [name])
    }, commit),
  )
  state.byName.delete(name)
  state.byId.delete(access.schema.tableId)
  state.version++
}

/**
 * Statements under way write by the former schema until the new one is registered, as rows older than new columns are;
 * one that ends later and does not know of them must not be written over rows that do: `columnCount` tells them.
 */
async function alterTable(state: TablesState, name: string, step: TableChange, commit?: Commit): Promise<TableSchema> {
  const before = existing(state, name)
  const access = tableAccess(alteredTable(before.schema, step), before.state)
  const { schema } = access
  if (schema.name !== name && state.byName.has(schema.name)) throw tableExists(schema.name)
  await change(state, (builder) => {
    // In every shard, whatever changes: so each of them can tell by itself that the catalog is another one.
    builder.define({ ...access, layout: nextLayout(state, access, step) })
    if (schema.name !== name) builder.deleteIn(catalogShard, state.catalog, [name])
    builder.putIn(catalogShard, state.catalog, tableRow(schema))
  }, commit)
  access.state.columnCount = schema.columns.length
  register(state, access, before)
  return schema
}

/** Each row group of an older file may take as much of the memory. */
const missingBytesMax = 64 * 1024

/** The layout with what older rows have in columns that came later: the trees know it of former ones. */
function nextLayout({ writer }: TablesState, { schema, layout }: TableAccess, step: TableChange): TableLayout {
  const known = writer.shards.trees[catalogShard]!.layouts.get(schema.tableId)?.missing ?? []
  const missing = [...known, ...(step.kind === 'addColumn' ? missingValue(schema, step.missing ?? null) : [])]
  return missing.length === 0 ? layout : { ...layout, missing }
}

/** What rows that are there have in the last column; nothing when it is null. */
function missingValue(schema: TableSchema, given: EngineValue): readonly MissingValue[] {
  const ordinal = schema.columns.length - 1, column = schema.columns[ordinal]!
  const value = checkValue(schema, column, given)
  if (value === null) return []
  const physical = physicalValue(column, value)
  if (physical instanceof Uint8Array && physical.length > missingBytesMax) throw new LsmtError('54000', `the value of column "${column.name}" in rows that are there has ${physical.length} bytes, at most ${missingBytesMax} are possible`, { hint: 'add the column without a default, and update the rows' })
  return [{ ordinal, value: physical }]
}

/** The table goes on, empty, under another id; a shard forgets the former rows as it forgets a dropped table's. */
async function truncateTable(state: TablesState, name: string, commit?: Commit): Promise<TableSchema> {
  const before = existing(state, name)
  const access = tableAccess({ ...before.schema, tableId: state.nextTableId })
  const nextTableId = ++state.nextTableId
  await leaving(before, 'truncated', () =>
    change(state, (builder) => {
      builder.drop(before.schema.tableId)
      builder.define(access)
      builder.putIn(catalogShard, state.catalog, tableRow(access.schema))
      builder.putIn(catalogShard, state.catalog, nextTableIdRow(nextTableId))
    }, commit),
  )
  register(state, access, before)
  return access.schema
}

function tableExists(name: string): LsmtError {
  return new LsmtError('42P07', `table "${name}" exists`)
}
