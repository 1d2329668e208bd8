/** Aggregates of a constant: rows are only counted. */
import { invariant } from '../../../errors.ts'
import type { VectorExpression } from '../../vector/expression.ts'
import type { ColumnAggregate } from './column-aggregate.ts'

/** Of doubles, what times any number of rows is exact. */
const doubleMax = 2 ** 20

/** undefined where it is not a number whose sums are exact, or null. */
export function constantAggregate({ of, value }: Extract<VectorExpression, { readonly kind: 'constant' }>): ColumnAggregate | undefined {
  if (typeof value === 'boolean' || value instanceof Uint8Array || of === 'bytes' || of === 'boolean') return undefined
  if (of === 'f64' && value !== null && !(Number.isInteger(value) && Math.abs(Number(value)) <= doubleMax)) return undefined
  const valuesEach = value === null ? 0 : 1
  // Never -0, as in accumulators.
  const given = of === 'i64' ? BigInt(value ?? 0) : Number(value) + 0
  let count = 0
  return {
    add(_rows, _selection, selectedCount) {
      count += valuesEach * selectedCount
    },
    canAddZone: () => false,
    addZone: () => invariant(false, 'a constant has no zone maps'),
    partial(wanted) {
      if (wanted === 'count') return { kind: 'count', count }
      if (wanted !== 'sum') return { kind: 'extreme', function: wanted, value: count === 0 ? undefined : given }
      return typeof given === 'bigint' ? { kind: 'sumI64', count, sum: given * BigInt(count) } : { kind: 'sumF64', count, high: given * count, low: 0 }
    },
    free() {},
  }
}
