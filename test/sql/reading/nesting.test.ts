/** Statements may nest deeply and be long; beyond the limits they are refused, and the stack never overflows. */
import { expect, test } from 'vitest'
import { createSql } from '../../../src/sql/sql.ts'
import { openModelEngine } from '../../engine/model-engine.ts'
import { answerOf } from '../script.ts'

const around = (open: string, inner: string, close: string, times: number): string => open.repeat(times) + inner + close.repeat(times)

/** Statements by their levels, and how many levels of them have an answer. */
const nested: readonly (readonly [string, (levels: number) => string, number])[] = [
  ['parentheses', (levels) => `SELECT ${around('(', '1', ')', levels)}`, 490],
  ['sums', (levels) => `SELECT ${around('(1 + ', '1', ')', levels)}`, 490],
  ['AND within OR', (levels) => `SELECT key FROM kv WHERE ${around("(key = 'a' OR value = 'b' AND ", 'true', ')', levels)}`, 300],
  ['NOT', (levels) => `SELECT ${around('NOT ', 'true', '', levels)}`, 490],
  ['signs', (levels) => `SELECT ${around('- ', '1', '', levels)}`, 490],
  ['CASE', (levels) => `SELECT ${around('CASE WHEN true THEN ', '1', ' END', levels)}`, 490],
  ['calls', (levels) => `SELECT ${around('abs(', '1', ')', levels)}`, 490],
  ['scalar subqueries', (levels) => `SELECT ${around('(SELECT ', '1', ')', levels)}`, 200],
  ['subqueries in FROM', (levels) => `SELECT * FROM ${around('(SELECT * FROM ', 'kv', ') x', levels)}`, 300],
  ['queries in parentheses', (levels) => `${around('(SELECT 1 UNION ', 'SELECT 2', ')', levels)}`, 300],
  ['a chain of casts', (levels) => `SELECT ${around('', '1', ':: int', levels)}`, 900],
  ['a chain of sums', (levels) => `SELECT ${around('', '1', ' + 1', levels)}`, 900],
  ['a chain of UNION', (levels) => `${around('', 'SELECT 1', ' UNION SELECT 2', levels)}`, 490],
]

test.each(nested)('%s', async (_, statement, levels) => {
  const sql = createSql(openModelEngine())
  expect(await answerOf(sql, statement(levels))).toMatch(/\(\d+ rows\)$/)
  expect(await answerOf(sql, statement(3_000))).toMatch(/^error 54000/)
})

test('a chain of AND has no limit but the statement\'s', async () => {
  const sql = createSql(openModelEngine())
  expect(await answerOf(sql, `SELECT ${around('', 'true', ' AND true', 5_000)}`)).toBe('?column? BOOLEAN\ntrue\n(1 rows)')
})

test('limits add up: what is within each of them may be too deep for the stack together', async () => {
  const sql = createSql(openModelEngine())
  const deep = around('(SELECT ', around('(1 + ', '1', ')', 200), ')', 140)
  expect(await answerOf(sql, `WITH ${Array.from({ length: 300 }, (_, i) => `c${i} AS (SELECT ${i === 0 ? `${deep} AS x` : `x + 1 AS x FROM c${i - 1}`})`).join(', ')} SELECT x FROM c299`)).toMatch(/^(x INTEGER|error 54000)/)
})

test('a FROM of too many tables', async () => {
  const sql = createSql(openModelEngine())
  expect(await answerOf(sql, `SELECT 1 FROM kv${Array.from({ length: 250 }, (_, i) => `, kv t${i}`).join('')}`)).toMatch(/^error 54000 at \d+: there are more than 200 tables in one FROM/)
})
