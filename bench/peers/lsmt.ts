/**
 * lsmt as an embedded database, with its default settings: the built package, since what runs sources directly wraps
 * every function that they make.
 */
import type * as Lsmt from '../../src/lsmt.ts'
import { saleAt } from '../sql/sales.ts'
import type { Sales } from '../sql/sales.ts'
import { insertText, statementRanges } from './peer.ts'
import type { Loading, Peer, PeerKind } from './peer.ts'

export const lsmt: PeerKind = {
  name: 'lsmt',
  isInstalled: () => true,
  async open(directory) {
    const { open } = (await import(new URL('../../dist/lsmt.js', import.meta.url).href)) as typeof Lsmt
    const db = await open({ dataDir: directory })
    await db.query('CREATE TABLE IF NOT EXISTS sales (id BIGINT PRIMARY KEY, ts BIGINT NOT NULL, user_id BIGINT NOT NULL, region TEXT NOT NULL, amount DOUBLE PRECISION NOT NULL, status TEXT NOT NULL)')
    const query: Peer['query'] = async (sql, parameters) => (await db.query(sql, parameters)).rows
    return {
      loadings: [batches(db), texts(db)],
      query, beside: query,
      settle: () => db.compact(),
      close: () => db.close(),
    }
  },
}

const batches = (db: Lsmt.Database): Loading => ({
  name: 'batches of a keyed table',
  async load(sales: Sales, from: number, to: number) {
    const table = db.table('sales')
    for (const [start, end] of statementRanges(from, to)) {
      await table.batch(Array.from({ length: end - start }, (_, i) => ({ put: { ...saleAt(sales, start + i) } })))
    }
  },
})

const texts = (db: Lsmt.Database): Loading => ({
  name: 'INSERT as text',
  async load(sales, from, to) {
    for (const [start, end] of statementRanges(from, to)) await db.query(insertText(Array.from({ length: end - start }, (_, i) => saleAt(sales, start + i))))
  },
})
