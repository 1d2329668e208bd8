/** 18446744073709551616 is 2^64: it was read as 64 bits, of which it leaves 0, and its last digit was not counted as one. */
import { expect, it } from 'vitest'
import { createSql } from '../../src/sql/sql.ts'
import { testEngines } from '../sql/test-engines.ts'

it.each(testEngines)('an integer beyond 64 bits is refused, not taken for 0, by %s', async (_, open) => {
  const engine = await open()
  const sql = createSql(engine)
  await sql.query('CREATE TABLE t (id BIGINT PRIMARY KEY, d DOUBLE PRECISION)')
  await expect(sql.query('INSERT INTO t VALUES (18446744073709551616, 1)')).rejects.toMatchObject({ code: '22003' })
  await sql.query('INSERT INTO t VALUES (1, 18446744073709551616)')
  expect((await sql.query('SELECT * FROM t'))[0]!.rows).toEqual([[1, 2 ** 64]])
  await engine.close()
})
