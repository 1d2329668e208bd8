/** A text under an idempotency key that shows when any of it is applied twice, or not. */
import { expect } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { createSql } from '../../../src/sql/sql.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { openTestEngine } from '../open-test-engine.ts'

export const settings = { shards: 3 }

/** Statements of one and of several shards, one about tables, and a transaction: each is wrong when it is applied twice. */
export const text = `
  UPDATE n SET n = n + 1 WHERE id = 1;
  INSERT INTO n SELECT id + 100, n FROM n WHERE id < 100;
  CREATE TABLE once (id BIGINT PRIMARY KEY, n BIGINT);
  INSERT INTO once VALUES (1, 0), (2, 0), (3, 0), (4, 0), (5, 0) RETURNING id;
  BEGIN;
  UPDATE once SET n = n + 1;
  UPDATE n SET n = n + 10 WHERE id < 100;
  COMMIT;
  UPDATE once SET n = n * 10`

export async function prepare(storage: Storage, kernels: 'wasm' | 'js' = 'wasm'): Promise<void> {
  const engine = await openTestEngine(storage, { ...settings, kernels })
  const sql = createSql(engine)
  await sql.query('CREATE TABLE n (id BIGINT PRIMARY KEY, n BIGINT); INSERT INTO n VALUES (1, 0), (2, 0), (3, 0), (4, 0)')
  // The tables of records are there from the first key on.
  await sql.query('INSERT INTO n VALUES (5, 0)', undefined, { idempotencyKey: 'earlier' })
  await engine.close()
}

async function state(engine: Engine): Promise<unknown> {
  const results = await createSql(engine).query('SELECT * FROM n ORDER BY id; SELECT * FROM once ORDER BY id')
  return results.map(({ rows }) => rows)
}

const expected = [
  [[1, 11], [2, 10], [3, 10], [4, 10], [5, 10], [101, 1], [102, 0], [103, 0], [104, 0], [105, 0]],
  [[1, 10], [2, 10], [3, 10], [4, 10], [5, 10]],
]

/** The text sent again, however far it came before: it is applied once, answers as ever, and again after a compaction. */
export async function expectOnce(engine: Engine, when: string): Promise<void> {
  const sql = createSql(engine)
  const answers = await sql.query(text, undefined, { idempotencyKey: 'k' })
  expect(answers.map(({ rowCount }) => rowCount), when).toEqual([1, 5, 0, 5, 0, 5, 5, 0, 5])
  expect(answers[3]!.rows).toEqual([[1], [2], [3], [4], [5]])
  expect(await state(engine), when).toEqual(expected)
  expect(await sql.query(text, undefined, { idempotencyKey: 'k' })).toEqual(answers)
  await engine.compact()
  expect(await sql.query(text, undefined, { idempotencyKey: 'k' })).toEqual(answers)
  expect(await state(engine)).toEqual(expected)
}
