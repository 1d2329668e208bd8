/** What queries read is counted: those that can find their rows by keys never scan, those that may stop do. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import type { ReadStats } from '../../src/lsm/tree.ts'
import { createSql } from '../../src/sql/sql.ts'
import type { Sql } from '../../src/sql/sql.ts'
import type { SqlParameters } from '../../src/sql/slot.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import { openTestEngine } from '../engine/open-test-engine.ts'

const rowCount = 6_000
let engine: Engine
let sql: Sql

beforeAll(async () => {
  engine = await openTestEngine(createMemoryStorage(), { kernels: 'wasm', shards: 2, tree: { rowGroupBytes: 1_024 } })
  sql = createSql(engine)
  await sql.query('CREATE TABLE big (id BIGINT PRIMARY KEY, n BIGINT, t TEXT); CREATE TABLE pairs (a INT, b INT, t TEXT, PRIMARY KEY (a, b)); CREATE TABLE names (name TEXT PRIMARY KEY, n BIGINT); CREATE TABLE few (id BIGINT PRIMARY KEY, ref BIGINT)')
  const rows = (make: (i: number) => string): string => Array.from({ length: rowCount }, (_, i) => make(i)).join(', ')
  await sql.query(`INSERT INTO big VALUES ${rows((i) => `(${i}, ${i % 100}, 't${i}')`)}`)
  await sql.query(`INSERT INTO pairs VALUES ${rows((i) => `(${Math.floor(i / 10)}, ${i % 10}, 't${i}')`)}`)
  await sql.query(`INSERT INTO names VALUES ${rows((i) => `('name ${String(i).padStart(5, '0')}', ${i})`)}`)
  await sql.query('INSERT INTO few VALUES (1, 10), (2, 2000), (3, NULL), (4, 5999), (5, 10), (6, 77777)')
  await engine.flush()
  await engine.compact()
})

afterAll(async () => {
  await engine.close()
})

interface Answer {
  readonly rows: readonly (readonly unknown[])[]
  readonly stats: ReadStats
  readonly rowGroupsRead: number
}

async function ask(text: string, parameters: SqlParameters = []): Promise<Answer> {
  for await (const result of sql.run(text, parameters)) {
    if (result.kind !== 'rows') throw new Error('rows were expected')
    const rows: (readonly unknown[])[] = []
    for await (const batch of Array.isArray(result.rows) ? [result.rows] : result.rows) rows.push(...batch)
    return { rows, stats: result.stats, rowGroupsRead: result.stats.rowGroupsTotal - result.stats.rowGroupsPruned }
  }
  throw new Error('there was no statement')
}

/** No row group was even looked at: rows came by their keys. */
async function byKeys(text: string, parameters: SqlParameters = []): Promise<Answer['rows']> {
  const { rows, stats } = await ask(text, parameters)
  expect(stats.rowGroupsTotal, text).toBe(0)
  return rows
}

test('a scan of the table does look at row groups', async () => {
  expect((await ask('SELECT COUNT(t) FROM big WHERE t > $1', ['x'])).stats.rowGroupsTotal).toBeGreaterThan(50)
})

