/**
 * A table by key: users' rows as objects, no SQL. The handle follows its name: when the catalog has changed, the table
 * is looked up anew.
 */
import { LsmtError } from '../../errors.ts'
import type { Engine, EngineRow, EngineValue, KeyBound, WriteOperation } from '../engine.ts'
import { engineValueOf } from '../engine-value.ts'
import { engineColumns } from './kv-columns.ts'
import type { UserColumns } from './kv-columns.ts'
import { visibleOrdinals } from '../schema.ts'
import type { ColumnSchema, TableSchema } from '../schema.ts'
import { againWhenChanged } from '../tables/again-when-changed.ts'
import { userValueOf } from '../user-value.ts'
import type { UserValue } from '../user-value.ts'

export type UserRow = Readonly<Record<string, UserValue>>
/** The key's value, or, for a key of several columns, its values in key order. */
export type UserKey = UserValue | readonly UserValue[]

/** Bounds take a key, or the first values of one, which stand for all keys that start so. */
export interface KeyScanOptions {
  readonly gt?: UserKey
  readonly gte?: UserKey
  readonly lt?: UserKey
  readonly lte?: UserKey
  /** Default: all. */
  readonly columns?: readonly string[]
  readonly reverse?: boolean
  readonly limit?: number
}

export type BatchOperation = { readonly put: Readonly<Record<string, UserValue | undefined>> } | { readonly delete: UserKey }

/** Columns left out of a row are null. A put replaces. Every call that writes is one atomic statement, durable as set when it resolves. */
export interface KeyedTable {
  readonly name: string
  put(row: Readonly<Record<string, UserValue | undefined>>): Promise<void>
  /** The row, or undefined. 0A000 where the storage cannot answer at once (a bucket). */
  getSync(key: UserKey): UserRow | undefined
  get(key: UserKey): Promise<UserRow | undefined>
  delete(key: UserKey): Promise<void>
  /** Puts and deletes in order, all or none. */
  batch(operations: readonly BatchOperation[]): Promise<void>
  /** Puts rows that are given by column: the fastest way to bring in many. Columns left out are null. */
  putColumns(columns: UserColumns): Promise<void>
  /** Rows in key order, of one snapshot. */
  scan(options?: KeyScanOptions): AsyncGenerator<UserRow>
}

/** What converting between users' rows and the engine's needs; made once a version of the catalog. */
interface Codec {
  readonly catalogVersion: number
  readonly table: TableSchema
  readonly all: readonly number[]
  readonly toEngine: readonly ((value: UserValue) => EngineValue)[]
  readonly toUser: readonly ((value: EngineValue) => UserValue)[]
}

export function openKeyedTable(engine: Engine, name: string): KeyedTable {
  let codec = codecOf(engine, name)
  const current = (): Codec => (codec.catalogVersion === engine.catalogVersion ? codec : (codec = codecOf(engine, name)))
  const read = (c: Codec, key: UserKey): EngineRow | undefined | Promise<EngineRow | undefined> => engine.get(undefined, c.table, engineKey(c, key), c.all)

  const again = (write: () => Promise<void>): Promise<void> => againWhenChanged(engine, write)

  return {
    name,
    async put(row) {
      await again(async () => {
        const c = current()
        await engine.insert(c.table, [engineRow(c, row)], 'upsert')
      })
    },
    getSync(key) {
      const c = current()
      const row = read(c, key)
      if (row instanceof Promise) throw notAtOnce(row)
      return row && userRow(c, row, c.all)
    },
    async get(key) {
      const c = current()
      const row = await read(c, key)
      return row && userRow(c, row, c.all)
    },
    async delete(key) {
      await again(async () => {
        const c = current()
        await engine.write(c.table, [{ delete: engineKey(c, key) }])
      })
    },
    async batch(operations) {
      await again(() => writeBatch(engine, current(), operations))
    },
    async putColumns(columns) {
      await again(async () => {
        const { table, toEngine } = current()
        await engine.insertColumns(table, engineColumns(table, toEngine, columns), 'upsert')
      })
    },
    async *scan(options = {}) {
      yield* scanRows(engine, current(), options)
    },
  }
}

