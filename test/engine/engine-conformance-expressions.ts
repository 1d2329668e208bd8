/** What every Engine must do: conditions of any form, and computed columns. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { ComputedColumn, Engine, EngineAggregate, EngineExpression, EngineGroupedAggregate, EngineRow, EngineScan, EngineValue } from '../../src/engine/engine.ts'
import type { TableSchema } from '../../src/engine/schema.ts'
import { LsmtError } from '../../src/errors.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { fullTests } from '../kernel/both-kinds.ts'
import { aggregateAll, groupAll, newTable, scanAll } from './engine-fixtures.ts'
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

    test.each(fullTests ? [1, 2, 3, 4] : [1])('aggregates of computed columns, seed %i', async (seed) => {
      const random = seededRandom(seed)
      const [user, amount] = [2, 3].map((ordinal) => ({ kind: 'column', ordinal }) as const)
      const int = (value: bigint) => ({ kind: 'constant', of: 'i64', value }) as const
      const line = (operator: 'add' | 'subtract' | 'multiply', left: EngineExpression, right: EngineExpression): EngineExpression => ({ kind: 'integers', operator, left, right, range: { low: -(2n ** 63n), high: 2n ** 63n - 1n, message: 'BIGINT out of range' }, safe: false })
      const integers = [user!, int(1n), int(-3n), line('multiply', user!, int(-3n)), line('subtract', int(5n), user!), line('add', user!, int(2n ** 61n)), line('multiply', user!, int(0n)), { kind: 'constant', of: 'i64', value: null } as const]
      const doubles = [amount!, { kind: 'constant', of: 'f64', value: -0 } as const, { kind: 'constant', of: 'f64', value: 2.5 } as const, { kind: 'constant', of: 'f64', value: 7 } as const]
      for (let round = 0; round < 24; round++) {
        const kind = round % 2 === 0 ? 'i64' : 'f64', results: readonly EngineExpression[] = kind === 'i64' ? integers : doubles
        const one = (): EngineExpression => (random.below(5) === 0 ? randomExpression(random, table, kind, round % 3 === 0, 2) : results[random.below(results.length)]!)
        const chosen: EngineExpression = { kind: 'case', branches: Array.from({ length: 1 + random.below(2) }, () => ({ when: randomExpression(random, table, 'boolean', false), result: one() })), otherwise: random.below(3) === 0 ? undefined : one() }
        const expression = random.below(4) === 0 ? one() : chosen
        const scan: EngineScan = { table, ordered: false, columns: [], predicate: random.below(2) === 0 ? [] : [{ ordinal: 5, comparison: 'eq', value: 1 }], computed: [{ type: { kind: types[kind] }, expression }] }
        const selected = rows.filter((row) => scan.predicate.length === 0 || row[5] === 1)
        const computed = await outcomeOf(() => computedRows(scan, selected))
        const isExact = kind === 'i64' || ('rows' in computed && computed.rows.every((row) => row[6] === null || Math.abs(Number(row[6])) < 1e6))
        const aggregates: readonly EngineAggregate[] = [{ function: 'count' }, { function: 'count', ordinal: 6 }, { function: 'min', ordinal: 6 }, { function: 'max', ordinal: 6 }, ...(isExact ? [{ function: 'sum', ordinal: 6 } as const] : [])]
        const expected: Outcome = 'code' in computed ? computed : { rows: groupRows(computedTable(scan), computed.rows, [], aggregates).map((row) => row.map(plain)) }
        expectSame(await outcomeOf(async () => [(await aggregateAll(engine, table, aggregates, scan)).map(plain)]), expected, JSON.stringify(scan.computed, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)))
      }
    })
  })
}
