/**
 * The parser's time doubles with every level of parentheses around AND and OR: one statement of twenty levels held the
 * serving thread for seconds. Such statements are refused before the parser sees them.
 */
import { expect, test } from 'vitest'
import { createSql } from '../../src/sql/sql.ts'
import { openModelEngine } from '../engine/model-engine.ts'

const nested = (levels: number): string => {
  let condition = "key = 'a'"
  for (let level = 0; level < levels; level++) condition = `(${condition}) AND (value > 'b' OR value < 'c')`
  return `SELECT key FROM kv WHERE ${condition}`
}

test('deep nesting is refused at once, ordinary nesting is not', async () => {
  const sql = createSql(openModelEngine())
  expect((await sql.query(nested(5)))[0]!.rows).toEqual([])
  const started = performance.now()
  for (const levels of [20, 200, 2_000]) await expect(sql.query(nested(levels))).rejects.toMatchObject({ code: '54000' })
  expect(performance.now() - started).toBeLessThan(1_000)
})
