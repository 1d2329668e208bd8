/** Computed columns that are gone through in steps have the values that computing them row by row gives. */
import { describe, expect, it } from 'vitest'
import { createArena } from '../../../src/lsm/state/arena.ts'
import { createEvaluator } from '../../../src/lsm/vector/evaluator.ts'
import type { VectorExpression } from '../../../src/lsm/vector/expression.ts'
import { followedColumn } from '../../../src/lsm/vector/steps/followed-column.ts'
import { createSteps } from '../../../src/lsm/vector/steps/steps.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { kinds, openTestKernel, putBits, putI64 } from '../../kernel/both-kinds.ts'
import { putChunk } from '../../kernel/scan-columns.ts'

const MiB = 1024 * 1024
const range = { low: -(2n ** 63n), high: 2n ** 63n - 1n, message: 'bigint out of range' }

type Operator = Extract<VectorExpression, { kind: 'integers' }>['operator']

const column: VectorExpression = { kind: 'column', ordinal: 0 }
const constant = (value: bigint): VectorExpression => ({ kind: 'constant', of: 'i64', value })
const integers = (operator: Operator, left: VectorExpression, right: VectorExpression): VectorExpression => ({ kind: 'integers', operator, left, right, range, safe: false })
const doubles = (operator: Operator, left: VectorExpression, right: number): VectorExpression => ({ kind: 'doubles', operator, left, right: { kind: 'constant', of: 'f64', value: right }, message: 'value out of range' })
const multiple = (of: VectorExpression, length: bigint): VectorExpression => integers('subtract', of, integers('remainder', of, constant(length)))

const followed: Readonly<Record<string, VectorExpression>> = {
  'a quotient': integers('quotient', column, constant(3_600_000n)),
  'a quotient that falls': integers('quotient', column, constant(-7_000n)),
  'a multiple': multiple(column, 1_000_000n),
  'a multiple of what is shifted': multiple(integers('add', constant(12_345n), column), 60_000n),
  'a beginning, shifted': integers('subtract', integers('multiply', integers('floorQuotient', integers('add', column, constant(3n)), constant(86_400n)), constant(86_400n)), constant(3n)),
  'a difference from a constant': integers('quotient', integers('subtract', constant(10n ** 13n), column), constant(500_000n)),
  'rounded doubles': { kind: 'rounded', rounding: 'floor', operand: doubles('quotient', { kind: 'toDouble', operand: column }, 250_000) },
  'doubles as integers': { kind: 'toInteger', range, operand: doubles('multiply', { kind: 'toDouble', operand: column }, -1e-7) },
}

const streams: Readonly<Record<string, (random: Random) => (row: number) => bigint>> = {
  'in order': (random) => { let at = 1_700_000_000_000n; return () => (at += BigInt(random.below(120))) },
  'nearly in order': (random) => (row) => 1_700_000_000_000n + BigInt(row * 50 + random.below(900)),
  'around zero': (random) => (row) => BigInt(row - 2000) * 100n + BigInt(random.below(40)),
  'falling': (random) => (row) => -BigInt(row * 70 + random.below(60)),
  'in plateaus': () => (row) => BigInt(row >> 11) * 10_000_000n,
  'anywhere': (random) => () => BigInt(random.below(2 ** 31)) * 1000n,
}

/** Values as steps give them, by row; of rows that are not selected undefined. */
function throughSteps(kernel: Kernel, expression: VectorExpression, rows: readonly bigint[], selected: readonly boolean[] | undefined): { readonly values: (bigint | undefined)[] | undefined; readonly levelRows: number } {
  const evaluator = createEvaluator(kernel, ['i64'], [], [expression]), arena = createArena(kernel.heap), chunk = putChunk(kernel, { kind: 'i64', rows })
  const steps = createSteps(kernel, ['i64'], expression, evaluator.computed[0]!)!({ rowCount: rows.length, chunk: () => chunk, vector: () => expect.fail('no column is decoded whole') }, selected === undefined ? 0 : putBits(kernel, selected), arena)
  const values: (bigint | undefined)[] = []
  let levelRows = 0
  const isWhole = steps?.({
    level(first, count, value) {
      expect(first).toBe(values.length)
      levelRows += count
      for (let row = first; row < first + count; row++) values.push(selected?.[row] === false ? undefined : kernel.memory.i64[value / 8])
      return true
    },
    mixed(first, count, vector) {
      expect([first, vector.kind === 'bytes' || vector.nulls]).toEqual([values.length, 0])
      for (let i = 0; i < count; i++) values.push(selected?.[first + i] === false || vector.kind === 'bytes' ? undefined : kernel.memory.i64[vector.values / 8 + i])
      return true
    },
  })
  expect([undefined, true]).toContain(isWhole)
  return { values: steps && values, levelRows }
}

