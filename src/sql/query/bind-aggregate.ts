/** Aggregate calls, and expressions above a GROUP BY in terms of what it gives. */
import { LsmtError } from '../../errors.ts'
import type { Bound, BoundAggregate, Place } from '../expression/bound.ts'
import { equalBound, mapBound } from '../expression/bound.ts'
import { settled } from '../expression/coerce.ts'
import type { Literals } from '../expression/literal.ts'
import { asCondition } from '../expression/operator.ts'
import { bigintType, doubleType, integerType, isFloat, isInteger, numericType, scaleOf, valueTypeName } from '../expression/type.ts'
import type { ValueType } from '../expression/type.ts'
import { averageScale } from '../operator/aggregate.ts'
import { errorAt } from '../origin.ts'
import type { Origin } from '../origin.ts'
import type { Call } from '../syntax/query/query.ts'

/**
 * No aggregate counts a null, so FILTER makes a null of the argument where its condition does not hold; what is not counted
 * is not computed either.
 */
export function bindAggregateCall(call: Call, args: readonly Bound[], filter: Bound | undefined): Bound {
  const [given] = args
  const counted = (argument: Bound): Bound => (filter === undefined ? argument : { kind: 'case', branches: [{ when: filter, result: argument }], otherwise: undefined, type: argument.type })
  if (call.star && call.name !== 'count') throw new LsmtError('42883', `there is no function ${call.name}(*)`)
  if (call.star) return aggregateOf(call, filter && counted({ kind: 'constant', value: 1, type: integerType }), bigintType)
  if (given === undefined || args.length > 1) throw noFunction(call, args)
  const argument = settled(given)
  const type = resultTypeOf(call.name, argument.type)
  if (type === undefined) throw noFunction(call, args)
  return aggregateOf(call, counted(call.name.startsWith('bool') || call.name === 'every' ? asCondition(argument, call.name) : argument), type)
}

function aggregateOf({ name, distinct, at }: Call, argument: Bound | undefined, type: ValueType): Bound {
  return { kind: 'aggregate', aggregate: { function: name, distinct, argument, type }, type, at }
}

function noFunction(call: Call, args: readonly Bound[]): LsmtError {
  return new LsmtError('42883', `there is no function ${call.name}(${args.map(({ type }) => valueTypeName(type)).join(', ')})`)
}

/** By PostgreSQL's rules: a sum of BIGINT may be larger than any BIGINT. */
function resultTypeOf(name: string, type: ValueType): ValueType | undefined {
  switch (name) {
    case 'count':
      return bigintType
    case 'min':
    case 'max':
      return type.kind === 'boolean' || type.kind === 'interval' ? undefined : type
    case 'sum':
      if (isFloat(type)) return type
      if (type.kind === 'smallint' || type.kind === 'integer') return bigintType
      return type.kind === 'bigint' || type.kind === 'numeric' ? numericType(scaleOf(type)) : undefined
    case 'avg':
      if (isFloat(type)) return doubleType
      return isInteger(type) || type.kind === 'numeric' ? numericType(averageScale(type)) : undefined
    case 'bool_and':
    case 'bool_or':
    case 'every':
      return type.kind === 'boolean' ? type : undefined
  }
  return undefined
}

export interface Grouping {
  readonly keys: readonly Bound[]
  readonly keyPlaces: readonly Place[]
  readonly aggregates: BoundAggregate[]
}

export function newGrouping(keys: readonly Bound[]): Grouping {
  return { keys, keyPlaces: keys.map((_, index) => ({ index })), aggregates: [] }
}

/** The expression over rows of the grouping: keys first, then aggregates. 42803 for a column that is neither. */
export function aboveGrouping(grouping: Grouping, bound: Bound, literals: Literals, origin: Origin): Bound {
  const column = (index: number, of: Bound): Bound => ({ kind: 'column', place: grouping.keyPlaces[index] ?? { index }, name: 'name' in of ? of.name : '', type: of.type, at: 'at' in of ? of.at : -1 })
  return mapBound(bound, (part) => {
    const key = grouping.keys.findIndex((each) => equalBound(each, part, literals.areEqual))
    if (key >= 0) return column(key, part)
    if (part.kind === 'aggregate') return column(grouping.keys.length + aggregateIndex(grouping, part, literals), part)
    if (part.kind === 'column') throw ungrouped(origin, part.name, part.at)
    if (part.kind === 'subquery') {
      for (const { reference, local } of part.subquery.outer) {
        if (!local || grouping.keyPlaces.includes(reference.place)) continue
        const index = grouping.keys.findIndex((each) => each.kind === 'column' && each.place === reference.place)
        if (index < 0) throw ungrouped(origin, reference.name, -1)
        reference.place = grouping.keyPlaces[index]!
      }
    }
    return undefined
  })
}

function aggregateIndex({ aggregates }: Grouping, part: Extract<Bound, { kind: 'aggregate' }>, literals: Literals): number {
  const known = aggregates.findIndex((aggregate) => equalBound({ kind: 'aggregate', aggregate, type: aggregate.type, at: -1 }, part, literals.areEqual))
  return known >= 0 ? known : aggregates.push(part.aggregate) - 1
}

function ungrouped(origin: Origin, name: string, at: number): LsmtError {
  return errorAt(origin, at, '42803', `column "${name}" must stand in GROUP BY or in an aggregate function`)
}
