/** Expressions that scans evaluate give for every row what is computed row by row: the value, or the error of the first row that has one. */
import { describe, expect, test } from 'vitest'
import type { Engine, EngineRow, EngineScan, EngineValue } from '../../../src/engine/engine.ts'
import type { ColumnType, TableSchema } from '../../../src/engine/schema.ts'
import { LsmtError } from '../../../src/errors.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import type { Bound } from '../../../src/sql/expression/bound.ts'
import { compile } from '../../../src/sql/expression/compile.ts'
import type { Run } from '../../../src/sql/expression/compile.ts'
import { createLiterals } from '../../../src/sql/expression/literal.ts'
import { bindStatement } from '../../../src/sql/bind/bind.ts'
import { parseStatement } from '../../../src/sql/parse.ts'
import { scanStatements } from '../../../src/sql/scan/shape.ts'
import { createSql } from '../../../src/sql/sql.ts'
import { lowerExpression } from '../../../src/sql/vector/lower.ts'
import type { KernelKind } from '../../../src/settings.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { openTestEngine } from '../../engine/open-test-engine.ts'
import { scanAll } from '../../engine/engine-fixtures.ts'
import { fullTests } from '../../kernel/both-kinds.ts'
import { columnTypes, randomSql } from './random-sql.ts'
import type { SqlType } from './random-sql.ts'

const rowCount = 500
const rounds = fullTests ? 4_000 : 150

function randomValue(random: Random, type: SqlType): EngineValue {
  const extreme = random.below(25) === 0
  switch (type) {
    case 'smallint':
      return extreme ? [-32_768, 32_767][random.below(2)]! : random.below(41) - 20
    case 'integer':
      return extreme ? [-2_147_483_648, 2_147_483_647][random.below(2)]! : random.below(2001) - 1000
    case 'bigint':
      return extreme ? [-(2n ** 63n), 2n ** 63n - 1n, 2 ** 40][random.below(3)]! : random.below(100) - 20
    case 'numeric':
      return random.below(2001) - 1000
    case 'double':
      return extreme ? [Number.NaN, Infinity, -Infinity, 1e308, -0, 2 ** 63][random.below(6)]! : (random.below(4001) - 2000) / 8
    case 'text':
      return ['', 'a', 'ab', 'a%b', 'Straße', 'straße', 'STRASSE', '日本語', 'x🙂', 'ÄÖÜ', `region ${random.below(8)}`][random.below(11)]!
    case 'boolean':
      return random.below(2)
    case 'timestamp':
      return extreme ? [-(2n ** 63n), 2n ** 63n - 1n, -1][random.below(3)]! : 1_700_000_000_000_000 + random.below(1_000_000_000) * 1000 - 5
    case 'date':
      return random.below(40_000) - 10_000
  }
}

async function fill(engine: Engine): Promise<TableSchema> {
  const sql = createSql(engine), random = seededRandom(77)
  await sql.query(`CREATE TABLE t (id BIGINT PRIMARY KEY, ${columnTypes.map(([name, , type]) => `${name} ${type}`).join(', ')})`)
  const table = engine.table('t')!
  const rows = Array.from({ length: rowCount }, (_, id): EngineRow => [id, ...columnTypes.map(([name, type]) => (random.below(8) === 0 ? null : name === 'region' ? `region ${random.below(6)}` : randomValue(random, type)))])
  await engine.insert(table, rows.slice(0, 300), 'insert')
  await engine.compact()
  await engine.insert(table, rows.slice(250), 'upsert')
  return table
}

/** The one expression of a SELECT, bound, with the columns its rows have; undefined when it is refused. */
function bound(engine: Engine, expression: string): { readonly bound: Bound; readonly columns: readonly number[]; readonly run: Run } | undefined {
  const text = `SELECT ${expression} FROM t`
  const statement = scanStatements(text)[0]!, values = { text, statement, parameters: undefined }
  const origin = { text, tokenStarts: statement.tokenStarts }
  try {
    const plan = bindStatement(parseStatement(statement.shape, origin), engine, origin, createLiterals(values))
    if (plan.kind !== 'query' || plan.node.kind !== 'project' || plan.node.input.kind !== 'scan') return undefined
    return { bound: plan.node.expressions[0]!, columns: plan.node.input.columns, run: { values, nowMicros: 1_700_000_000_000_000, cells: new Map() } }
  } catch (error) {
    if (error instanceof LsmtError && error.code !== 'XX000') return undefined
    throw error
  }
}

