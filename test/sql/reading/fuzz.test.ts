/**
 * Mutated statements and random bytes through scanner, parser and binder: each has a plan or an error that is not our
 * fault, within a second, and nothing of them stays in memory. A million of them in the full run.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { LsmtError } from '../../../src/errors.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { bindStatement } from '../../../src/sql/bind/bind.ts'
import { createLiterals } from '../../../src/sql/expression/literal.ts'
import { parseStatement } from '../../../src/sql/parse.ts'
import { createSql } from '../../../src/sql/sql.ts'
import type { Sql } from '../../../src/sql/sql.ts'
import { openModelEngine } from '../../engine/model-engine.ts'
import { answerOf } from '../script.ts'
import { goldenStatements, mutations } from './mutated-statement.ts'

const rounds = process.env['LSMT_TEST_FULL'] === '1' ? 1_000_000 : 3_000
const timeMaxMs = 1_000
const growthMaxBytes = 64 * 1024 * 1024

type Engine = ReturnType<typeof openModelEngine>

/** What becomes of a text: its plans, or the code of the error. */
function fate(sql: Sql, engine: Engine, text: string): string {
  try {
    const { statements } = sql.prepare(text)
    for (const statement of statements) {
      const origin = { text, tokenStarts: statement.tokenStarts }
      bindStatement(parseStatement(statement.shape, origin), engine, origin, createLiterals({ text, statement, parameters: undefined }))
    }
    return 'planned'
  } catch (error) {
    return error instanceof LsmtError ? error.code : `not an LsmtError: ${String(error)}`
  }
}

function elapsedMs(run: () => void): number {
  const start = performance.now()
  run()
  return performance.now() - start
}

/** A pause of the machine is not the text's fault: the best of three counts. */
function bestMs(run: () => void): number {
  const first = elapsedMs(run)
  return first < timeMaxMs ? first : Math.min(first, elapsedMs(run), elapsedMs(run))
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed
}

test('mutated statements and random bytes are planned or refused, in time and without a trace', async () => {
  const seed = Number(process.env['LSMT_SEED'] ?? Math.floor(Math.random() * 2 ** 32))
  const random = seededRandom(seed)
  const engine = openModelEngine()
  const sql = createSql(engine)
  const statements = goldenStatements()
  for (const statement of statements) if (/^(create|insert) /i.test(statement)) await answerOf(sql, statement)
  const mutate = mutations(statements)
  const fates = new Map<string, number>()
  let slowestMs = 0
  let heapBefore = 0
  for (let round = 0; round < rounds; round++) {
    if (round === Math.floor(rounds / 10)) heapBefore = heapBytes()
    const text = mutate(random)
    let found = ''
    const ms = bestMs(() => (found = fate(sql, engine, text)))
    slowestMs = Math.max(slowestMs, ms)
    fates.set(found, (fates.get(found) ?? 0) + 1)
    if (!/^(planned|[0-9A-W]....)$/.test(found) || ms > timeMaxMs) expect.fail(`seed ${seed}, round ${round}: ${found} after ${ms.toFixed(0)} ms: ${JSON.stringify(text)}`)
  }
  const growth = heapBytes() - heapBefore
  console.log(`${rounds} texts: ${[...fates].toSorted(([, a], [, b]) => b - a).map(([code, count]) => `${code} ${count}`).join(', ')}; slowest ${slowestMs.toFixed(0)} ms, heap ${(growth / 1024 / 1024).toFixed(1)} MiB more`)
  expect(fates.get('planned') ?? 0).toBeGreaterThan(rounds / 40)
  expect(growth).toBeLessThan(growthMaxBytes)
}, 7_200_000)
