/**
 * The package's entry: a database inside this process.
 *
 *   const db = await open({ dataDir: './data' })
 *   await db.query('INSERT INTO kv VALUES ($1, $2)', ['hello', 'world'])
 *   db.table('kv').getSync('hello')
 *   await db.close()
 */
import { LsmtError } from './errors.ts'
import type { EngineStats } from './engine/engine-stats.ts'
import type { TableDefinition } from './engine/keyed/define-table.ts'
import { checkFunction, checkObject, checkOptions, checkText, described } from './engine/keyed/given.ts'
import { openKeyedTable } from './engine/keyed/kv-table.ts'
import type { KeyedTable } from './engine/keyed/kv-table.ts'
import type { KeyedEngine } from './engine/keyed/keyed-engine.ts'
import { ReadSnapshot } from './engine/keyed/read-snapshot.ts'
import { createTypedTable, openTypedTable } from './engine/keyed/typed-table.ts'
import type { TypedTable } from './engine/keyed/typed-table.ts'
import { holdsDatabase, openDatabase } from './engine/open-database.ts'
import { typeName } from './engine/schema.ts'
import { databaseRequest } from './lsmt-options.ts'
import type { OpenOptions } from './lsmt-options.ts'
import { runTransaction } from './lsmt-transaction.ts'
import type { TransactionOptions } from './lsmt-transaction.ts'
import { systemClock } from './runtime/clock.ts'
import { createCallPace, systemTurns } from './runtime/pace.ts'
import type { CallPace } from './runtime/pace.ts'
import { systemRandom } from './runtime/random.ts'
import { rowBatches } from './sql/collect.ts'
import type { ResultColumn } from './sql/plan.ts'
import type { Collected } from './sql/result.ts'
import { rowObjects } from './sql/row-objects.ts'
import type { ResultRow } from './sql/row-objects.ts'
import type { StepwiseTransaction } from './sql/run/stepwise-transaction.ts'
import { createSql, sqlSettings } from './sql/sql.ts'
import type { QueryOptions, Sql } from './sql/sql.ts'
import type { SqlParameters } from './sql/slot.ts'
import { addressName } from './storage/open-storage.ts'

export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly ResultRow[]
  /** Rows returned, or rows changed by a write. */
  readonly rowCount: number
}

/** What a function of `transaction` works with: it sees what it has written, and nothing that others write meanwhile. */
export interface Transaction {
  /** As that of the database, within the transaction. A text that fails changes nothing, and the transaction may go on. COMMIT and ROLLBACK are 0A000, changes of the catalog too; SAVEPOINT works. */
  query(sql: string, parameters?: SqlParameters): Promise<QueryResult>
  queryAll(sql: string, parameters?: SqlParameters): Promise<readonly QueryResult[]>
  /** By key, within the transaction. While a scan is read nothing can be written (55000). */
  table<Definition extends TableDefinition>(definition: Definition): TypedTable<Definition>
  table(name: string): KeyedTable
}

export interface Database {
  /** Runs SQL; of several statements, the last one's result. */
  query(sql: string, parameters?: SqlParameters, options?: QueryOptions): Promise<QueryResult>
  /** Runs SQL; one result per statement. */
  queryAll(sql: string, parameters?: SqlParameters, options?: QueryOptions): Promise<readonly QueryResult[]>
  /**
   * The rows of one statement, as they are read, so that a result of any size takes little memory. It runs when the first
   * row is asked for, reads one snapshot, and ends when it is left.
   */
  stream(sql: string, parameters?: SqlParameters, options?: QueryOptions): AsyncGenerator<ResultRow>
  /**
   * Runs the function with a transaction, and commits when it is done: all that it wrote or, when it throws, nothing. It
   * reads one snapshot, and has the tables that it writes for itself from its beginning on, so no two that write the same
   * ones run at once; others (25006) it cannot write. What the function writes by the database itself is not part of it.
   */
  transaction<T>(options: TransactionOptions, run: (transaction: Transaction) => T | Promise<T>): Promise<T>
  /** A table by key, with the types of a definition (`defineTable`). 42P01 when there is none, 42804 when it is another one. */
  table<Definition extends TableDefinition>(definition: Definition): TypedTable<Definition>
  /** A table by key. 42P01 when there is none, 0A000 when it has no primary key. */
  table(name: string): KeyedTable
  hasTable(name: string): boolean
  /** Makes the table of a definition. 42P07 when there is one; with `ifNotExists` that one is opened, as `table` does. */
  createTable<Definition extends TableDefinition>(definition: Definition, options?: { readonly ifNotExists?: boolean }): Promise<TypedTable<Definition>>
  /** The state of this moment, for reads by key; release it when done, since it keeps memory and files. */
  snapshot(): ReadSnapshot
  flush(): Promise<void>
  compact(): Promise<void>
  stats(): EngineStats
  /** Lets work in progress end; acknowledged writes are safe without it, as the durability setting says. */
  close(): Promise<void>
}

