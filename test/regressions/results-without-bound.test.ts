/**
 * Texts and numbers that a short statement could make as long as it liked: a text beyond what the engine of JavaScript
 * takes was an internal error, and numbers of a million digits kept everybody else waiting for many seconds.
 */
import { expect, test } from 'vitest'
import { createSql } from '../../src/sql/sql.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import { openTestEngine } from '../engine/open-test-engine.ts'

const million = '9'.repeat(1_000_000)

const refused: readonly (readonly [sql: string, code: string])[] = [
  ["SELECT replace(repeat('a', 1000000), 'a', repeat('b', 1000))", '54000'],
  ["SELECT repeat('a', 60000000) || repeat('b', 60000000)", '54000'],
  ["SELECT concat(repeat('a', 60000000), repeat('b', 60000000))", '54000'],
  ["SELECT concat_ws(repeat('-', 40000000), 'a', 'b', 'c')", '54000'],
  [`SELECT ${million} * ${million}`, '22003'],
  [`SELECT CAST('${million}' AS NUMERIC(18,0))`, '22003'],
  [`SELECT ${Array.from({ length: 100 }, () => '1e2000').join(' * ')}`, '22003'],
  [`SELECT ${Array.from({ length: 20 }, () => '1e-2000').join(' * ')} + 1`, '22003'],
]

test.each(refused)('%.60s is %s', async (sql, code) => {
  const engine = await openTestEngine(createMemoryStorage(), { shards: 1 })
  await expect(createSql(engine).query(sql)).rejects.toMatchObject({ code })
  await engine.close()
})

test('up to the bound they are what they are', async () => {
  const engine = await openTestEngine(createMemoryStorage(), { shards: 1 })
  const sql = createSql(engine)
  const valueOf = async (expression: string): Promise<unknown> => (await sql.query(`SELECT ${expression}`))[0]!.rows[0]![0]
  expect(await valueOf("replace('banana', 'ana', 'ANANAS')")).toBe('bANANASna')
  expect(await valueOf("length(replace(repeat('a', 1000000), 'a', repeat('b', 60)))")).toBe(60_000_000)
  expect(await valueOf("concat_ws(', ', 'a', NULL, 'b') || concat('c', NULL, 1)")).toBe('a, bc1')
  expect(await valueOf(Array.from({ length: 60 }, () => '1e2000').join(' * '))).toBe(`1${'0'.repeat(120_000)}`)
  expect(String(await valueOf(`${'9'.repeat(1000)} * 10`))).toBe(`${'9'.repeat(1000)}0`)
  await engine.close()
})
