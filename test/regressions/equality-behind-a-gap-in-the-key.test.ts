/** An equality of a later column of the key, with a column before it open: `a = 1 AND c = 3` of a key (a, b, c) found rows of every c. */
import { expect, it } from 'vitest'
import { createSql } from '../../src/sql/sql.ts'
import type { Sql } from '../../src/sql/sql.ts'
import { openModelEngine } from '../engine/model-engine.ts'

async function openTable(): Promise<Sql> {
  const sql = createSql(openModelEngine())
  await sql.query('CREATE TABLE t (a BIGINT, b BIGINT, c BOOLEAN, n BIGINT, PRIMARY KEY (a, b, c))')
  await sql.query('INSERT INTO t VALUES (1, 1, TRUE, 1), (1, 2, FALSE, 2), (2, 1, FALSE, 3), (2, 1, TRUE, 4), (3, 1, FALSE, 5)')
  return sql
}

async function found(sql: Sql, text: string): Promise<unknown> {
  return (await sql.query(text)).at(-1)!.rows.map(([n]) => n)
}

it('reads only the rows that satisfy it', async () => {
  const sql = await openTable()
  expect(await found(sql, 'SELECT n FROM t WHERE a = 1 AND c = FALSE')).toEqual([2])
  expect(await found(sql, 'SELECT n FROM t WHERE a IN (1, 2) AND c = TRUE')).toEqual([1, 4])
  expect(await found(sql, 'SELECT n FROM t WHERE (a = 2 OR a = 3) AND c = FALSE ORDER BY a DESC')).toEqual([5, 3])
})

it('changes only these', async () => {
  const sql = await openTable()
  expect(await found(sql, 'UPDATE t SET n = 10 * n WHERE a = 1 AND c = FALSE; SELECT n FROM t')).toEqual([1, 20, 3, 4, 5])
  expect(await found(sql, 'DELETE FROM t WHERE a IN (1, 2) AND c = TRUE; SELECT n FROM t')).toEqual([20, 3, 5])
})
