/**
 * SQLite through better-sqlite3: a write-ahead log, a cache as large as lsmt's, a table that is its own index. It knows no
 * writes at the same time, so where several are under way those of one turn share a transaction, as a program with many
 * writers would have it.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { isInstalled, load, versionOf } from '../installed.ts'
import { cacheBytes } from './store.ts'
import type { KeyValuePeer, Visit, Write } from './store.ts'
import { sharedTransactions } from './shared-transactions.ts'

interface Statement {
  run(...parameters: readonly unknown[]): unknown
  get(...parameters: readonly unknown[]): unknown
  all(...parameters: readonly unknown[]): readonly (readonly [string, string])[]
  iterate(...parameters: readonly unknown[]): Iterable<readonly [string, string]>
  pluck(): Statement
  raw(): Statement
}

interface Connection {
  prepare(sql: string): Statement
  exec(sql: string): unknown
  transaction<Arguments extends readonly unknown[]>(run: (...given: Arguments) => void): (...given: Arguments) => void
  close(): void
}

const name = 'better-sqlite3'

export const sqlite: KeyValuePeer = {
  name,
  describe: () => `${versionOf(name)}; prepared statements over a table WITHOUT ROWID, journal_mode WAL, mmap_size 1 GiB; synchronous OFF, or FULL where writes are synced`,
  isInstalled: () => isInstalled(name),
  async open(directory, answered) {
    mkdirSync(directory, { recursive: true })
    const SqliteDatabase = load(name) as new (path: string) => Connection
    const connection = new SqliteDatabase(join(directory, 'kv.sqlite'))
    connection.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${answered === 'synced' ? 'FULL' : 'OFF'}; PRAGMA cache_size = -${cacheBytes / 1024}; PRAGMA mmap_size = 1073741824`)
    connection.exec('CREATE TABLE IF NOT EXISTS kv (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID')
    return await Promise.resolve(storeOf(connection, answered === 'synced'))
  },
}

function storeOf(connection: Connection, isSynced: boolean) {
  const put = connection.prepare('REPLACE INTO kv VALUES (?, ?)')
  const remove = connection.prepare('DELETE FROM kv WHERE key = ?')
  const get = connection.prepare('SELECT value FROM kv WHERE key = ?').pluck()
  const all = connection.prepare('SELECT key, value FROM kv ORDER BY key').raw()
  const range = connection.prepare('SELECT key, value FROM kv WHERE key >= ? ORDER BY key LIMIT ?').raw()
  const writeBatch = connection.transaction((writes: readonly Write[]) => {
    for (const { key, value } of writes) {
      if (value === undefined) remove.run(key)
      else put.run(key, value)
    }
  })
  const together = sharedTransactions(writeBatch)
  return {
    put: (key: string, value: string) => (isSynced ? together({ key, value }) : void put.run(key, value)),
    putBatch: connection.transaction((keys: readonly string[], values: readonly string[]) => {
      for (let i = 0; i < keys.length; i++) put.run(keys[i], values[i])
    }),
    writeBatch,
    getSync: (key: string) => get.get(key) as string | undefined,
    range(from: string | undefined, limit: number | undefined, visit: Visit) {
      const rows = limit === undefined ? all.iterate() : range.all(from ?? '', limit)
      for (const [key, value] of rows) visit(key, value)
    },
    settle: () => void connection.exec('PRAGMA wal_checkpoint(TRUNCATE)'),
    close: () => connection.close(),
  }
}
