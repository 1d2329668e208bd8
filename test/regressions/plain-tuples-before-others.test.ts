/**
 * Tuples of plain values after the first one are kept out of a statement's shape. When a tuple that begins with a call
 * followed them, those between the first and it were lost: four tuples wrote three rows.
 */
import { expect, test } from 'vitest'
import { createSql } from '../../src/sql/sql.ts'
import type { SqlParameters } from '../../src/sql/slot.ts'
import { openModelEngine } from '../engine/model-engine.ts'

const statements: readonly [tuples: string, names: readonly string[], parameters: SqlParameters][] = [
  ["('a', 1), ('b', 2), (upper('c'), 3), ('d', NULL)", ['a', 'b', 'C', 'd'], []],
  ["('a', 1), (upper('b'), 2)", ['a', 'B'], []],
  ["('a', 1), ('b', 2), ('c', -(-3)), ('d', 4)", ['a', 'b', 'c', 'd'], []],
  ["('a', 1), ('b', 2), ((SELECT 'c'), 3)", ['a', 'b', 'c'], []],
  ["('a', ?), ('b', ?), (lower('C'), ?)", ['a', 'b', 'c'], [1, 2, 3]],
]

test.each(statements)('VALUES %s', async (tuples, names, parameters) => {
  const sql = createSql(openModelEngine())
  await sql.query('CREATE TABLE t (name TEXT, n BIGINT)')
  const [written] = await sql.query(`INSERT INTO t VALUES ${tuples} RETURNING name`, parameters)
  expect(written!.rows).toEqual(names.map((name) => [name]))
  expect((await sql.query('SELECT name FROM t'))[0]!.rows).toEqual(written!.rows)
})
