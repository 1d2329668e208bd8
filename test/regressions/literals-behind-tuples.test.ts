/**
 * Of several tuples behind VALUES a shape keeps the first; literals in ON CONFLICT and RETURNING were looked up behind
 * that one, so that with two tuples they had the values of the second.
 */
import { expect, test } from 'vitest'
import { createSql } from '../../src/sql/sql.ts'
import { openModelEngine } from '../engine/model-engine.ts'

test('literals behind several tuples of VALUES keep their values', async () => {
  const sql = createSql(openModelEngine())
  await sql.query('CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT)')
  for (const tuples of ['(1, 10)', '(2, 20), (3, 30)', '(1, 10), (2, 20), (3, 30)']) {
    const [written] = await sql.query(`INSERT INTO t VALUES ${tuples} ON CONFLICT (id) DO UPDATE SET n = excluded.n + 1000 RETURNING id * 7, 'x' AS x`)
    const ids = [...tuples.matchAll(/\((\d)/g)].map(([, id]) => Number(id))
    expect(written!.rows).toEqual(ids.map((id) => [id * 7, 'x']))
  }
  const [rows] = await sql.query('SELECT * FROM t')
  expect(rows!.rows).toEqual([[1, 1010], [2, 1020], [3, 1030]])
  await expect(sql.query("INSERT INTO t VALUES (5, 1), (6, 2) RETURNING n + 'x'")).rejects.toMatchObject({ code: '22P02', evidence: { position: 51 } })
})