/** Opens a database, or makes one. */
export async function open(options: OpenOptions = {}): Promise<Database> {
  const request = databaseRequest(options)
  const { address, settings } = request
  if (options.createIfMissing === false && !(await holdsDatabase(address))) throw new LsmtError('58P01', `the database in ${addressName(address)} does not exist`)
  const engine = await openDatabase(request, { clock: systemClock, random: systemRandom })
  const sql = createSql(engine, sqlSettings(settings)), pace = createCallPace(systemTurns)
  return {
    async queryAll(text, parameters, queryOptions) {
      checkQuery(text, parameters, queryOptions)
      let results: readonly Collected<ResultRow>[] = []
      try {
        results = await sql.queryAs(rowObjects, text, parameters, queryOptions)
        return results.map(queryResult)
      } finally {
        const turn = turnAfter(pace, results.at(-1))
        if (turn !== undefined) await turn
      }
    },
    async query(text, parameters, queryOptions) {
      checkQuery(text, parameters, queryOptions)
      let last: Collected<ResultRow> | undefined
      try {
        last = (await sql.queryAs(rowObjects, text, parameters, queryOptions)).at(-1)!
        return queryResult(last)
      } finally {
        const turn = turnAfter(pace, last)
        if (turn !== undefined) await turn
      }
    },
    stream: (text, parameters, queryOptions) => streamRows(sql, pace, text, parameters, queryOptions),
    async transaction(transactionOptions, run) {
      checkFunction(run, 'what a transaction runs')
      return await runTransaction(sql, transactionOptions, (stepwise) => run(transactionOf(sql, pace, stepwise)))
    },
    table: tableOf(engine),
    hasTable(name) {
      checkText(name, 'the name of a table')
      return engine.table(name) !== undefined
    },
    createTable: (definition, { ifNotExists = false } = {}) => createTypedTable(engine, definition, ifNotExists),
    snapshot: () => new ReadSnapshot(engine),
    flush: engine.flush,
    compact: engine.compact,
    stats: engine.stats,
    close: engine.close,
  }
}

const queryOptionNames = ['signal', 'mayWrite', 'oneWithRows', 'idempotencyKey', 'maxStorageRequests']

/** 22023 for what cannot be run, so that nothing is asked for in vain. */
function checkQuery(text: string, parameters: SqlParameters | undefined, options: QueryOptions | undefined): void {
  checkText(text, 'the SQL')
  if (parameters !== undefined) checkObject(parameters, 'what holds the parameters (an array, or by name)')
  if (options === undefined) return
  checkOptions(options, queryOptionNames, 'the options of a query')
  const { signal, idempotencyKey } = options
  if (signal !== undefined && typeof (signal as Partial<AbortSignal> | null)?.addEventListener !== 'function') throw new LsmtError('22023', `signal is an AbortSignal; it was given as ${described(signal)}`)
  if (idempotencyKey !== undefined) checkText(idempotencyKey, 'the idempotency key')
}

/** The logs give others their turn between writes (src/lsm/log/rounds/), as often as that is due: after rows were written none is waited for again. */
const turnAfter = (pace: CallPace, last: Collected<ResultRow> | undefined): Promise<void> | undefined => (last?.kind === 'write' && last.rowCount > 0 ? undefined : pace())

