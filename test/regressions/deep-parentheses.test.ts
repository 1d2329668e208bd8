/**
 * The parser's time doubles with every level of parentheses around AND and OR: one statement of twenty levels held the
 * serving thread for seconds. Statements are cut into parts before it sees them, so that time grows with their length;
 * what is too deep for the readers' recursion is refused at once.
 */
import { expect, test } from 'vitest'
import { createSql } from '../../src/sql/sql.ts'
import { openModelEngine } from '../engine/model-engine.ts'

const nested = (levels: number): string => {
  let condition = "key = 'a'"
  for (let level = 0; level < levels; level++) condition = `(${condition}) AND (value > 'b' OR value < 'c')`
  return `SELECT key FROM kv WHERE ${condition}`
}

test('deep nesting is answered or refused at once', async () => {
  const sql = createSql(openModelEngine())
  const started = performance.now()
  for (const levels of [5, 20, 200]) expect((await sql.query(nested(levels)))[0]!.rows).toEqual([])
  for (const levels of [2_000, 20_000]) await expect(sql.query(nested(levels))).rejects.toMatchObject({ code: '54000' })
  expect(performance.now() - started).toBeLessThan(30_000)
})
