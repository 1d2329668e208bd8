/** Random expressions of scans over the columns of a table, of every kind of node. */
import type { EngineExpression } from '../../src/engine/engine.ts'
import { physicalKind } from '../../src/engine/schema.ts'
import type { TableSchema } from '../../src/engine/schema.ts'
import type { PhysicalValue } from '../../src/lsm/tree.ts'
import type { Random } from '../../src/runtime/random.ts'

type Kind = 'i64' | 'f64' | 'bytes' | 'boolean'

const any64 = { low: -(2n ** 63n), high: 2n ** 63n - 1n, message: 'BIGINT out of range' }
const any32 = { low: -(2n ** 31n), high: 2n ** 31n - 1n, message: 'INTEGER out of range' }
const integers = [0n, 1n, -1n, 2n, 7n, 100n, -40n, 2n ** 31n, 2n ** 62n, -(2n ** 63n), 2n ** 63n - 1n]
const doubles = [0, -0, 1, -1.5, 2.5, 100, 1e300, Number.NaN, Infinity, -Infinity, 2 ** 53]
const texts = ['', 'a', 'ab', 'b', 'region 2', 'region 5', 'straße', 'ÄÖ', '日本', '🙂', 'null', 'same prefix ', 'value 1']
const patterns = ['%', 'a%', '%a', '%e%', '_', 'r_gion %', '%\\%%', 'region 2', 'same%1_', '%ß%', '%日%', '__%']

/** `canFail` false: without arithmetic. */
export function randomExpression(random: Random, table: TableSchema, kind: Kind, canFail: boolean, depth = 3): EngineExpression {
  const make = (of: Kind): EngineExpression => randomExpression(random, table, of, canFail, depth - 1)
  const leaf = depth <= 0 || random.below(4) === 0
  if (kind === 'boolean') return leaf ? randomTest(random, table) : randomTruth(random, make)
  if (leaf) return random.below(4) === 0 ? randomConstant(random, kind) : (randomColumn(random, table, kind) ?? randomConstant(random, kind))
  switch (canFail && kind !== 'bytes' ? random.below(7) : random.below(2)) {
    case 0:
      return { kind: 'case', branches: Array.from({ length: 1 + random.below(2) }, () => ({ when: make('boolean'), result: make(kind) })), otherwise: random.below(3) === 0 ? undefined : make(kind) }
    case 1:
      return { kind: 'coalesce', items: [make(kind), make(kind)] }
    case 2:
      if (kind === 'f64' && random.below(2) === 0) return { kind: 'rounded', rounding: (['floor', 'ceil', 'trunc', 'nearest'] as const)[random.below(4)]!, operand: make('f64') }
      return kind === 'i64' ? { kind: 'fromBoolean', operand: make('boolean') } : { kind: 'toDouble', operand: make('i64') }
    case 3:
      if (kind === 'i64') return { kind: 'toInteger', operand: make('f64'), range: random.below(2) === 0 ? any32 : any64 }
  }
  return randomArithmetic(random, kind as 'i64' | 'f64', make)
}

function randomArithmetic(random: Random, kind: 'i64' | 'f64', make: (of: Kind) => EngineExpression): EngineExpression {
  const common = ['add', 'subtract', 'multiply', 'quotient', 'remainder'] as const
  if (kind === 'f64') return { kind: 'doubles', operator: common[random.below(5)]!, left: make('f64'), right: make('f64'), message: 'value out of range: overflow' }
  return { kind: 'integers', operator: [...common, 'roundedQuotient', 'floorQuotient'][random.below(7)] as 'add', left: make('i64'), right: make('i64'), range: random.below(4) === 0 ? any32 : any64, safe: false }
}

function randomTruth(random: Random, make: (of: Kind) => EngineExpression): EngineExpression {
  switch (random.below(7)) {
    case 0:
    case 1:
      return { kind: 'and', items: [make('boolean'), make('boolean')] }
    case 2:
    case 3:
      return { kind: 'or', items: [make('boolean'), make('boolean'), ...(random.below(3) === 0 ? [make('boolean')] : [])] }
    case 4:
      return { kind: 'not', operand: make('boolean') }
    case 5:
      return { kind: random.below(2) === 0 ? 'coalesce' : 'or', items: [make('boolean'), make('boolean')] }
    default: {
      const kind = (['i64', 'f64', 'bytes', 'boolean'] as const)[random.below(4)]!
      if (kind === 'boolean') return { kind: 'case', branches: [{ when: make('boolean'), result: make('boolean') }], otherwise: random.below(2) === 0 ? undefined : make('boolean') }
      return random.below(4) === 0 ? { kind: 'isNull', operand: make(kind), negated: random.below(2) === 0 } : randomComparison(random, make(kind), make(kind))
    }
  }
}

const randomComparison = (random: Random, left: EngineExpression, right: EngineExpression): EngineExpression => ({ kind: 'compare', comparison: (['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const)[random.below(6)]!, left, right })

/** A test of one column, as zone maps and encoded chunks can answer it. */
function randomTest(random: Random, table: TableSchema): EngineExpression {
  const kind = (['i64', 'f64', 'bytes'] as const)[random.below(3)]!
  const column = randomColumn(random, table, kind)
  if (column === undefined || random.below(12) === 0) return { kind: 'constant', of: 'boolean', value: [true, false, null][random.below(3)]! }
  switch (random.below(4)) {
    case 0:
      return { kind: 'isNull', operand: column, negated: random.below(2) === 0 }
    case 1:
      return { kind: 'in', operand: column, values: Array.from({ length: random.below(7) }, () => randomValue(random, kind)), hasNull: random.below(4) === 0 }
    case 2:
      if (kind === 'bytes') return { kind: 'like', operand: column, pattern: patterns[random.below(patterns.length)]!, escape: '\\', caseless: random.below(3) === 0 }
  }
  return randomComparison(random, column, randomConstant(random, kind))
}

function randomColumn(random: Random, table: TableSchema, kind: 'i64' | 'f64' | 'bytes'): EngineExpression | undefined {
  const ordinals = table.columns.flatMap(({ type }, ordinal) => (physicalKind(type) === kind && type.kind !== 'bytea' ? [ordinal] : []))
  return ordinals.length === 0 ? undefined : { kind: 'column', ordinal: ordinals[random.below(ordinals.length)]! }
}

function randomConstant(random: Random, kind: 'i64' | 'f64' | 'bytes'): EngineExpression {
  return { kind: 'constant', of: kind, value: random.below(6) === 0 ? null : randomValue(random, kind) }
}

function randomValue(random: Random, kind: 'i64' | 'f64' | 'bytes'): PhysicalValue {
  const from = { i64: integers, f64: doubles, bytes: texts }[kind]
  const value = from[random.below(from.length)]!
  return typeof value === 'string' ? Buffer.from(value) : value
}
