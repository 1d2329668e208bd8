/**
 * An escape for half a surrogate pair (E'\ud83d') made a text that is not Unicode: a SELECT returned it, and its bytes
 * would have been those of U+FFFD. Found by the SQL logic tests.
 */
import { expect, test } from 'vitest'
import { createSql } from '../../src/sql/sql.ts'
import { openModelEngine } from '../engine/model-engine.ts'

test.each([String.raw`E'\udb99'`, String.raw`E'\ud83dx'`, String.raw`E'\U0000db99\U00000061'`, String.raw`E'\udc00\ud800'`])('%s is 22021', async (literal) => {
  await expect(createSql(openModelEngine()).query(`SELECT key FROM kv WHERE key = ${literal}`)).rejects.toMatchObject({ code: '22021' })
  await expect(createSql(openModelEngine()).query(`SELECT ${literal}`)).rejects.toMatchObject({ code: '22021' })
})

test('both halves make one character', async () => {
  const [result] = await createSql(openModelEngine()).query(String.raw`SELECT E'\ud83d\ude00'`)
  expect(result!.rows).toEqual([['😀']])
})
