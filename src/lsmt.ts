/**
 * The package's entry: a database inside this process.
 *
 *   const db = await open({ dataDir: './data' })
 *   await db.query('INSERT INTO kv VALUES ($1, $2)', ['hello', 'world'])
 *   db.table('kv').getSync('hello')
 *   await db.close()
 */
import { LsmtError } from './errors.ts'
import type { EngineStats } from './engine/engine.ts'
import { openKeyedTable } from './engine/keyed/kv-table.ts'
import type { KeyedTable } from './engine/keyed/kv-table.ts'
import { openEngine } from './engine/open-engine.ts'
import { typeName } from './engine/schema.ts'
import type { UserValue } from './engine/user-value.ts'
import { systemClock } from './runtime/clock.ts'
import { systemRandom } from './runtime/random.ts'
import { defaultDatabaseSettings } from './settings.ts'
import type { DatabaseSettings, TreeSettings } from './settings.ts'
import { createSql, sqlSettings } from './sql/sql.ts'
import type { CollectedResult } from './sql/result.ts'
import type { QueryOptions } from './sql/sql.ts'
import type { SqlParameters } from './sql/slot.ts'
import { openLocalStorage } from './storage/local-storage.ts'
import { createMemoryStorage } from './storage/memory-storage.ts'

export interface OpenOptions extends Partial<Omit<DatabaseSettings, 'tree'>> {
  /** Default './data'; created if absent. One process at a time (55006). */
  readonly dataDir?: string
  /** 'memory' keeps nothing when the database is closed. Default 'local'. */
  readonly storage?: 'local' | 'memory'
  readonly tree?: Partial<TreeSettings>
}

export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  /** By column name; of columns that share a name the last counts. */
  readonly rows: readonly Readonly<Record<string, UserValue>>[]
  /** Rows returned, or rows changed by a write. */
  readonly rowCount: number
}

export interface Database {
  /** Runs SQL; of several statements, the last one's result. */
  query(sql: string, parameters?: SqlParameters, options?: QueryOptions): Promise<QueryResult>
  /** Runs SQL; one result per statement. */
  queryAll(sql: string, parameters?: SqlParameters, options?: QueryOptions): Promise<readonly QueryResult[]>
  /** A table by key. 42P01 when there is none, 0A000 when it has no primary key. */
  table(name: string): KeyedTable
  flush(): Promise<void>
  compact(): Promise<void>
  stats(): EngineStats
  /** Lets work in progress end; acknowledged writes are safe without it, as the durability setting says. */
  close(): Promise<void>
}

/** Opens a database, or makes one. */
export async function open(options: OpenOptions = {}): Promise<Database> {
  const { dataDir = './data', storage: kind = 'local' } = options
  const settings = databaseSettings(options)
  const storage = await openStorage(kind, dataDir)
  const engine = await openEngine({
    storage,
    settings,
    clock: systemClock,
    random: systemRandom,
    isShardCountGiven: options.shards !== undefined,
    ...(kind === 'local' && { storageDirectory: dataDir }),
  }).catch(async (error: unknown) => {
    await storage.close()
    throw error
  })
  const sql = createSql(engine, sqlSettings(settings))
  const queryAll: Database['queryAll'] = async (text, parameters, queryOptions) => (await sql.query(text, parameters, queryOptions)).map(queryResult)
  return {
    queryAll,
    async query(text, parameters, queryOptions) {
      const results = await sql.query(text, parameters, queryOptions)
      return queryResult(results.at(-1)!)
    },
    table: (name) => openKeyedTable(engine, name),
    flush: engine.flush,
    compact: engine.compact,
    stats: engine.stats,
    async close() {
      await engine.close()
      await storage.close()
    },
  }
}

async function openStorage(kind: 'local' | 'memory', dataDir: string): ReturnType<typeof openLocalStorage> {
  switch (kind) {
    case 'local':
      return openLocalStorage(dataDir)
    case 'memory':
      return createMemoryStorage()
    default:
      throw new LsmtError('22023', `storage is 'local' or 'memory', not '${String(kind)}'`)
  }
}

const settingNames = Object.keys(defaultDatabaseSettings)
const treeSettingNames = Object.keys(defaultDatabaseSettings.tree)

/** The defaults with what was given; a name that is no setting is refused, since it would change nothing. */
function databaseSettings(options: OpenOptions): DatabaseSettings {
  const { dataDir: _, storage: __, tree = {}, ...given } = options
  for (const name of Object.keys(given)) if (!settingNames.includes(name)) throw new LsmtError('22023', `'${name}' is no option; options are dataDir, storage, ${settingNames.join(', ')}`)
  for (const name of Object.keys(tree)) if (!treeSettingNames.includes(name)) throw new LsmtError('22023', `'tree.${name}' is no option; tree options are ${treeSettingNames.join(', ')}`)
  return { ...defaultDatabaseSettings, ...defined(given), tree: { ...defaultDatabaseSettings.tree, ...defined(tree) } }
}

/** Without the fields that are undefined. */
function defined<T extends object>(given: T): Partial<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<T>
}

function queryResult({ columns, rows, rowCount }: CollectedResult): QueryResult {
  return {
    columns: columns.map(({ name, type }) => ({ name, type: typeName(type) })),
    rows: rowObjects(columns.map(({ name }) => name), rows),
    rowCount,
  }
}

/** Assignments in one order cost a twentieth of `Object.fromEntries`, which is right for any name. */
function rowObjects(names: readonly string[], rows: readonly (readonly UserValue[])[]): readonly Record<string, UserValue>[] {
  if (names.includes('__proto__')) return rows.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i]!])))
  return rows.map((row) => {
    const object: Record<string, UserValue> = {}
    for (let i = 0; i < names.length; i++) object[names[i]!] = row[i]!
    return object
  })
}

export { LsmtError } from './errors.ts'
export type { ErrorCode, Evidence } from './errors.ts'
export type { EngineStats } from './engine/engine.ts'
export type { BatchOperation, KeyedTable, KeyScanOptions, UserKey, UserRow } from './engine/keyed/kv-table.ts'
export type { UserColumn, UserColumns } from './engine/keyed/kv-columns.ts'
export type { UserValue } from './engine/user-value.ts'
export type { DatabaseSettings, Durability, KernelKind, TreeSettings } from './settings.ts'
