/** Scans shared with reader threads: the answers, errors and memory of one thread, whatever becomes of the readers. Needs the compiled reader (`npm run build`). */
import type { Worker } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import { open } from '../../../src/lsmt.ts'
import type { Database, OpenOptions } from '../../../src/lsmt.ts'
import { fullTests } from '../../kernel/both-kinds.ts'

const rowCount = fullTests ? 100_000 : 12_000
const small: OpenOptions = { storage: 'memory', durability: 'memory', workers: 0, shards: 3, readerRowsMin: 0, kernelMemoryBytes: 256 * 1024 * 1024, cacheBytesMax: 64 * 1024 * 1024, tree: { rowGroupBytes: 8 * 1024 } }

const opened: Database[] = []
const workers: Worker[] = []
const noteWorker = (worker: Worker): void => void workers.push(worker)
process.on('worker', noteWorker)

afterEach(async () => {
  await Promise.all(opened.splice(0).map((db) => db.close()))
  workers.length = 0
})

/** Rows with nulls and ties, a column younger than most files, tombstones, and rows in memory only. */
async function openFilled(options: OpenOptions, rows = rowCount): Promise<Database> {
  const db = await open({ ...small, ...options })
  opened.push(db)
  await db.query('CREATE TABLE t (id BIGINT PRIMARY KEY, n INT, x DOUBLE PRECISION, s TEXT, w TEXT)')
  await insertRows(db, 0, rows)
  await db.compact()
  await db.query("ALTER TABLE t ADD COLUMN late TEXT DEFAULT 'later'")
  // Newer rows, of which some row groups have none: their keys hide what is below them.
  await db.query(`DELETE FROM t WHERE id BETWEEN 5000 AND 5400 AND id % 3 = 1`)
  await db.query('UPDATE t SET x = x + 0.5 WHERE id % 97 = 3 AND id > 900')
  await db.flush()
  await db.query(`UPDATE t SET n = n + 1, late = 'now' WHERE id BETWEEN 700 AND 900`)
  return db
}

async function insertRows(db: Database, from: number, to: number): Promise<void> {
  for (let start = from; start < to; start += 2_000) {
    const rows = Array.from({ length: Math.min(2_000, to - start) }, (_, i) => {
      const id = start + i
      return `(${id}, ${id % 11 === 0 ? 'NULL' : id % 1000}, ${id % 13 === 0 ? 'NULL' : ((id * 7919) % 100_000) / 100}, ${id % 17 === 0 ? 'NULL' : `'s${id % 50}'`}, 'w${(id * 31) % 7001}')`
    })
    await db.query(`INSERT INTO t VALUES ${rows.join()}`)
  }
}

/** Readers start with the first scan that has use for them. */
async function withReaders(db: Database, count: number): Promise<void> {
  while (db.stats().readers.threads < count) {
    await db.query('SELECT SUM(n * 2) FROM t')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const queries = [
  'SELECT COUNT(*), COUNT(n), SUM(n), MIN(n), MAX(n), SUM(x), MIN(x), MAX(x) FROM t WHERE n <> 5',
  'SELECT COUNT(*), SUM(n * 3 - 1), MIN(s), MAX(w), MIN(late) FROM t WHERE s LIKE \'%7\'',
  'SELECT SUM(CASE WHEN s = \'s4\' THEN x ELSE 0 END), COUNT(CASE WHEN x > 500 THEN 1 END) FROM t',
  'SELECT COUNT(DISTINCT w), COUNT(DISTINCT n), SUM(DISTINCT n) FROM t',
  'SELECT s, COUNT(*), SUM(x) FROM t GROUP BY s',
  'SELECT s, COUNT(*), COUNT(n), AVG(x), MIN(w), MAX(w), MIN(n) FROM t GROUP BY s',
  'SELECT n, COUNT(*), SUM(x), MIN(late), MAX(late) FROM t GROUP BY n',
  'SELECT s, n % 10, COUNT(DISTINCT w), SUM(n) FROM t WHERE x > 100 OR n IS NULL GROUP BY s, n % 10',
  'SELECT late, COUNT(*) FROM t GROUP BY late',
  'SELECT DISTINCT s, late FROM t',
  'SELECT id - id % 100, COUNT(*) FROM t GROUP BY id - id % 100',
  'SELECT w, COUNT(*) FROM t WHERE id BETWEEN 1234 AND 10123 GROUP BY w',
  'SELECT id, COUNT(*), SUM(n) FROM t GROUP BY id HAVING COUNT(*) > 1 OR id % 1000 = 7',
]

const answers = async (db: Database): Promise<readonly string[]> => {
  const texts: string[] = []
  for (const sql of queries) texts.push((await db.query(sql)).rows.map((row) => JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))).toSorted().join('\n'))
  return texts
}

test.each([{ kernels: 'wasm', readers: 1 }, { kernels: 'wasm', readers: 2 }, { kernels: 'js', readers: 1 }] as const)('$readers readers with $kernels kernels answer as one thread does', async ({ kernels, readers }) => {
  const alone = await openFilled({ readers: 0 }), db = await openFilled({ kernels, readers })
  const expected = await answers(alone)
  await withReaders(db, readers)
  // A reader that the machine keeps from its core takes part in none of so short scans: then there are more.
  const endMs = performance.now() + 60_000
  for (let round = 0; round < (fullTests ? 5 : 2) || (db.stats().readers.rowGroups === 0 && performance.now() < endMs); round++) {
    const given = await answers(db)
    given.forEach((answer, i) => expect(answer, queries[i]).toBe(expected[i]))
  }
  // At the same time, so that some find no reader free.
  const together = await Promise.all(queries.map((sql) => db.query(sql)))
  together.forEach(({ rowCount: count }, i) => expect(count, queries[i]).toBe(expected[i]!.split('\n').length))
  const { readers: stats } = db.stats()
  expect(stats).toMatchObject({ threads: readers, repeated: 0, trouble: undefined })
  expect(stats.rowGroups).toBeGreaterThan(0)
  expect(alone.stats().readers).toMatchObject({ threads: 0, scans: 0 })
})

