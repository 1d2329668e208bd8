/**
 * Aggregates of factor · x + offset over a column of integers: its extremes are where those of x are, or the other way
 * round, its sum follows from theirs, and as soon as one row leaves the range an extreme does.
 */
import { invariant } from '../../../errors.ts'
import type { PhysicalKind } from '../../layout.ts'
import type { AggregatePartial } from '../../tree.ts'
import type { IntegerRange, VectorExpression } from '../../vector/expression.ts'
import { beyondRange } from '../../vector/numbers.ts'
import type { ColumnAggregate } from './column-aggregate.ts'

interface Line {
  readonly ordinal: number
  readonly factor: bigint
  readonly offset: bigint
  readonly range: IntegerRange
  readonly position: number | undefined
}

/** undefined where the expression is none. */
export function lineOf(columns: readonly PhysicalKind[], expression: VectorExpression): Line | undefined {
  if (expression.kind !== 'integers') return undefined
  const { operator, left, right, range, position } = expression, isReversed = left.kind === 'constant'
  const [column, constant] = isReversed ? [right, left] : [left, right]
  if (column.kind !== 'column' || columns[column.ordinal] !== 'i64' || constant.kind !== 'constant' || (typeof constant.value !== 'bigint' && typeof constant.value !== 'number')) return undefined
  const value = BigInt(constant.value), of = (factor: bigint, offset: bigint): Line => ({ ordinal: column.ordinal, factor, offset, range, position })
  if (operator === 'add') return of(1n, value)
  if (operator === 'subtract') return isReversed ? of(-1n, value) : of(1n, -value)
  return operator === 'multiply' ? of(value, 0n) : undefined
}

export function lineAggregate(column: ColumnAggregate, { factor, offset, range, position }: Line): ColumnAggregate {
  const valueAt = (which: 'min' | 'max'): bigint | undefined => {
    const partial = column.partial(which)
    invariant(partial.kind === 'extreme' && (partial.value === undefined || typeof partial.value === 'bigint'), 'a line is over a column that is not of integers')
    return partial.value === undefined ? undefined : factor * partial.value + offset
  }
  return {
    ...column,
    partial(wanted): AggregatePartial {
      const atMin = valueAt('min'), atMax = valueAt('max')
      for (const value of [atMin, atMax]) if (value !== undefined && (value < range.low || value > range.high)) throw beyondRange(range.message, position)
      if (wanted === 'min' || wanted === 'max') return { kind: 'extreme', function: wanted, value: (wanted === 'min') === factor >= 0n ? atMin : atMax }
      const partial = column.partial(wanted)
      return partial.kind === 'sumI64' ? { ...partial, sum: factor * partial.sum + offset * BigInt(partial.count) } : partial
    },
  }
}
