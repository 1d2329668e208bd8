/**
 * Bound expressions to ones that an engine evaluates while it scans; undefined where it has no form for some part, which is
 * then evaluated row by row (src/sql/expression/compile.ts), with the same values and errors. Literals are values here, so
 * an expression is lowered for each run of a plan.
 */
import type { EngineExpression } from '../../engine/engine.ts'
import { partsOf } from '../../engine/expression.ts'
import type { Bound, BoundCall } from '../expression/bound.ts'
import { isFixed } from '../expression/compile.ts'
import { isInteger, scaleOf } from '../expression/type.ts'
import { placed } from './place.ts'
import { lowerAbsolute, lowerArithmetic, lowerNegation, lowerRounding } from './arithmetic.ts'
import { lowerCast } from './cast.ts'
import { lowerDateTrunc } from './date-trunc.ts'
import { fixedValue } from './fixed-value.ts'
import { lowerLike } from './like.ts'
import { constantOf, integer, limitOf, narrowed } from './lowered.ts'
import type { Lowered, Lowering } from './lowered.ts'
import { compareScaled, comparisons, fixed, lowerComparison, lowerDistinct, lowerIs, negated, truth } from './truth.ts'

export function lowerExpression(lowering: Lowering, bound: Bound): EngineExpression | undefined {
  const lowered = lower(lowering, bound)?.expression
  return lowered === undefined || (!lowering.wide && isNarrowed(lowered)) ? undefined : lowered
}

function isNarrowed(expression: EngineExpression): boolean {
  return (expression.kind === 'integers' && expression.range === narrowed) || partsOf(expression).some(isNarrowed)
}

function lower(lowering: Lowering, bound: Bound): Lowered | undefined {
  switch (bound.kind) {
    case 'column':
      return lowerColumn(lowering, bound)
    case 'literal':
    case 'constant':
      return lowerFixed(lowering, bound)
    case 'now':
      return constantOf(lowering.run.nowMicros, bound.type)
    case 'call':
      return isFixed(bound) ? lowerFixed(lowering, bound) : placed(lowerCall(lowering, bound), lowering.run, bound.at)
    case 'and':
    case 'or': {
      const items = expressionsOf(lowering, bound.items)
      return items && truth({ kind: bound.kind, items })
    }
    case 'case':
      return lowerCase(lowering, bound)
    case 'coalesce': {
      const items = lowerAll(lowering, bound.items)
      return items && { expression: { kind: 'coalesce', items: items.map(({ expression }) => expression) }, limit: largest(items) }
    }
    case 'in':
      return lowerIn(lowering, bound)
    case 'outer':
    case 'aggregate':
    case 'subquery':
      return undefined
  }
}

function lowerAll(lowering: Lowering, items: readonly Bound[]): readonly Lowered[] | undefined {
  const lowered: Lowered[] = []
  for (const item of items) {
    const one = lower(lowering, item)
    if (one === undefined) return undefined
    lowered.push(one)
  }
  return lowered
}

function expressionsOf(lowering: Lowering, items: readonly Bound[]): readonly EngineExpression[] | undefined {
  return lowerAll(lowering, items)?.map(({ expression }) => expression)
}

function largest(items: readonly Lowered[]): bigint {
  return items.reduce((limit, item) => (item.limit > limit ? item.limit : limit), 0n)
}

function lowerColumn({ table, columns }: Lowering, { place, type }: Extract<Bound, { kind: 'column' }>): Lowered | undefined {
  const ordinal = columns[place.index]
  if (ordinal === undefined || table.columns[ordinal] === undefined) return undefined
  const column: EngineExpression = { kind: 'column', ordinal }
  return type.kind === 'boolean' ? truth({ kind: 'compare', comparison: 'eq', left: column, right: integer(1n) }) : { expression: column, limit: limitOf(type) }
}

function lowerFixed({ run }: Lowering, bound: Bound): Lowered | undefined {
  const value = fixedValue(run, bound)
  return value === undefined ? undefined : constantOf(value, bound.type)
}

function lowerCase(lowering: Lowering, { branches, otherwise }: Extract<Bound, { kind: 'case' }>): Lowered | undefined {
  const conditions = expressionsOf(lowering, branches.map(({ when }) => when))
  const results = lowerAll(lowering, [...branches.map(({ result }) => result), ...(otherwise === undefined ? [] : [otherwise])])
  if (conditions === undefined || results === undefined) return undefined
  const last = otherwise === undefined ? undefined : results.at(-1)!.expression
  return { expression: { kind: 'case', branches: conditions.map((when, index) => ({ when, result: results[index]!.expression })), otherwise: last }, limit: largest(results) }
}