describe('lists of keys', () => {
  test('IN reads each key once, in key order', async () => {
    expect(await byKeys('SELECT id FROM big WHERE id IN (7, 3, 7, NULL, 99999, 3.0, 2.5)')).toEqual([[3], [7]])
    expect(await byKeys('SELECT id FROM big WHERE id IN ($1, $2, $3) ORDER BY id DESC', [5, 1, '9'])).toEqual([[9], [5], [1]])
    expect(await byKeys("SELECT n FROM names WHERE name IN ('name 00042', 'x', 'name 00007')")).toEqual([[7], [42]])
  })

  test('the other conditions hold', async () => {
    expect(await byKeys('SELECT id FROM big WHERE id IN (3, 103, 204) AND n = 3 AND t <> $1', ['t3'])).toEqual([[103]])
    expect(await byKeys('SELECT id FROM big WHERE id IN (1, 2, 3) AND id IN (2, 3, 4) AND id > 2')).toEqual([[3]])
    expect(await byKeys('SELECT id FROM big WHERE id = 5 AND n = 5')).toEqual([[5]])
    expect(await byKeys('SELECT id FROM big WHERE id = 5 AND id = 6')).toEqual([])
  })

  test('an OR of equalities is a list', async () => {
    expect(await byKeys('SELECT id FROM big WHERE id = 4 OR id = 2 OR id IN (9, 2)')).toEqual([[2], [4], [9]])
    expect(await byKeys('SELECT b FROM pairs WHERE (a = 3 AND b = 4) OR (b = 1 AND a = 5) OR (a = 3 AND b = 4)')).toEqual([[4], [1]])
    expect(await byKeys('SELECT b FROM pairs WHERE a = 3 AND (b = 4 OR b = 6)')).toEqual([[4], [6]])
    expect(await byKeys('SELECT a, b FROM pairs WHERE a IN (1, 2) AND b IN (0, 9)')).toEqual([[1, 0], [1, 9], [2, 0], [2, 9]])
  })

  test('thousands of keys', async () => {
    const keys = Array.from({ length: 3_000 }, (_, i) => i * 2)
    const rows = await byKeys(`SELECT id FROM big WHERE id IN (${keys.map((_, i) => `$${i + 1}`).join(', ')})`, keys)
    expect(rows).toEqual(keys.map((key) => [key]))
  })

  test('LIMIT stops reading', async () => {
    const all = await ask('SELECT t FROM big WHERE id IN (1, 1001, 2001, 3001, 4001, 5001)')
    const one = await ask('SELECT t FROM big WHERE id IN (1, 1001, 2001, 3001, 4001, 5001) LIMIT 1')
    expect([all.rows.length, one.rows.length]).toEqual([6, 1])
  })
})

describe('ranges', () => {
  test('a list on the first columns of a key is a few ranges', async () => {
    const { rows, rowGroupsRead } = await ask('SELECT a, b FROM pairs WHERE a IN (500, 7, 250)')
    expect(rows).toEqual([7, 250, 500].flatMap((a) => Array.from({ length: 10 }, (_, b) => [a, b])))
    expect(rowGroupsRead).toBeLessThanOrEqual(12)
  })

  test('LIKE reads the texts that begin so', async () => {
    expect((await ask("SELECT n FROM names WHERE name LIKE 'name 0001%'")).rows.length).toBe(10)
    expect((await ask("SELECT n FROM names WHERE name LIKE 'name 0001%'")).rowGroupsRead).toBeLessThanOrEqual(4)
    expect(await byKeys("SELECT n FROM names WHERE name LIKE 'name 00017'")).toEqual([[17]])
    expect(await byKeys('SELECT n FROM names WHERE name LIKE NULL')).toEqual([])
    expect((await ask("SELECT n FROM names WHERE name LIKE '%0001%'")).rows.length).toBeGreaterThan(10)
  })

  test('a list on another column leaves out row groups by its ends', async () => {
    const { rows, rowGroupsRead, stats } = await ask("SELECT name FROM names WHERE n IN (5, 9)")
    expect(rows.length).toBe(2)
    expect(rowGroupsRead).toBeLessThanOrEqual(4)
    expect(stats.rowGroupsTotal).toBeGreaterThan(50)
  })
})

describe('conditions without columns', () => {
  test('what can never be true reads nothing', async () => {
    expect(await byKeys('SELECT * FROM big WHERE 1 = 0')).toEqual([])
    expect(await byKeys('SELECT * FROM big WHERE $1 AND id > 5', [false])).toEqual([])
    expect(await byKeys('SELECT COUNT(*) FROM big WHERE NULL')).toEqual([[0]])
    expect(await byKeys('SELECT * FROM big JOIN few ON big.id = few.id WHERE 1 > 2')).toEqual([])
    expect(await byKeys('SELECT * FROM big WHERE n = NULL')).toEqual([])
  })

  test('what is true is as if it were not there', async () => {
    expect((await ask('SELECT COUNT(*) FROM big WHERE 1 = 1')).rows).toEqual([[rowCount]])
    expect((await ask('SELECT COUNT(*) FROM big WHERE 1 = 1')).rowGroupsRead).toBe(0)
    expect(await byKeys('SELECT t FROM big WHERE TRUE AND id = 5')).toEqual([['t5']])
  })
})

