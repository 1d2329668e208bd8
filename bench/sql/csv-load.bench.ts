/**
 * A CSV file into an empty table with a primary key, durable at the end: the importer of lsmt beside DuckDB's `COPY` and,
 * since SQLite reads no files, a prepared INSERT in one transaction over lines that are split by hand (the file has no
 * quotes). lsmt reads the file as its command line does. Each contestant loads into a new database each time; opening it is not counted.
 *
 * `LSMT_BENCH_ROWS` sets the rows (1,000,000).
 */
import { createReadStream, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type * as EngineModule from '../../src/engine/open-engine.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { systemRandom } from '../../src/runtime/random.ts'
import { defaultDatabaseSettings } from '../../src/settings.ts'
import type * as ImportModule from '../../src/sql/import/import-rows.ts'
import type * as SqlModule from '../../src/sql/sql.ts'
import type * as FileModule from '../../src/storage/local/plain-file.ts'
import type * as StorageModule from '../../src/storage/local-storage.ts'
import { measureContestants } from '../harness.ts'
import type { BenchNote, BenchOptions, Contestant, Measurement } from '../harness.ts'
import { isInstalled, load, missingPeer } from '../peers/installed.ts'
import { makeSales, saleAt } from './sales.ts'

const bench = 'sql/csv-load'
const createTable = 'CREATE TABLE sales (id BIGINT PRIMARY KEY, ts BIGINT NOT NULL, user_id BIGINT NOT NULL, region TEXT NOT NULL, amount DOUBLE PRECISION NOT NULL, status TEXT NOT NULL)'
const check = 'SELECT count(*) AS n, max(ts) AS latest, count(DISTINCT user_id) AS users, count(DISTINCT region) AS regions FROM sales'

/** Loads the file into a database of the empty directory. */
type LoadCsv = (directory: string, path: string) => Promise<{ readonly elapsedMs: number; readonly answer: readonly unknown[] }>

export async function* measure({ smoke }: BenchOptions): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const rowCount = Number(process.env['LSMT_BENCH_ROWS'] ?? (smoke ? 5_000 : 1_000_000))
  const root = mkdtempSync(join(tmpdir(), 'lsmt-bench-csv-'))
  try {
    const path = join(root, 'sales.csv')
    await writeCsv(path, rowCount)
    const contestants = [contestant('lsmt, import', root, path, rowCount, loadLsmt)]
    for (const [name, title, loadCsv] of others) {
      if (isInstalled(name)) contestants.push(contestant(title, root, path, rowCount, loadCsv))
      else yield missingPeer(bench, name)
    }
    yield await measureContestants(bench, contestants, smoke ? 1 : 3)
    yield { bench, note: `a file of ${(statSync(path).size / 1e6).toFixed(1)} MB` }
  } finally {
    rmSync(root, { recursive: true })
  }
}

async function writeCsv(path: string, rowCount: number): Promise<void> {
  const sales = makeSales(rowCount)
  const file = await open(path, 'w')
  await file.write('id,ts,user_id,region,amount,status\n')
  for (let from = 0; from < rowCount; from += 1000) {
    const lines = Array.from({ length: Math.min(1000, rowCount - from) }, (_, i) => Object.values(saleAt(sales, from + i)).join(','))
    await file.write(`${lines.join('\n')}\n`)
  }
  await file.close()
}

function contestant(name: string, root: string, path: string, operations: number, loadCsv: LoadCsv): Contestant {
  return {
    name,
    async run() {
      const directory = mkdtempSync(join(root, 'db-'))
      const { elapsedMs, answer } = await loadCsv(directory, path)
      rmSync(directory, { recursive: true })
      return { elapsedMs, operations, answer: answer.map(String).join(' ') }
    },
  }
}

async function elapsed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await run()
  return performance.now() - start
}

interface ImportModules {
  readonly openEngine: typeof EngineModule.openEngine
  readonly openLocalStorage: typeof StorageModule.openLocalStorage
  readonly openPlainFile: typeof FileModule.openPlainFile
  readonly importRows: typeof ImportModule.importRows
  readonly createSql: typeof SqlModule.createSql
}

