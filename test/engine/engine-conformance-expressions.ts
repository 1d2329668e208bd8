/** What every Engine must do: conditions of any form, and computed columns. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { ComputedColumn, Engine, EngineGroupedAggregate, EngineRow, EngineScan, EngineValue } from '../../src/engine/engine.ts'
import type { TableSchema } from '../../src/engine/schema.ts'
import { LsmtError } from '../../src/errors.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { fullTests } from '../kernel/both-kinds.ts'
import { groupAll, newTable, scanAll } from './engine-fixtures.ts'
import { computedRows, computedTable } from './model-expression.ts'
import { groupRows } from './model-values.ts'
import { randomExpression } from './random-expression.ts'

const rows: readonly EngineRow[] = Array.from({ length: 600 }, (_, i) => [
  i,
  i % 9 === 0 ? null : `region ${i % 7}`,
  i % 11 === 0 ? null : i % 50 === 0 ? BigInt((i % 3) - 1) * 2n ** 62n || 0 : (i % 29) - 9,
  i % 8 === 0 ? null : i % 97 === 0 ? NaN : i % 19 === 0 ? -0 : i % 101 === 1 ? 1e300 : (i % 23) / 4,
  i % 6 === 0 ? null : i % 10 === 0 ? 'Straße 日本' : `${'same prefix '.repeat(i % 3)}${i % 31}`,
  i % 5 === 0 ? null : i % 2,
])

const states: readonly (readonly [string, (engine: Engine, table: TableSchema) => Promise<void>])[] = [
  ['in memtables', async (engine, table) => void (await engine.insert(table, rows, 'insert'))],
  ['in one run of files', async (engine, table) => {
    await engine.insert(table, rows, 'insert')
    await engine.compact()
  }],
  ['in runs that overlap', async (engine, table) => {
    await engine.insert(table, rows.map((row) => row.with(1, 'old').with(2, 0)), 'insert')
    await engine.flush()
    await engine.insert(table, rows.slice(0, 400), 'upsert')
    await engine.flush()
    await engine.insert(table, rows.slice(390), 'upsert')
  }],
]

type Outcome = { readonly rows: readonly EngineRow[] } | { readonly code: string }

async function outcomeOf(run: () => Promise<readonly EngineRow[]> | readonly EngineRow[]): Promise<Outcome> {
  try {
    return { rows: await run() }
  } catch (error) {
    if (!(error instanceof LsmtError)) throw error
    return { code: error.code }
  }
}

const plain = (value: EngineValue): EngineValue => (Object.is(value, -0) ? 0 : value)
const nameOf = (row: EngineRow): string => row.map(String).join('|')
const sorted = (given: readonly EngineRow[]): EngineRow[] => given.map((row) => row.map(plain)).toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
const aggregatesOf = (ordinal: number): readonly EngineGroupedAggregate[] => [{ function: 'count' }, { function: 'count', ordinal }, { function: 'min', ordinal }, { function: 'max', ordinal }, { function: 'count', ordinal, distinct: true }]

/** Whichever row fails first, the statement does. */
function expectSame(actual: Outcome, expected: Outcome, what: string): void {
  if ('code' in expected) expect('code' in actual && ['22003', '22012'].includes(actual.code), `${what} must fail: ${expected.code}`).toBe(true)
  else expect(actual, what).toEqual(expected)
}

const types = { i64: 'bigint', f64: 'double', bytes: 'text', boolean: 'boolean' } as const

export function describeExpressions(engineOf: () => Engine): void {
  describe.each(states)('expressions over rows %s', (_, fill) => {
    let engine: Engine, table: TableSchema
    beforeEach(async () => {
      engine = engineOf()
      table = await engine.createTable(newTable('t', { id: 'bigint', region: 'text', user: 'bigint', amount: 'double', note: 'text', flag: 'boolean' }, ['id']))
      await fill(engine, table)
    })

    test.each(fullTests ? [1, 2, 3, 4, 5, 6, 7, 8] : [1, 2])('random ones, seed %i', async (seed) => {
      const random = seededRandom(seed)
      for (let round = 0; round < 16; round++) {
        const canFail = round % 3 === 0
        const computed = (['i64', 'f64', 'bytes', 'boolean'] as const).map((kind): ComputedColumn => ({ type: { kind: types[kind] }, expression: randomExpression(random, table, kind, canFail) }))
        const conditions = random.below(3) === 0 ? [] : [randomExpression(random, table, 'boolean', canFail)]
        const scan: EngineScan = { table, ordered: true, columns: [0, 6, 7, 8, 9], predicate: random.below(2) === 0 ? [] : [{ ordinal: 3, comparison: 'ge', value: 1 }], conditions, computed }
        const what = JSON.stringify(scan, (key, value: unknown) => (key === 'table' ? undefined : typeof value === 'bigint' ? String(value) : value))
        const selected = rows.filter((row) => scan.predicate.length === 0 || (row[3] !== null && !((row[3] as number) < 1)))
        expectSame(await outcomeOf(() => scanAll(engine, table, scan)), await outcomeOf(() => computedRows(scan, selected).map((row) => scan.columns.map((ordinal) => row[ordinal]!))), what)
        const ordinal = 6 + random.below(4), keys = [[], [6 + random.below(4)], [1, 6], [9, 7]][random.below(4)]!
        // Columns that nobody names are not computed.
        const named: EngineScan = { ...scan, computed: computed.map((column, i) => ([...keys, ordinal].includes(6 + i) ? column : { type: { kind: 'bigint' }, expression: { kind: 'column', ordinal: 0 } })) }
        const expected = await outcomeOf(() => sorted(groupRows(computedTable(named), computedRows(named, selected), keys, aggregatesOf(ordinal))))
        expectSame(await outcomeOf(async () => sorted(await groupAll(engine, table, keys, aggregatesOf(ordinal), named))), expected, `${what}, by ${keys.join()}, of ${ordinal}`)
      }
    })
  })
}