async function* streamRows(sql: Sql, pace: CallPace, text: string, parameters?: SqlParameters, options?: QueryOptions): AsyncGenerator<ResultRow> {
  checkQuery(text, parameters, options)
  const prepared = sql.prepare(text)
  if (prepared.count > 1) throw new LsmtError('0A000', `a stream is of one statement; the text has ${prepared.count}`, { hint: 'run the others with query()' })
  const running = sql.start(prepared, parameters, options)
  try {
    const result = await running.next()
    if (result === undefined || result.kind === 'schema' || result.kind === 'transaction') return
    for await (const rows of rowBatches(result, rowObjects)) yield* rows
  } finally {
    running.close()
    await pace()
  }
}

function transactionOf(sql: Sql, pace: CallPace, { engine, queryAs }: StepwiseTransaction): Transaction {
  const results = async (text: string, parameters?: SqlParameters, ...more: readonly unknown[]): Promise<readonly Collected<ResultRow>[]> => {
    checkQuery(text, parameters, undefined)
    if (more.some((each) => each !== undefined)) throw new LsmtError('22023', 'a statement of a transaction takes no options: the transaction has them')
    try {
      return await queryAs(rowObjects, sql.prepare(text), parameters)
    } finally {
      await pace()
    }
  }
  return {
    queryAll: async (...given) => (await results(...given)).map(queryResult),
    query: async (...given) => queryResult((await results(...given)).at(-1)!),
    table: tableOf(engine),
  }
}

function tableOf(engine: KeyedEngine): Database['table'] {
  function table<Definition extends TableDefinition>(definition: Definition): TypedTable<Definition>
  function table(name: string): KeyedTable
  function table(given: string | TableDefinition): unknown {
    return typeof given === 'string' ? openKeyedTable(engine, given) : openTypedTable(engine, given)
  }
  return table
}

function queryResult({ columns, rows, rowCount }: Collected<ResultRow>): QueryResult {
  return { columns: columns.length === 0 ? noColumns : shownColumns(columns), rows, rowCount }
}

const noColumns: QueryResult['columns'] = Object.freeze([])
/** By the columns of a plan. All its results share what is told of them, so nobody may change it. */
const shown = new WeakMap<readonly ResultColumn[], QueryResult['columns']>()

function shownColumns(columns: readonly ResultColumn[]): QueryResult['columns'] {
  const known = shown.get(columns)
  if (known !== undefined) return known
  const made = Object.freeze(columns.map(({ name, type }) => Object.freeze({ name, type: typeName(type) })))
  shown.set(columns, made)
  return made
}

export type { BucketOptions, OpenOptions } from './lsmt-options.ts'
export { LsmtError } from './errors.ts'
export type { ErrorCode, Evidence } from './errors.ts'
export type { TransactionOptions } from './lsmt-transaction.ts'
export type { QueryOptions } from './sql/sql.ts'
export type { ResultRow } from './sql/row-objects.ts'
export type { SqlParameters } from './sql/slot.ts'
export { defineTable } from './engine/keyed/define-table.ts'
export type { ColumnDefinition, ColumnDefinitions, DefineTableOptions, KeyOf, KeyPrefixOf, NewRowOf, RowOf, TableDefinition, ValueType } from './engine/keyed/define-table.ts'
export type { TypedTable } from './engine/keyed/typed-table.ts'
export type { EngineStats } from './engine/engine-stats.ts'
export type { KeyRangeOptions, NewUserRow, UserKey, UserRow } from './engine/keyed/kv-codec.ts'
export type { ColumnReader, ColumnReaderOptions } from './engine/keyed/column-reader.ts'
export type { BatchOperation, KeyedTable } from './engine/keyed/kv-table.ts'
export type { KeyReadOptions, KeyScanOptions } from './engine/keyed/keyed-engine.ts'
export type { KeyCursor, ReadColumns } from './engine/keyed/kv-cursor.ts'
export type { ReadSnapshot } from './engine/keyed/read-snapshot.ts'
export type { PutColumnsOptions, UserColumn, UserColumns } from './engine/keyed/kv-columns.ts'
export type { UserValue } from './engine/user-value.ts'
export type { DatabaseSettings, Durability, KernelKind, TreeSettings } from './settings.ts'