async function writeBatch(engine: Engine, codec: Codec, operations: readonly BatchOperation[]): Promise<void> {
  if (operations.every((each) => 'put' in each)) {
    await engine.insert(codec.table, operations.map((each) => engineRow(codec, each.put)), 'upsert')
    return
  }
  await engine.write(codec.table, operations.map((each): WriteOperation => ('put' in each ? { put: engineRow(codec, each.put) } : { delete: engineKey(codec, each.delete) })))
}

function codecOf(engine: Engine, name: string): Codec {
  const table = engine.table(name)
  if (table === undefined) throw new LsmtError('42P01', `table "${name}" does not exist`)
  if (table.hiddenKey) throw new LsmtError('0A000', `table "${name}" has no primary key; use SQL to read and write it`)
  return {
    catalogVersion: engine.catalogVersion,
    table,
    all: visibleOrdinals(table),
    toEngine: table.columns.map(engineValueOf),
    toUser: table.columns.map((column) => userValueOf(column.type)),
  }
}

async function* scanRows(engine: Engine, codec: Codec, options: KeyScanOptions): AsyncGenerator<UserRow> {
  const columns = options.columns?.map((name) => ordinalOf(codec.table, name)) ?? codec.all
  const lower = bound(codec, options.gte, options.gt)
  const upper = bound(codec, options.lte, options.lt)
  const snapshot = engine.snapshot()
  try {
    const scan = { table: codec.table, ordered: true, columns, predicate: [], reverse: options.reverse === true, ...(lower && { lower }), ...(upper && { upper }), ...(options.limit !== undefined && { limit: options.limit }) }
    for await (const rows of engine.scan(snapshot, scan)) for (const row of rows) yield userRow(codec, row, columns)
  } finally {
    snapshot.release()
  }
}

function bound(codec: Codec, inclusive: UserKey | undefined, exclusive: UserKey | undefined): KeyBound | undefined {
  if (inclusive !== undefined && exclusive !== undefined) throw new LsmtError('22023', 'a scan takes gt or gte, and lt or lte, not both')
  const key = inclusive ?? exclusive
  return key === undefined ? undefined : { values: keyValues(codec, key), inclusive: inclusive !== undefined }
}

function engineKey(codec: Codec, key: UserKey): readonly EngineValue[] {
  const { primaryKey } = codec.table
  if (primaryKey.length === 1 && !Array.isArray(key)) return [codec.toEngine[primaryKey[0]!]!(key as UserValue)]
  return keyValues(codec, key)
}

function keyValues(codec: Codec, key: UserKey): readonly EngineValue[] {
  const values: readonly UserValue[] = Array.isArray(key) ? (key as readonly UserValue[]) : [key as UserValue]
  return values.map((value, i) => {
    const ordinal = codec.table.primaryKey[i]
    if (ordinal === undefined) throw new LsmtError('42804', `the key of table "${codec.table.name}" has ${codec.table.primaryKey.length} columns, ${values.length} values were given`)
    return codec.toEngine[ordinal]!(value)
  })
}

function engineRow(codec: Codec, row: Readonly<Record<string, UserValue | undefined>>): EngineRow {
  const { columns } = codec.table
  const values: EngineValue[] = []
  let given = 0
  for (let ordinal = 0; ordinal < columns.length; ordinal++) {
    const value = columns[ordinal]!.dropped === true ? undefined : row[columns[ordinal]!.name]
    if (value !== undefined) given++
    values.push(value === undefined ? null : codec.toEngine[ordinal]!(value))
  }
  for (const name in row) if (row[name] !== undefined) given--
  if (given !== 0) for (const name of Object.keys(row)) ordinalOf(codec.table, name)
  return values
}

function userRow(codec: Codec, row: EngineRow, columns: readonly number[]): UserRow {
  const user: Record<string, UserValue> = {}
  for (let i = 0; i < columns.length; i++) {
    const ordinal = columns[i]!
    user[codec.table.columns[ordinal]!.name] = codec.toUser[ordinal]!(row[i]!)
  }
  return user
}

function ordinalOf(table: TableSchema, name: string): number {
  const ordinal = table.columns.findIndex((column: ColumnSchema) => column.name === name && column.dropped !== true)
  if (ordinal < 0) throw new LsmtError('42703', `column "${name}" of table "${table.name}" does not exist`)
  return ordinal
}

function notAtOnce(pending: Promise<unknown>): LsmtError {
  // Its outcome has no taker any more.
  pending.catch(() => {})
  return new LsmtError('0A000', 'the row must be fetched from storage that cannot be read at once', { hint: 'use get() and await it' })
}