describe('equalities of joins', () => {
  test('bound both sides', async () => {
    expect(await byKeys('SELECT b.t, f.ref FROM few AS f JOIN big AS b ON b.id = f.id WHERE f.id = 4')).toEqual([['t4', 5999]])
    expect(await byKeys('SELECT f.id, b.t FROM few AS f LEFT JOIN big AS b ON b.id = f.id WHERE f.id IN (1, 4)')).toEqual([[1, 't1'], [4, 't4']])
    expect(await byKeys('SELECT x.t FROM big AS x JOIN big AS y ON x.id = y.id JOIN big AS z ON y.id = z.id WHERE z.id = 8')).toEqual([['t8']])
  })

  test('not the side of a LEFT JOIN whose rows are all kept', async () => {
    const { rows } = await ask('SELECT f.id, b.id FROM few AS f LEFT JOIN big AS b ON b.id = f.id AND b.id = 4 ORDER BY f.id')
    expect(rows).toEqual([[1, null], [2, null], [3, null], [4, 4], [5, null], [6, null]])
  })
})

describe('joins on a whole primary key', () => {
  test('read the partners of few rows by their keys', async () => {
    const wanted = [[1, 't10'], [2, 't2000'], [4, 't5999'], [5, 't10']]
    for (const from of ['few AS f JOIN big AS b ON b.id = f.ref', 'big AS b JOIN few AS f ON f.ref = b.id', 'big AS b JOIN few AS f ON f.ref = b.id AND b.n < 100']) {
      const { rows, stats } = await ask(`SELECT f.id, b.t FROM ${from} ORDER BY f.id`)
      expect(rows, from).toEqual(wanted)
      expect(stats.rowGroupsTotal, from).toBeLessThanOrEqual(2)
    }
    const outer = await ask('SELECT f.id, b.t FROM few AS f LEFT JOIN big AS b ON b.id = f.ref AND b.n <> 0 ORDER BY f.id')
    expect(outer.rows).toEqual([[1, 't10'], [2, null], [3, null], [4, 't5999'], [5, 't10'], [6, null]])
    expect(outer.stats.rowGroupsTotal).toBeLessThanOrEqual(2)
  })

  test('of several columns, with further conditions', async () => {
    const { rows, stats } = await ask('SELECT f.id, p.t FROM few AS f JOIN pairs AS p ON p.a = f.id AND p.b = f.ref - 5 AND p.t <> $1 AND p.t LIKE $2 WHERE f.ref < 100', ['t25', 't%'])
    expect(rows).toEqual([[1, 't15'], [5, 't55']])
    expect(stats.rowGroupsTotal).toBeLessThanOrEqual(2)
  })

  test('of other widths of integers; values that no key can have are partners of none', async () => {
    const { rows, stats } = await ask('SELECT f.id, p.t FROM few AS f LEFT JOIN pairs AS p ON p.a = f.ref * 1000000000 AND p.b = f.id WHERE f.id < 3')
    expect(rows).toEqual([[1, null], [2, null]])
    expect(stats.rowGroupsTotal).toBeLessThanOrEqual(2)
    expect((await ask('SELECT f.id FROM few AS f JOIN names AS m ON m.name = f.id::TEXT')).rows).toEqual([])
  })

  test('with more rows on the other side scan once', async () => {
    expect((await ask('SELECT COUNT(*) FROM big AS a JOIN big AS b ON a.n = b.id')).rows).toEqual([[rowCount]])
    expect((await ask('SELECT COUNT(*), COUNT(f.id) FROM big AS a LEFT JOIN few AS f ON a.n = f.id')).rows).toEqual([[rowCount, 360]])
    expect((await ask('SELECT COUNT(*) FROM big AS a JOIN big AS b ON a.id = b.id WHERE a.t < $1', ['t3'])).rows).toEqual([[2223]])
  })

  test('LIMIT looks up the partners of few rows', async () => {
    const whole = await ask('SELECT a.id, b.t FROM big AS a JOIN big AS b ON a.n = b.id')
    const some = await ask('SELECT a.id, b.t FROM big AS a JOIN big AS b ON a.n = b.id LIMIT 10')
    expect(whole.rows.map((row) => row.join())).toEqual(expect.arrayContaining(some.rows.map((row) => row.join())))
    expect(new Set(some.rows.map(([id]) => id)).size).toBe(10)
    expect(some.rowGroupsRead).toBeLessThanOrEqual(whole.rowGroupsRead / 2)
    expect((await ask('SELECT a.id FROM big AS a JOIN names AS b ON a.t = b.name LIMIT 10')).rows).toEqual([])
    expect((await ask('SELECT a.id FROM big AS a JOIN big AS b ON a.n = b.id AND a.id = 5990 LIMIT 3')).rows).toEqual([[5990]])
  })
})

