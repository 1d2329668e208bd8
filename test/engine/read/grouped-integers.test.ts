/** GROUP BY and DISTINCT of integers that lie close together, over files, newer runs, memtables and a transaction's own rows, against rows that are grouped here. Needs the compiled reader (`npm run build`). */
import { afterEach, expect, test } from 'vitest'
import { open } from '../../../src/lsmt.ts'
import type { Database, OpenOptions } from '../../../src/lsmt.ts'

const rowCount = 14_000
const small: OpenOptions = { storage: 'memory', durability: 'memory', workers: 0, shards: 2, readerRowsMin: 0, kernelMemoryBytes: 256 * 1024 * 1024, cacheBytesMax: 64 * 1024 * 1024, tree: { rowGroupBytes: 32 * 1024 } }

const opened: Database[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((db) => db.close()))
})

/** Keys with nulls, and from -300 on; some far away where asked for. */
async function openFilled(options: OpenOptions): Promise<Database> {
  const db = await open({ ...small, ...options })
  opened.push(db)
  await db.query('CREATE TABLE t (id BIGINT PRIMARY KEY, k BIGINT, x DOUBLE PRECISION, s TEXT NOT NULL, r TEXT NOT NULL)')
  for (let start = 0; start < rowCount; start += 2_000) {
    const rows = Array.from({ length: 2_000 }, (_, i) => {
      const id = start + i
      return `(${id}, ${id % 101 === 0 ? 'NULL' : ((id * 7919) % 3001) - 300}, ${id % 13 === 0 ? 'NULL' : ((id * 7919) % 100_000) / 100}, 's${(id * 7) % 5}', 'r${(id * 31) % 40}')`
    })
    await db.query(`INSERT INTO t VALUES ${rows.join()}`)
  }
  await db.compact()
  await db.query('DELETE FROM t WHERE id BETWEEN 5000 AND 5400 AND id % 3 = 1')
  await db.query('UPDATE t SET k = k + 2000 WHERE id % 97 = 3')
  await db.flush()
  await db.query("UPDATE t SET x = x + 1.25, s = 'a' WHERE id BETWEEN 700 AND 900")
  return db
}

type Query = Pick<Database, 'query'>
type Cell = string | number | null

interface Group {
  n: number
  present: number
  cents: number
  least: string | null
}

const byKey = "SELECT k, COUNT(*) AS n, COUNT(x) AS present, SUM(x) AS total FROM t GROUP BY k"
const byText = 'SELECT r, COUNT(*) AS n, COUNT(x) AS present, SUM(x) AS total, MIN(s) AS least FROM t GROUP BY r'

/** Of all rows, which are scanned in the order of their keys. */
async function modelOf(db: Query, column: 'k' | 'r', where: (row: Record<string, unknown>) => boolean): Promise<Map<string, Group>> {
  const groups = new Map<string, Group>()
  for (const row of (await db.query('SELECT id, k, x, s, r FROM t ORDER BY id')).rows as Record<string, unknown>[]) {
    if (!where(row)) continue
    const key = String(row[column]), group = groups.get(key) ?? { n: 0, present: 0, cents: 0, least: null }
    groups.set(key, group)
    group.n++
    if (row['x'] !== null) {
      group.present++
      group.cents += Math.round((row['x'] as number) * 100)
    }
    if (group.least === null || (row['s'] as string) < group.least) group.least = row['s'] as string
  }
  return groups
}

async function expectAll(db: Query): Promise<void> {
  for (const [condition, where] of [['', () => true], [' WHERE id % 3 > 0', (row: Record<string, unknown>) => Number(row['id']) % 3 > 0]] as const) {
    for (const [sql, column] of [[byKey, 'k'], [byText, 'r']] as const) {
      const model = await modelOf(db, column, where)
      const found = (await db.query(sql.replace(' GROUP', `${condition} GROUP`))).rows as Record<string, Cell>[]
      const cells = (key: string, n: unknown, present: unknown, cents: number | null, least: unknown): string => [key, n, present, cents, column === 'r' ? least : ''].join()
      expect(found.map((row) => cells(String(row[column]), row['n'], row['present'], row['total'] === null ? null : Math.round((row['total'] as number) * 100), row['least'])).toSorted()).toEqual([...model].map(([key, { n, present, cents, least }]) => cells(key, n, present, present === 0 ? null : cents, least)).toSorted())
    }
    const model = await modelOf(db, 'k', where), keys = [...model.keys()].filter((key) => key !== 'null').map(Number)
    expect((await db.query(`SELECT COUNT(DISTINCT k) AS n, SUM(DISTINCT k) AS s FROM t${condition}`)).rows).toEqual([{ n: keys.length, s: String(keys.reduce((sum, key) => sum + key, 0)) }])
    const [first] = [...model].filter(([, { n }]) => n > 3).toSorted(([a, x], [b, y]) => y.cents - x.cents || Number(a) - Number(b))
    expect((await db.query(`${byKey.replace(' GROUP', `${condition} GROUP`)} HAVING COUNT(*) > 3 ORDER BY SUM(x) DESC, k LIMIT 1`)).rows).toMatchObject([{ n: first![1].n, present: first![1].present }])
  }
}

test.each([['wasm', 0], ['wasm', 1], ['js', 0]] as const)('%s kernels, %i readers: groups are those of the rows', async (kernels, readers) => {
  const db = await openFilled({ kernels, readers })
  // Once more when readers have started.
  for (let round = 0; round <= readers; round++) await expectAll(db)
  await db.transaction({ write: ['t'] }, async (own) => {
    await own.query('UPDATE t SET k = k + 1, x = 2 WHERE id % 50 = 0')
    await own.query('DELETE FROM t WHERE id % 77 = 5')
    await expectAll(own)
  })
  await db.query('INSERT INTO t VALUES (-1, 4000000000000000, 1, $1, $2), (-2, -4000000000000000, 1, $1, $2)', ['s', 'r1'])
  await expectAll(db)
}, 60_000)
