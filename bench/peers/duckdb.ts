/** DuckDB with its default settings, which use every core. A commit is synced, whatever is asked for; what an appender took is committed when it is closed. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Sale } from '../sql/sales.ts'
import { isInstalled, load } from './installed.ts'
import { insertText } from './peer.ts'
import type { Loading, Peer, PeerKind, PeerRows } from './peer.ts'

interface Reader {
  getRowObjectsJS(): PeerRows
}

interface Statement {
  bindBigInt(index: number, value: bigint): void
  runAndReadAll(): Promise<Reader>
}

interface Appender {
  appendBigInt(value: bigint): void
  appendDouble(value: number): void
  appendVarchar(value: string): void
  endRow(): void
  closeSync(): void
}

interface Connection {
  prepare(sql: string): Promise<Statement>
  runAndReadAll(sql: string): Promise<Reader>
  createAppender(table: string): Promise<Appender>
  closeSync(): void
}

interface Module {
  readonly DuckDBInstance: { create(path: string): Promise<{ connect(): Promise<Connection>; closeSync(): void }> }
}

const name = '@duckdb/node-api'

export const duckdb: PeerKind = {
  name: 'duckdb',
  commits: ['synced'],
  isInstalled: () => isInstalled(name),
  async open(directory) {
    mkdirSync(directory, { recursive: true })
    const { DuckDBInstance } = load(name) as Module
    const instance = await DuckDBInstance.create(join(directory, 'sales.duckdb'))
    const connection = await instance.connect()
    await connection.runAndReadAll('CREATE TABLE IF NOT EXISTS sales (id BIGINT PRIMARY KEY, ts BIGINT NOT NULL, user_id BIGINT NOT NULL, region TEXT NOT NULL, amount DOUBLE NOT NULL, status TEXT NOT NULL)')
    const another = await instance.connect()
    return {
      loadings: [appender(connection), texts(connection)],
      query: prepared(connection), beside: prepared(another),
      async settle() {
        await connection.runAndReadAll('CHECKPOINT')
      },
      close() {
        another.closeSync()
        connection.closeSync()
        instance.closeSync()
      },
    }
  },
}

function prepared(connection: Connection): Peer['query'] {
  const statements = new Map<string, Statement>()
  return async (sql, parameters = []) => {
    const statement = statements.get(sql) ?? (await connection.prepare(sql))
    statements.set(sql, statement)
    parameters.forEach((value, index) => statement.bindBigInt(index + 1, BigInt(value)))
    return (await statement.runAndReadAll()).getRowObjectsJS()
  }
}

/** It is made for the first rows: while it is open, others see nothing of what it took. */
function appender(connection: Connection): Loading {
  let rows: Appender | undefined
  return {
    name: 'appender',
    prepare: (sales) => async () => {
      rows ??= await connection.createAppender('sales')
      for (const sale of sales) append(rows, sale)
    },
    finish() {
      rows?.closeSync()
      rows = undefined
    },
  }
}

function append(rows: Appender, { id, ts, user_id, region, amount, status }: Sale): void {
  rows.appendBigInt(BigInt(id))
  rows.appendBigInt(BigInt(ts))
  rows.appendBigInt(BigInt(user_id))
  rows.appendVarchar(region)
  rows.appendDouble(amount)
  rows.appendVarchar(status)
  rows.endRow()
}

const texts = (connection: Connection): Loading => ({
  name: 'INSERT as text',
  prepare(rows) {
    const sql = insertText(rows)
    return () => connection.runAndReadAll(sql)
  },
})
