/** BETWEEN SYMMETRIC of a column and two literals became the terms of a plain BETWEEN: with bounds the other way round it found nothing. */
import { expect, test } from 'vitest'
import { createSql } from '../../src/sql/sql.ts'
import { openModelEngine } from '../engine/model-engine.ts'

test.each([
  ['id BETWEEN SYMMETRIC 3 AND 2', [2, 3]], ['id BETWEEN SYMMETRIC 2 AND 3', [2, 3]], ['id NOT BETWEEN SYMMETRIC 3 AND 2', [1, 4]], ['id BETWEEN 3 AND 2', []], ['id BETWEEN ASYMMETRIC 2 AND 3', [2, 3]],
  ["s BETWEEN SYMMETRIC 'd' AND 'c'", [3, 4]], ['id BETWEEN SYMMETRIC $1 AND $2', [1, 2]], ['id BETWEEN SYMMETRIC NULL AND 2', []], ["id BETWEEN SYMMETRIC 4 AND 1 AND s > 'b'", [3, 4]],
] as const)('WHERE %s', async (condition, ids) => {
  const sql = createSql(openModelEngine())
  await sql.query("CREATE TABLE t (id BIGINT PRIMARY KEY, s TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')")
  const [found] = await sql.query(`SELECT id FROM t WHERE ${condition} ORDER BY id`, condition.includes('$') ? [2, 1] : undefined)
  expect(found!.rows.flat()).toEqual(ids)
})
