/**
 * A table by key: users' rows as objects, no SQL. The handle follows its name: when the catalog has changed, the table
 * is looked up anew.
 */
import { LsmtError } from '../../errors.ts'
import type { RowObjects } from '../codec/row-objects.ts'
import type { EngineRow, EngineSnapshot, WriteOperation } from '../engine.ts'
import { againAfter, againWhenChanged } from '../tables/again-when-changed.ts'
import { notAtOnce, openColumnReader } from './column-reader.ts'
import type { ColumnReader, ColumnReaderOptions } from './column-reader.ts'
import { checkList, checkOptions, described } from './given.ts'
import { engineColumns } from './kv-columns.ts'
import type { PutColumnsOptions, UserColumns } from './kv-columns.ts'
import { checkRange, codecOf, engineKey, engineRow, keyBounds, objectsOf, ordinalsOf } from './kv-codec.ts'
import type { Codec, KeyRangeOptions, NewUserRow, UserKey, UserRow } from './kv-codec.ts'
import type { KeyedEngine, KeyReadOptions, KeyScanOptions } from './keyed-engine.ts'
import { openKeyCursor } from './kv-cursor.ts'
import type { KeyCursor } from './kv-cursor.ts'
import { openRowBatches, RowScan } from './kv-scan.ts'
import { readWithin } from './read-snapshot.ts'

export type BatchOperation = { readonly put: NewUserRow } | { readonly delete: UserKey }

/** Columns left out of a row are null. A put replaces. Every call that writes is one atomic statement, durable as set when it resolves. */
export interface KeyedTable {
  readonly name: string
  put(row: NewUserRow): Promise<void>
  /** The row, or undefined. 0A000 where the storage cannot answer at once (a bucket). */
  getSync(key: UserKey, options?: KeyReadOptions): UserRow | undefined
  get(key: UserKey, options?: KeyReadOptions): Promise<UserRow | undefined>
  /** Reads of one column by key, made ready: quicker where there are many. 42703 when there is no such column. */
  reader(column: string, options?: ColumnReaderOptions): ColumnReader
  delete(key: UserKey): Promise<void>
  /** Deletes all keys of a range, however many, without reading them. */
  deleteRange(range: KeyRangeOptions): Promise<void>
  /** Puts and deletes in order, all or none. */
  batch(operations: readonly BatchOperation[]): Promise<void>
  /** Puts rows that are given by column: the fastest way to bring in many. Columns left out are null. */
  putColumns(columns: UserColumns, options?: PutColumnsOptions): Promise<void>
  /** Rows in key order, of one snapshot. */
  scan(options?: KeyScanOptions): AsyncGenerator<UserRow>
  /** The same, many rows at once: quicker where many are read. */
  scanBatches(options?: KeyScanOptions): AsyncGenerator<readonly UserRow[]>
  /** The same by column, without a promise where rows are in memory: the quickest way to read. To be closed by whoever does not read it to its end. */
  cursor(options?: KeyScanOptions): KeyCursor
}

export function openKeyedTable(engine: KeyedEngine, name: string): KeyedTable {
  let codec = codecOf(engine, name)
  const current = (): Codec => (codec.catalogVersion === engine.catalogVersion() ? codec : (codec = codecOf(engine, name)))
  const again = (write: () => Promise<void>): Promise<void> => againWhenChanged(engine, write)

  return {
    name,
    put: putting(engine, current),
    getSync(key, options) {
      const row = readRow(engine, current(), key, options)
      if (row instanceof Promise) throw notAtOnce(row)
      return row
    },
    async get(key, options) {
      return await readRow(engine, current(), key, options)
    },
    reader: (column, options) => openColumnReader(engine, current, column, options),
    async delete(key) {
      await again(async () => {
        const c = current()
        await engine.write(c.table, [{ delete: engineKey(c, key) }])
      })
    },
    async deleteRange(range) {
      await again(async () => {
        const c = current()
        checkRange(range)
        const { lower, upper } = keyBounds(c, range)
        await engine.deleteRange(c.table, lower, upper)
      })
    },
    async batch(operations) {
      await again(() => writeBatch(engine, current(), operations))
    },
    async putColumns(columns, options) {
      if (options !== undefined) checkOptions(options, ['fromText'], 'the options of putColumns')
      await again(async () => {
        const { table, toEngine } = current()
        await engine.insertColumns(table, engineColumns(table, toEngine, columns, options), 'upsert')
      })
    },
    scan: (options = {}) => new RowScan(() => openRowBatches(engine, current(), options)),
    async *scanBatches(options = {}) {
      const batches = openRowBatches(engine, current(), options)
      try {
        for (let rows = await batches.next(); rows !== undefined; rows = await batches.next()) yield rows
      } finally {
        await batches.close()
      }
    },
    cursor: (options = {}) => openKeyCursor(engine, current(), options),
  }
}

/** Nothing is made for a second run before one is needed. */
function putting(engine: KeyedEngine, current: () => Codec): KeyedTable['put'] {
  const put = (row: NewUserRow): Promise<unknown> => {
    const c = current()
    return engine.insert(c.table, [engineRow(c, row)], 'upsert')
  }
  return async (row) => {
    try {
      await put(row)
    } catch (error) {
      await againAfter(engine, () => put(row), error)
    }
  }
}

const readOptionNames = ['columns', 'snapshot', 'asText']
const noOptions: KeyReadOptions = {}

function readRow(engine: KeyedEngine, codec: Codec, key: UserKey, options = noOptions): UserRow | undefined | Promise<UserRow | undefined> {
  if (options === noOptions) return rowShown(codec.allObjects, codec.allRows.get(undefined, engineKey(codec, key)))
  checkOptions(options, readOptionNames, 'the options of a read')
  const { snapshot } = options
  const asText = options.asText && new Set(ordinalsOf(codec, options.asText))
  const columns = ordinalsOf(codec, options.columns), rows = engine.rowsByKey(codec.table, columns, asText)
  const read = (below: EngineSnapshot | undefined): EngineRow | undefined | Promise<EngineRow | undefined> => rows.get(below, engineKey(codec, key))
  return rowShown(objectsOf(codec, columns), snapshot === undefined ? read(undefined) : readWithin(engine, snapshot, read))
}

function rowShown(objects: RowObjects, found: EngineRow | undefined | Promise<EngineRow | undefined>): UserRow | undefined | Promise<UserRow | undefined> {
  if (found instanceof Promise) return found.then((row) => row && objects.ofRow(row))
  return found && objects.ofRow(found)
}

async function writeBatch(engine: KeyedEngine, codec: Codec, operations: readonly BatchOperation[]): Promise<void> {
  checkList(operations, 'a batch')
  operations.forEach(checkOperation)
  if (operations.every((each) => 'put' in each)) {
    await engine.insert(codec.table, operations.map((each) => engineRow(codec, each.put)), 'upsert')
    return
  }
  await engine.write(codec.table, operations.map((each): WriteOperation => ('put' in each ? { put: engineRow(codec, each.put) } : { delete: engineKey(codec, each.delete) })))
}

function checkOperation(operation: BatchOperation, index: number): void {
  const isOne = typeof operation === 'object' && operation !== null && 'put' in operation !== 'delete' in operation
  if (!isOne) throw new LsmtError('22023', `operation ${index} of the batch is { put: row } or { delete: key }; it was given as ${described(operation)}`)
}
