/** A power loss after every storage operation of a text under an idempotency key, and the text again: applied exactly once. */
import { expect, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { LsmtError } from '../../../src/errors.ts'
import { createSql } from '../../../src/sql/sql.ts'
import { createFaultyStorage } from '../../../src/storage/faulty-storage.ts'
import type { FaultyStorage } from '../../../src/storage/faulty-storage.ts'
import { fullTests, kinds } from '../../kernel/both-kinds.ts'
import { openTestEngine } from '../open-test-engine.ts'

const settings = { shards: 3 }

/** Statements of one and of several shards, one about tables, and a transaction: each is wrong when it is applied twice. */
const text = `
  UPDATE n SET n = n + 1 WHERE id = 1;
  INSERT INTO n SELECT id + 100, n FROM n WHERE id < 100;
  CREATE TABLE once (id BIGINT PRIMARY KEY, n BIGINT);
  INSERT INTO once VALUES (1, 0), (2, 0), (3, 0), (4, 0), (5, 0) RETURNING id;
  BEGIN;
  UPDATE once SET n = n + 1;
  UPDATE n SET n = n + 10 WHERE id < 100;
  COMMIT;
  UPDATE once SET n = n * 10`

async function prepare(storage: FaultyStorage, kernels: 'wasm' | 'js'): Promise<void> {
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

/** Runs the text until the power goes; whether it came to its end. */
async function runUntilCrash(storage: FaultyStorage, kernels: 'wasm' | 'js'): Promise<boolean> {
  let engine: Engine | undefined
  try {
    engine = await openTestEngine(storage, { ...settings, kernels })
    await createSql(engine).query(text, undefined, { idempotencyKey: 'k' })
    await engine.flush()
    return !storage.crashed
  } catch (error) {
    if (!storage.crashed || !(error instanceof LsmtError)) throw error
    return false
  } finally {
    await engine?.close().catch(() => {})
  }
}

test.each(kinds)('exactly once, whenever the power goes, kernels %s', async (kernels) => {
  let crashes = 0
  for (let crashAtOperation = 1; ; crashAtOperation += fullTests ? 1 : 4) {
    const disk = createFaultyStorage({ seed: crashAtOperation })
    await prepare(disk, kernels)
    const first = disk.crash({ seed: crashAtOperation, delayTurnsMax: 1, crashAtOperation })
    const isDone = await runUntilCrash(first, kernels)
    const engine = await openTestEngine(first.crash({ seed: crashAtOperation + 1000 }), { ...settings, kernels })
    const sql = createSql(engine)
    const answers = await sql.query(text, undefined, { idempotencyKey: 'k' })
    expect(answers.map(({ rowCount }) => rowCount), `crash at ${crashAtOperation}`).toEqual([1, 5, 0, 5, 0, 5, 5, 0, 5])
    expect(answers[3]!.rows).toEqual([[1], [2], [3], [4], [5]])
    expect(await state(engine), `crash at ${crashAtOperation}`).toEqual(expected)
    expect(await sql.query(text, undefined, { idempotencyKey: 'k' })).toEqual(answers)
    await engine.compact()
    expect(await sql.query(text, undefined, { idempotencyKey: 'k' })).toEqual(answers)
    expect(await state(engine)).toEqual(expected)
    await engine.close()
    if (isDone) break
    crashes++
  }
  expect(crashes).toBeGreaterThan(10)
}, 120_000)
