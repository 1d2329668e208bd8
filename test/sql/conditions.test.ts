/**
 * A condition finds the rows for which it is true when it is selected: in WHERE most of it is brought down to the table (terms,
 * ranges of keys, hints, counts out of zone maps), in the select list it is computed for each row.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { createSql } from '../../src/sql/sql.ts'
import type { Sql } from '../../src/sql/sql.ts'
import { lastingEngines } from './test-engines.ts'

const ofNumbers = ['? = 2', '? <> 2', '? < 1.5', '? >= 2.5', '2 > ?', '1.5 <= ?', '? = 2.5', '? > 1e30', '? = -0', '? BETWEEN 1 AND 3', '? NOT BETWEEN 1 AND 3', '? BETWEEN 3 AND 1', '? BETWEEN SYMMETRIC 3 AND 1', '? NOT BETWEEN SYMMETRIC 3 AND 1', '? BETWEEN 2.5 AND 2.6', '? IN (1, 3)', '? IN (2.5, 3)', '? NOT IN (1, 3)', '? IN (1, NULL)', '? NOT IN (1, NULL)', '? IS NULL', '? IS NOT NULL', 'NOT ? = 2', 'NOT (? > 1 AND ? < 7)', '? = 1 OR ? = 3', '? = 1 OR ? IS NULL', '? > 1 AND ? < 3 OR ? = 7', '? IS DISTINCT FROM 2', '? IS NOT DISTINCT FROM NULL', '? = NULL', '(? = 2) IS UNKNOWN', '(? = 2) IS NOT TRUE', '? = ANY (SELECT 2)', '? <> ALL (SELECT 2)', '? NOT IN (SELECT 2)', 'CASE WHEN ? > 1 THEN true ELSE false END']
const ofTexts = ["? = 'a'", "? < 'b'", "? >= 'é'", "? BETWEEN SYMMETRIC 'b' AND 'a'", "? IN ('a', 'z', '')", "? NOT IN ('a', 'z')", "? LIKE 'a%'", "? NOT LIKE 'a%'", "? LIKE 'a'", "? ILIKE 'a%'", "? NOT ILIKE 'A%'", "? LIKE 'a\\%'", "? LIKE 'a#%' ESCAPE '#'", "? NOT LIKE 'a#%' ESCAPE '#'", "? LIKE 'a\\%' ESCAPE ''", "? LIKE '%'", "? LIKE ''", "? LIKE '_'", "? LIKE '%b'", '? LIKE NULL', "? LIKE 'é%'", "NOT (? LIKE 'a%')", "? LIKE 'a%' OR ? = 'z'", "? LIKE 'a%' OR ? IS NULL"]
const ofBooleans = ['?', 'NOT ?', '? = true', '? <> true', '? IS TRUE', '? IS NOT TRUE', '? IS NOT FALSE', '? IS UNKNOWN', '? IS NOT UNKNOWN', '? IN (true)', '? NOT IN (false)', '? IS DISTINCT FROM true', '? > false']
const ofTimes = ["? = DATE '2020-01-03'", "? > '2020-01-04'", "? <= TIMESTAMP '2020-01-03 05:00:00'", "? < TIMESTAMP '2020-01-03 05:00:00'", "? <> TIMESTAMP '2020-01-03 05:00:00'", "? IN (DATE '2020-01-03', TIMESTAMP '2020-01-04 02:00:00')", "? BETWEEN SYMMETRIC '2020-01-05' AND '2020-01-03'", '? IS NULL']

const columns: readonly (readonly [column: string, conditions: readonly string[]])[] = [['id', ofNumbers], ['n', ofNumbers], ['m', ofNumbers], ['x', ofNumbers], ['s', ofTexts], ['b', ofBooleans], ['d', ofTimes], ['t', ofTimes]]

const numbers = ['NULL', '-3', '0', '1', '2', '3', '7'], doubles = ['NULL', "'NaN'", "'Infinity'", "'-Infinity'", '0', '-0.5', '1.5', '2'], texts = ['NULL', "''", "'a'", "'A'", "'ab'", "'a%'", "'b_'", "'é'", "'z'"]
const rowOf = (i: number): string => `(${i}, ${numbers[i % 7]}, ${numbers[(i * 3) % 7]}, ${doubles[i % 8]}, ${texts[i % 9]}, ${['NULL', 'true', 'false'][i % 3]}, ${i % 5 === 0 ? 'NULL' : `DATE '2020-01-0${(i % 9) + 1}'`}, ${i % 6 === 0 ? 'NULL' : `TIMESTAMP '2020-01-0${(i % 9) + 1} 0${i % 8}:00:00'`})`

describe.each(lastingEngines)('over %s', (_, open) => {
  let engine: Engine, sql: Sql
  beforeAll(async () => {
    engine = await open()
    sql = createSql(engine)
    await sql.query('CREATE TABLE c (id BIGINT PRIMARY KEY, n INTEGER, m NUMERIC(6,2), x DOUBLE PRECISION, s TEXT, b BOOLEAN, d DATE, t TIMESTAMP)')
    await sql.query(`INSERT INTO c VALUES ${Array.from({ length: 120 }, (_row, i) => rowOf(i)).join(', ')}`)
  })
  afterAll(() => engine.close())

  test.each(columns)('conditions on %s', async (column, conditions) => {
    for (const pattern of conditions) for (const before of ['', 'id < 60 AND ']) {
      const condition = `${before}(${pattern.replaceAll('?', column)})`
      const [selected, found, counted] = await sql.query(`SELECT id, ${condition} FROM c ORDER BY id; SELECT id FROM c WHERE ${condition} ORDER BY id; SELECT count(*) FROM c WHERE ${condition}`)
      const ids = selected!.rows.flatMap(([id, isTrue]) => (isTrue === true ? [id] : []))
      expect({ condition, ids: found!.rows.flat(), count: counted!.rows[0]![0] }).toEqual({ condition, ids, count: ids.length })
    }
  })
})