/** A list of fixed values is a set; of others each is compared. */
function lowerIn(lowering: Lowering, { operand, items }: Extract<Bound, { kind: 'in' }>): Lowered | undefined {
  if (items.length === 0) return truth(fixed(false))
  const [subject, ...members] = expressionsOf(lowering, [operand, ...items]) ?? []
  if (subject === undefined || operand.type.kind === 'boolean') return undefined
  const constants = members.flatMap((member) => (member.kind === 'constant' ? [member.value] : []))
  if (constants.length < members.length) return subject.kind === 'column' ? truth({ kind: 'or', items: members.map((member) => lowerComparison('eq', subject, member)) }) : undefined
  return truth({ kind: 'in', operand: subject, values: constants.filter((value) => value !== null && typeof value !== 'boolean'), hasNull: constants.includes(null) })
}

function lowerCall(lowering: Lowering, call: BoundCall): Lowered | undefined {
  const { name, args, type } = call
  if (name in comparisons) return lowerCompared(lowering, call)
  if (name === 'date_trunc') return lowerDateTrunc(lowering.run, call, (part) => lower(lowering, part))
  if (name.endsWith('like')) return lowerLike(lowering.run, call, (part) => lower(lowering, part))
  const [a, b] = lowerAll(lowering, args) ?? []
  if (a === undefined) return undefined
  if (b !== undefined && args.length === 2) return lowerBinary(call, a, b)
  if (args.length > 1) return undefined
  if (name.startsWith('cast ')) return lowerCast(a, args[0]!.type, type)
  switch (name) {
    case 'not':
      return truth(negated(a.expression))
    case 'negate':
      return lowerNegation(type, a)
    case 'abs':
      return lowerAbsolute(args[0]!, a)
  }
  const rounded = lowerRounding(name, args[0]!.type, a)
  if (rounded !== undefined) return rounded
  const [, test, , yes] = /^is (null|true|false)( (0|1))$/.exec(name) ?? []
  if (test === undefined) return undefined
  return truth(test === 'null' ? { kind: 'isNull', operand: a.expression, negated: yes === '0' } : lowerIs(a.expression, test === 'true', yes === '1'))
}

function lowerBinary({ name, args, type }: BoundCall, a: Lowered, b: Lowered): Lowered | undefined {
  if (name !== 'distinct' && name !== 'not distinct') return lowerArithmetic(name, type, a, b)
  const isPlain = [a, b].every(({ expression }) => expression.kind === 'column' || expression.kind === 'constant')
  return isPlain && args[0]!.type.kind !== 'boolean' ? truth(lowerDistinct(a.expression, b.expression, name === 'not distinct')) : undefined
}

function lowerCompared(lowering: Lowering, { name, args }: BoundCall): Lowered | undefined {
  const [left, right] = args as readonly [Bound, Bound]
  const scaled = lowerScaled(lowering, name, left, right)
  if (scaled !== undefined) return truth(scaled)
  const sides = expressionsOf(lowering, args)
  if (sides === undefined) return undefined
  const [a, b] = left.type.kind === 'boolean' ? sides.map((side) => numberOf(side)) : sides
  return truth(lowerComparison(comparisons[name]!, a!, b!))
}

/** A truth as 0 and 1; that of a BOOLEAN column is the column. */
function numberOf(expression: EngineExpression): EngineExpression {
  if (expression.kind === 'constant') return { kind: 'constant', of: 'i64', value: expression.value === null ? null : expression.value === true ? 1n : 0n }
  return { kind: 'fromBoolean', operand: expression }
}

const swapped: Readonly<Record<string, string>> = { '=': '=', '<>': '<>', '<': '>', '<=': '>=', '>': '<', '>=': '<=' }

/** A number brought to a larger scale to be compared with a constant. */
function lowerScaled(lowering: Lowering, name: string, left: Bound, right: Bound): EngineExpression | undefined {
  if (isFixed(left)) return isFixed(right) ? undefined : lowerScaled(lowering, swapped[name]!, right, left)
  if (left.kind !== 'call' || !left.name.startsWith('cast ') || left.type.kind !== 'numeric' || left.type.precision <= 18) return undefined
  const [operand] = left.args as readonly [Bound]
  const exponent = left.type.scale - scaleOf(operand.type), value = fixedValue(lowering.run, right)
  if (!(isInteger(operand.type) || operand.type.kind === 'numeric') || exponent < 0 || (typeof value !== 'number' && typeof value !== 'bigint')) return undefined
  const subject = lower(lowering, operand)
  return subject && compareScaled(comparisons[name]!, subject.expression, 10n ** BigInt(exponent), BigInt(value))
}
