/** A power loss after every storage operation of a text under an idempotency key, and the text again: applied exactly once. */
import { expect, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { LsmtError } from '../../../src/errors.ts'
import { createSql } from '../../../src/sql/sql.ts'
import { createFaultyStorage } from '../../../src/storage/faulty-storage.ts'
import type { FaultyStorage } from '../../../src/storage/faulty-storage.ts'
import { fullTests, kinds } from '../../kernel/both-kinds.ts'
import { openTestEngine } from '../open-test-engine.ts'
import { expectOnce, prepare, settings, text } from './exactly-once.ts'

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
    await expectOnce(engine, `crash at ${crashAtOperation}`)
    await engine.close()
    if (isDone) break
    crashes++
  }
  expect(crashes).toBeGreaterThan(10)
}, 120_000)
