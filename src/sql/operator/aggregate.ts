/**
 * Aggregates as records of four functions, so that parts of a group (batches, shards, nodes) combine the same way.
 * `add` may change the state that it is given, nothing else does. Nulls are not given to it. SUM and AVG are exact for integers and NUMERIC; doubles are summed with compensation
 * (Neumaier, 1974).
 */
import type { EngineValue } from '../../engine/engine.ts'
import { invariant } from '../../errors.ts'
import type { BoundAggregate } from '../expression/bound.ts'
import { quotientScaleMin } from '../expression/operator.ts'
import { isFloat, isInteger, scaleOf } from '../expression/type.ts'
import type { ValueType } from '../expression/type.ts'
import { add, divideRounded, integerOf, normal, powerOf10 } from '../expression/value/number.ts'
import type { Integer } from '../expression/value/number.ts'
import { comparer } from '../expression/value/order.ts'

export interface Aggregate<State> {
  readonly init: () => State
  readonly add: (state: State, value: EngineValue) => State
  readonly merge: (a: State, b: State) => State
  readonly value: (state: State) => EngineValue
}

/** The aggregate whose state nobody looks into. */
export type AnyAggregate = Aggregate<unknown>

/** Makes the state opaque; the four functions only ever meet their own states. */
function opaque<State>(aggregate: Aggregate<State>): AnyAggregate {
  return aggregate as unknown as AnyAggregate
}

const count = opaque<number>({ init: () => 0, add: (state) => state + 1, merge: (a, b) => a + b, value: (state) => state })

function extreme(type: ValueType, sign: number): AnyAggregate {
  const compare = comparer(type)
  const better = (a: EngineValue, b: EngineValue): EngineValue => (a === null || (b !== null && compare(b, a) * sign > 0) ? b : a)
  return opaque<EngineValue>({ init: () => null, add: better, merge: better, value: (state) => state })
}

interface Sum {
  count: number
  total: Integer
}

function exactSum(finish: (sum: Sum) => EngineValue): AnyAggregate {
  return opaque<Sum>({
    init: () => ({ count: 0, total: 0 }),
    add: (state, value) => {
      state.count++
      state.total = add(state.total, value as Integer)
      return state
    },
    merge: (a, b) => ({ count: a.count + b.count, total: add(a.total, b.total) }),
    value: (state) => (state.count === 0 ? null : finish(state)),
  })
}

interface FloatSum {
  count: number
  total: number
  /** By rounding. */
  lost: number
}

function addFloat(state: FloatSum, value: number): FloatSum {
  const { total } = state
  const next = total + value
  state.total = next
  if (!Number.isFinite(next)) state.lost = 0
  else state.lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total
  return state
}

function floatSum(finish: (count: number, total: number) => EngineValue): AnyAggregate {
  return opaque<FloatSum>({
    init: () => ({ count: 0, total: 0, lost: 0 }),
    add: (state, value) => {
      state.count++
      return addFloat(state, value as number)
    },
    merge: (a, b) => addFloat(addFloat({ ...a, count: a.count + b.count }, b.total), b.lost),
    value: ({ count: rows, total, lost }) => (rows === 0 ? null : finish(rows, total + lost)),
  })
}

function allOf(stops: 0 | 1): AnyAggregate {
  const combine = (a: EngineValue, b: EngineValue): EngineValue => (a === null ? b : b === null ? a : a === stops || b === stops ? stops : a)
  return opaque<EngineValue>({ init: () => null, add: combine, merge: combine, value: (state) => state })
}

/** AVG of values of a type out of their sum and count, at the scale of the result. */
export function averageOf(from: ValueType, to: ValueType): (sum: EngineValue, count: number) => EngineValue {
  if (isFloat(from)) return (sum, count) => (sum as number) / count
  const factor = powerOf10(scaleOf(to) - scaleOf(from))
  return (sum, count) => normal(divideRounded(BigInt(sum as Integer) * factor, BigInt(count)))
}

export function averageScale(type: ValueType): number {
  return Math.max(quotientScaleMin, scaleOf(type))
}

/** The record of an aggregate that a binder let through. */
export function aggregateOf({ function: name, argument, type }: BoundAggregate): AnyAggregate {
  const from = argument?.type ?? type
  switch (name) {
    case 'count':
      return count
    case 'min':
      return extreme(from, -1)
    case 'max':
      return extreme(from, 1)
    case 'sum':
      if (isFloat(from)) return floatSum((_, total) => total)
      return exactSum(({ total }) => (isInteger(type) ? integerOf(type, total) : total))
    case 'avg': {
      const average = averageOf(from, type)
      return isFloat(from) ? floatSum((rows, total) => average(total, rows)) : exactSum(({ count: rows, total }) => average(total, rows))
    }
    case 'bool_and':
    case 'every':
      return allOf(0)
    case 'bool_or':
      return allOf(1)
  }
  invariant(false, `there is no aggregate ${name}`)
}