/** What an import is made of, built as the package is: what runs sources directly wraps every function that they make. */
async function builtModules(): Promise<ImportModules> {
  const outfile = fileURLToPath(new URL('../../build/csv-load-bench.mjs', import.meta.url)), resolveDir = fileURLToPath(new URL('../../src', import.meta.url))
  const contents = `export { openEngine } from './engine/open-engine.ts'
export { openLocalStorage } from './storage/local-storage.ts'
export { openPlainFile } from './storage/local/plain-file.ts'
export { importRows } from './sql/import/import-rows.ts'
export { createSql } from './sql/sql.ts'`
  await build({ stdin: { contents, resolveDir }, outfile, bundle: true, format: 'esm', platform: 'node', target: 'node20', packages: 'external', logLevel: 'warning' })
  return (await import(outfile)) as ImportModules
}

const loadLsmt: LoadCsv = async (directory, path) => {
  const { openEngine, openLocalStorage, openPlainFile, importRows, createSql } = await builtModules()
  const storage = await openLocalStorage(directory)
  const engine = await openEngine({ storage, settings: defaultDatabaseSettings, clock: systemClock, random: systemRandom, storageAddress: { kind: 'local', directory } })
  const sql = createSql(engine)
  await sql.query(createTable)
  const elapsedMs = await elapsed(async () => importRows(engine, { table: 'sales', source: (await openPlainFile(path)).read(), format: 'csv', onError: 'stop', clock: systemClock }))
  const answer = (await sql.query(check))[0]!.rows[0]!
  await engine.close()
  await storage.close()
  return { elapsedMs, answer }
}

interface DuckdbConnection {
  runAndReadAll(sql: string): Promise<{ getRowsJS(): readonly (readonly unknown[])[] }>
  closeSync(): void
}

const loadDuckdb: LoadCsv = async (directory, path) => {
  const { DuckDBInstance } = load('@duckdb/node-api') as { readonly DuckDBInstance: { create(path: string): Promise<{ connect(): Promise<DuckdbConnection>; closeSync(): void }> } }
  mkdirSync(directory, { recursive: true })
  const instance = await DuckDBInstance.create(join(directory, 'sales.duckdb'))
  const connection = await instance.connect()
  await connection.runAndReadAll(createTable)
  const elapsedMs = await elapsed(() => connection.runAndReadAll(`COPY sales FROM '${path}' (HEADER)`))
  const answer = (await connection.runAndReadAll(check)).getRowsJS()[0]!
  connection.closeSync()
  instance.closeSync()
  return { elapsedMs, answer }
}

interface SqliteConnection {
  prepare(sql: string): { run(...values: readonly unknown[]): unknown; raw(): { all(): readonly (readonly unknown[])[] } }
  exec(sql: string): unknown
  close(): void
}

const loadSqlite: LoadCsv = async (directory, path) => {
  const Connection = load('better-sqlite3') as new (path: string) => SqliteConnection
  const connection = new Connection(join(directory, 'sales.sqlite'))
  connection.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ${createTable.replace('BIGINT PRIMARY KEY', 'INTEGER PRIMARY KEY')}`)
  const insert = connection.prepare('INSERT INTO sales VALUES (?, ?, ?, ?, ?, ?)')
  const elapsedMs = await elapsed(async () => {
    connection.exec('BEGIN')
    let isHeader = true
    for await (const line of createInterface(createReadStream(path))) {
      if (!isHeader) insert.run(...line.split(','))
      isHeader = false
    }
    connection.exec('COMMIT')
  })
  const answer = connection.prepare(check).raw().all()[0]!
  connection.close()
  return { elapsedMs, answer }
}

/** By package. */
const others: readonly (readonly [name: string, title: string, loadCsv: LoadCsv])[] = [['@duckdb/node-api', 'duckdb, COPY', loadDuckdb], ['better-sqlite3', 'sqlite, a prepared INSERT', loadSqlite]]