test('in a transaction they see what it wrote', async () => {
  const alone = await openFilled({ readers: 0 }), db = await openFilled({ readers: 1 })
  await withReaders(db, 1)
  const text = "BEGIN; UPDATE t SET s = 's1' WHERE id % 5 = 2; SELECT s, COUNT(*), SUM(n) FROM t GROUP BY s ORDER BY s; ROLLBACK"
  const results = async (of: Database): Promise<unknown> => (await of.queryAll(text)).map(({ rows }) => rows)
  expect(await results(db)).toEqual(await results(alone))
})

test('an error is that of one thread', async () => {
  const alone = await openFilled({ readers: 0, shards: 1 }), db = await openFilled({ readers: 1, shards: 1 })
  await withReaders(db, 1)
  const failing = ['SELECT SUM(100 / (id - 11111)) FROM t', 'SELECT SUM(100 / (id - 11111)), SUM(n * 100000000) FROM t WHERE id > 3000', 'SELECT n, SUM(1 / (n - 999)) FROM t GROUP BY n']
  for (const sql of failing) {
    const error = await alone.query(sql).then(() => undefined, (raised: Error) => raised)
    expect(error, sql).toMatchObject({ code: expect.stringMatching(/^22/) })
    for (let round = 0; round < 3; round++) await expect(db.query(sql), sql).rejects.toMatchObject({ code: (error as Error & { code: string }).code, message: error!.message })
  }
  expect(db.stats().readers, JSON.stringify(db.stats().readers)).toMatchObject({ repeated: 9 })
})

test('a reader that dies in a scan is told in the stats, and the scan is done again', async () => {
  const db = await openFilled({ readers: 1 })
  const expected = await answers(db)
  await withReaders(db, 1)
  const running = Promise.all(Array.from({ length: 4 }, () => answers(db)))
  await new Promise((resolve) => setImmediate(resolve))
  await Promise.all(workers.map((worker) => worker.terminate()))
  for (const given of await running) expect(given).toEqual(expected)
  expect(await answers(db)).toEqual(expected)
  expect(db.stats().readers).toMatchObject({ threads: 0, trouble: expect.stringMatching(/a reader thread died/) })
})

test('a scan that is cancelled leaves its readers free for the next', async () => {
  const db = await openFilled({ readers: 1 })
  const expected = await answers(db)
  await withReaders(db, 1)
  for (let round = 0; round < 10; round++) {
    const abort = new AbortController()
    const running = db.query('SELECT w, COUNT(DISTINCT id), SUM(n * 3 + 1), MIN(s) FROM t GROUP BY w', [], { signal: abort.signal })
    setTimeout(() => abort.abort(), round)
    await running.then(() => {}, (error: unknown) => expect(error).toMatchObject({ code: '57014' }))
  }
  const { scans } = db.stats().readers
  expect(await answers(db)).toEqual(expected)
  expect(db.stats().readers.scans).toBeGreaterThan(scans)
})

test.each([{ readers: 2, distinct: 1, when: 'in a scan', told: /a reader thread failed: .*bytes/ }, { readers: 4, distinct: 12, when: 'before it', told: /could not take part: .*bytes/ }])('a reader whose memory does not suffice $when costs no answer', async ({ readers, distinct, told }) => {
  // Their regions, a sixteenth of the memory together, have no room for what they need; the serving thread has.
  const options = { kernelMemoryBytes: 16 * 1024 * 1024, cacheBytesMax: 2 * 1024 * 1024 }
  const alone = await openFilled({ ...options, readers: 0 }), db = await openFilled({ ...options, readers })
  await withReaders(db, readers)
  const sql = `SELECT s, ${Array.from({ length: distinct }, (_, i) => `COUNT(DISTINCT id + ${i})`).join()}, MAX(w) FROM t GROUP BY s ORDER BY s`
  const expected = (await alone.query(sql)).rows
  // Whether one joins before a scan is over is chance, and whether its memory is full before what the groups of the serving thread may use.
  const isTold = (): boolean => told.test(db.stats().readers.trouble ?? '')
  const endMs = performance.now() + 60_000
  while (performance.now() < endMs && !isTold()) expect((await db.query(sql)).rows).toEqual(expected)
  expect(db.stats().readers.trouble).toMatch(told)
})

test('flushes and compactions at the same time change no answer', async () => {
  const db = await openFilled({ readers: 1 })
  const expected = await answers(db)
  await withReaders(db, 1)
  let isOver = false
  const writing = (async () => {
    for (let round = 0; !isOver; round++) {
      // Rows that no query's answer depends on: they come and go within a statement's life.
      await db.query(`BEGIN; INSERT INTO t VALUES (${10_000_000 + round}, 1, 1, 'gone', 'gone', 'gone'); DELETE FROM t WHERE id >= 10000000; COMMIT`)
      await (round % 3 === 2 ? db.compact() : db.flush())
    }
  })()
  for (let round = 0; round < (fullTests ? 8 : 2); round++) expect(await answers(db)).toEqual(expected)
  isOver = true
  await writing
})