type Outcome = { readonly values: readonly EngineValue[] } | { readonly code: string; readonly message: string; readonly position: number | undefined }

async function outcomeOf(run: () => Promise<readonly EngineValue[]> | readonly EngineValue[]): Promise<Outcome> {
  try {
    return { values: await run() }
  } catch (error) {
    if (!(error instanceof LsmtError)) throw error
    return { code: error.code, message: error.message, position: error.evidence.position }
  }
}

/** The first row that differs. */
function difference(actual: Outcome, expected: Outcome): string {
  const [a, b] = [outcomeText(actual).split('\n'), outcomeText(expected).split('\n')]
  const row = b.findIndex((text, i) => text !== a[i])
  return `${a[row]} instead of ${b[row]} in row ${row}`
}

const shown = (value: EngineValue): string => (Object.is(value, -0) ? '-0' : typeof value === 'bigint' ? `${value}n` : typeof value === 'string' ? JSON.stringify(value) : String(value))
const outcomeText = (outcome: Outcome): string => ('code' in outcome ? `${outcome.code} at ${outcome.position} ${outcome.message}` : outcome.values.map(shown).join('\n'))

describe.each<readonly [KernelKind, boolean]>([['wasm', false], ['js', false], ['wasm', true]])('lowered expressions, %s kernels, NUMERIC wide: %s', (kernels, wide) => {
  test('are what row by row evaluation gives', async () => {
    // One shard, in key order: then the first row that fails is the same.
    const engine = await openTestEngine(createMemoryStorage(), { shards: 1, kernels })
    const table = await fill(engine), random = seededRandom(wide ? 6 : 5)
    const types: readonly SqlType[] = ['boolean', 'boolean', 'smallint', 'integer', 'bigint', 'numeric', 'double', 'text', 'timestamp', 'date']
    let boundCount = 0, loweredCount = 0, failedCount = 0
    for (let round = 0; round < rounds; round++) {
      const expression = randomSql(random, types[random.below(types.length)]!, 1 + random.below(3))
      const found = bound(engine, expression)
      if (found === undefined) continue
      boundCount++
      const lowered = lowerExpression({ table, columns: found.columns, run: found.run, wide }, found.bound)
      if (lowered === undefined) continue
      loweredCount++
      const rows = await scanAll(engine, table, { columns: found.columns.length === 0 ? [0] : found.columns })
      const evaluate = compile(found.bound, found.run)
      const expected = await outcomeOf(() => rows.map((row) => evaluate(row)))
      if ('code' in expected) failedCount++
      const scan: Partial<EngineScan> = { columns: [table.columns.length], computed: [{ expression: lowered, type: found.bound.type as ColumnType }] }
      const actual = await outcomeOf(async () => (await scanAll(engine, table, scan)).map(([value]) => value!))
      if (wide && 'code' in actual && actual.message === 'NUMERIC beyond 64 bits') continue
      if (outcomeText(actual) !== outcomeText(expected)) expect.fail(`${expression}: ${difference(actual, expected)}`)
      if (found.bound.type.kind === 'boolean' && !('code' in expected)) {
        const kept = await outcomeOf(async () => (await scanAll(engine, table, { columns: [0], conditions: [lowered] })).map(([id]) => id!))
        expect(outcomeText(kept), `WHERE ${expression}`).toBe(outcomeText({ values: expected.values.flatMap((value, id) => (value === 1 ? [id] : [])) }))
      }
    }
    expect([boundCount > rounds * 0.5, loweredCount > boundCount * 0.5, failedCount > rounds * 0.03], `${boundCount} bound, ${loweredCount} lowered, ${failedCount} failed`).toEqual([true, true, true])
    await engine.close()
  })
})
