/**
 * lsmt as an embedded database, with its default settings: the built package, since what runs sources directly wraps
 * every function that they make.
 */
import type * as Lsmt from '../../src/lsmt.ts'
import { insertText } from './peer.ts'
import type { Loading, OpenPeer, Peer, PeerKind } from './peer.ts'

export const lsmt: PeerKind = lsmtWith({})

/** With other settings than its defaults. */
export function lsmtWith(options: Lsmt.OpenOptions): PeerKind {
  return {
    name: 'lsmt',
    commits: ['synced', 'unsynced'],
    isInstalled: () => true,
    open: (directory, commits = 'synced') => openSales({ durability: commits === 'synced' ? 'sync' : 'interval', ...options, dataDir: directory }),
  }
}

async function openSales(options: Lsmt.OpenOptions): Promise<OpenPeer> {
  const { open } = (await import(new URL('../../dist/lsmt.js', import.meta.url).href)) as typeof Lsmt
  const db = await open(options)
  await db.query('CREATE TABLE IF NOT EXISTS sales (id BIGINT PRIMARY KEY, ts BIGINT NOT NULL, user_id BIGINT NOT NULL, region TEXT NOT NULL, amount DOUBLE PRECISION NOT NULL, status TEXT NOT NULL)')
  const query: Peer['query'] = async (sql, parameters) => (await db.query(sql, parameters)).rows
  return {
    loadings: [batches(db), texts(db)],
    query, beside: query,
    settle: () => db.compact(),
    close: () => db.close(),
  }
}

const batches = (db: Lsmt.Database): Loading => ({
  name: 'batches of a keyed table',
  prepare(rows) {
    const operations = rows.map((row) => ({ put: { ...row } }))
    return () => db.table('sales').batch(operations)
  },
})

const texts = (db: Lsmt.Database): Loading => ({
  name: 'INSERT as text',
  prepare(rows) {
    const sql = insertText(rows)
    return () => db.query(sql)
  },
})