describe('subqueries that depend on rows further out by their key', () => {
  test.each([
    ['EXISTS', 'SELECT id FROM few WHERE EXISTS (SELECT 1 FROM big WHERE big.id = few.ref) ORDER BY id', [[1], [2], [4], [5]]],
    ['NOT EXISTS', 'SELECT id FROM few WHERE NOT EXISTS (SELECT 1 FROM big WHERE big.id = few.ref AND big.n > 5) ORDER BY id', [[2], [3], [6]]],
    ['IN', 'SELECT id FROM few WHERE 10 IN (SELECT n FROM big WHERE big.id = few.ref) ORDER BY id', [[1], [5]]],
    ['a value', 'SELECT id, (SELECT t FROM big WHERE big.id = few.ref) FROM few ORDER BY id', [[1, 't10'], [2, 't2000'], [3, null], [4, 't5999'], [5, 't10'], [6, null]]],
    ['an aggregate', 'SELECT id, (SELECT COUNT(*) FROM big WHERE big.id = few.ref) FROM few ORDER BY id', [[1, 1], [2, 1], [3, 0], [4, 1], [5, 1], [6, 0]]],
    ['all of a key of two columns', 'SELECT id, (SELECT t FROM pairs WHERE a = few.id AND b = few.ref - 10) FROM few WHERE id < 3 ORDER BY id', [[1, 't10'], [2, null]]],
    ['a key that the column cannot hold', 'SELECT id, (SELECT COUNT(*) FROM pairs WHERE a = few.ref * 1000000) FROM few WHERE id = 2', [[2, 0]]],
  ])('%s looks up the few rows that are asked for', async (_, text, expected) => {
    const { rows, rowGroupsRead } = await ask(text)
    expect(rows).toEqual(expected)
    // Those of the outer table; a scan of the other has some seventy.
    expect(rowGroupsRead).toBeLessThan(8)
  })

  test('the first columns of a key are read as ranges', async () => {
    const { rows, rowGroupsRead } = await ask('SELECT id, (SELECT COUNT(*) FROM pairs WHERE a = few.ref) AS c, (SELECT MAX(t) FROM pairs WHERE a = few.ref AND b < 3) FROM few ORDER BY id')
    expect(rows).toEqual([[1, 10, 't102'], [2, 0, null], [3, 0, null], [4, 0, null], [5, 10, 't102'], [6, 0, null]])
    expect(rowGroupsRead).toBeLessThan(20)
  })

  test('many rows read the table once', async () => {
    const { rows, stats } = await ask('SELECT COUNT(*) FROM big WHERE EXISTS (SELECT 1 FROM pairs WHERE pairs.a = big.n AND pairs.b = 3)')
    expect(rows).toEqual([[rowCount]])
    expect(stats.rowGroupsTotal).toBeLessThan(1_000)
  })
})
