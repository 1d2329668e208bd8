/** SQLite through better-sqlite3: write-ahead log, a cache as large as lsmt's, the key as its row id, statistics gathered. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { isInstalled, load } from './installed.ts'
import { insertText } from './peer.ts'
import type { Loading, Peer, PeerKind, PeerRows } from './peer.ts'

interface Statement {
  all(...parameters: readonly unknown[]): PeerRows
  run(...parameters: readonly unknown[]): unknown
}

interface Connection {
  prepare(sql: string): Statement
  exec(sql: string): unknown
  close(): void
}

const name = 'better-sqlite3'

export const sqlite: PeerKind = {
  name: 'sqlite',
  commits: ['synced', 'unsynced'],
  isInstalled: () => isInstalled(name),
  async open(directory, commits = 'synced') {
    mkdirSync(directory, { recursive: true })
    const SqliteDatabase = load(name) as new (path: string) => Connection
    const connection = new SqliteDatabase(join(directory, 'sales.sqlite'))
    // NORMAL syncs nothing but checkpoints: a commit is durable only with FULL.
    connection.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${commits === 'synced' ? 'FULL' : 'NORMAL'}; PRAGMA cache_size = -262144; PRAGMA mmap_size = 1073741824; PRAGMA temp_store = MEMORY`)
    connection.exec('CREATE TABLE IF NOT EXISTS sales (id INTEGER PRIMARY KEY, ts INTEGER NOT NULL, user_id INTEGER NOT NULL, region TEXT NOT NULL, amount REAL NOT NULL, status TEXT NOT NULL)')
    const prepared = new Map<string, Statement>()
    const query: Peer['query'] = (sql, parameters = []) => {
      const statement = prepared.get(sql) ?? connection.prepare(sql.replaceAll(/\$[0-9]+/g, '?'))
      prepared.set(sql, statement)
      return statement.all(...parameters)
    }
    return await Promise.resolve({
      loadings: [statements(connection), texts(connection)],
      query, beside: query,
      async settle() {
        connection.exec('ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)')
        await Promise.resolve()
      },
      close: () => connection.close(),
    })
  },
}

const statements = (connection: Connection): Loading => {
  const insert = connection.prepare('INSERT INTO sales VALUES (?, ?, ?, ?, ?, ?)')
  return {
    name: 'a prepared INSERT, 1,000 rows a transaction',
    prepare: (rows) => () => {
      connection.exec('BEGIN')
      for (const { id, ts, user_id, region, amount, status } of rows) insert.run(id, ts, user_id, region, amount, status)
      connection.exec('COMMIT')
    },
  }
}

const texts = (connection: Connection): Loading => ({
  name: 'INSERT as text',
  prepare(rows) {
    const sql = insertText(rows)
    return () => void connection.exec(sql)
  },
})