function rowByRow(kernel: Kernel, expression: VectorExpression, rows: readonly bigint[]): bigint[] {
  const vector = { kind: 'i64' as const, values: putI64(kernel, rows), nulls: 0 }
  const computed = createEvaluator(kernel, ['i64'], [], [expression]).computed[0]!({ rowCount: rows.length, chunk: () => 0, vector: () => vector }, 0, createArena(kernel.heap))
  return Array.from(kernel.memory.i64.subarray((computed as typeof vector).values / 8, (computed as typeof vector).values / 8 + rows.length))
}

describe.each(kinds)('steps (%s)', (kind) => {
  it.each(Object.entries(followed))('of %s', (name, expression) => {
    let levelRows = 0
    for (const [stream, values] of Object.entries(streams)) {
      for (const count of [700, 4096, 5000]) {
        const kernel = openTestKernel(kind, 16 * MiB), random = seededRandom(count), value = values(random), rows = Array.from({ length: count }, (_, row) => value(row))
        const selected = random.below(2) === 0 ? undefined : rows.map(() => random.below(3) > 0)
        const found = throughSteps(kernel, expression, rows, selected), expected = rowByRow(kernel, expression, rows)
        levelRows += found.levelRows
        if (found.values !== undefined) expect(found.values, `${stream}, ${count} rows`).toEqual(expected.map((each, row) => (selected?.[row] === false ? undefined : each)))
      }
    }
    expect(levelRows, name).toBeGreaterThan(5000)
  })

  it('are none where the ends of a block have no value, though rows may have', () => {
    const kernel = openTestKernel(kind, 16 * MiB), rows = Array.from({ length: 1024 }, (_, row) => 2n ** 40n + BigInt(row))
    expect(throughSteps(kernel, integers('multiply', column, constant(2n ** 30n)), rows, undefined).values).toBeUndefined()
    expect(throughSteps(kernel, integers('quotient', column, constant(0n)), rows, undefined).values).toBeUndefined()
  })

  it('are looked for more and more seldom where there are none', () => {
    const kernel = openTestKernel(kind, 16 * MiB), expression = followed['a quotient']!, evaluator = createEvaluator(kernel, ['i64'], [], [expression])
    const random = seededRandom(4), steps = createSteps(kernel, ['i64'], expression, evaluator.computed[0]!)!, arena = createArena(kernel.heap)
    const scattered = putChunk(kernel, { kind: 'i64', rows: Array.from({ length: 3000 }, () => BigInt(random.below(2 ** 31)) * 1000n) }), level = putChunk(kernel, { kind: 'i64', rows: Array.from({ length: 3000 }, () => 5n) })
    let asked = 0
    const ask = (chunk: number): boolean => steps({ rowCount: 3000, vector: () => expect.fail('nothing is decoded'), chunk: () => (asked++, chunk) }, 0, arena) !== undefined
    for (let i = 0; i < 100; i++) expect(ask(scattered)).toBe(false)
    expect(asked).toBeLessThan(10)
    while (!ask(level)) expect(asked).toBeLessThan(20)
    expect(ask(level), 'after a hit all are').toBe(true)
  })
})

it('is known which expressions go one way', () => {
  for (const [name, expression] of Object.entries(followed)) expect(followedColumn(['i64'], expression), name).toBe(0)
  const other: VectorExpression = { kind: 'column', ordinal: 1 }
  for (const expression of [
    integers('remainder', column, constant(7n)), integers('quotient', constant(7n), column), integers('add', column, column), integers('subtract', column, other),
    integers('subtract', column, integers('remainder', other, constant(7n))), integers('subtract', column, integers('remainder', column, column)), integers('multiply', column, column),
    integers('add', column, { kind: 'constant', of: 'i64', value: null }), { kind: 'coalesce', items: [column] }, constant(3n), { kind: 'isNull', operand: column, negated: false },
  ] as const) expect(followedColumn(['i64', 'i64'], expression)).toBeUndefined()
  expect(followedColumn(['f64'], column), 'bounds are known of integers only').toBeUndefined()
})
