/** How aggregate partials of different rows (pages, tables, shards) become one. */
import { invariant } from '../errors.ts'
import type { AggregateFunction, AggregatePartial, PhysicalKind, PhysicalValue } from './tree.ts'

/** The partial over no row; of a sum, that of a column of the kind. */
export function partialOfNothing(wanted: AggregateFunction, kind: PhysicalKind = 'i64'): AggregatePartial {
  switch (wanted) {
    case 'count':
      return { kind: 'count', count: 0 }
    case 'sum':
      return kind === 'f64' ? { kind: 'sumF64', count: 0, high: 0, low: 0 } : { kind: 'sumI64', count: 0, sum: 0n }
    case 'min':
    case 'max':
      return { kind: 'extreme', function: wanted, value: undefined }
  }
}

/** The partial over the rows of both. Both are of one aggregate. */
export function mergePartials(a: AggregatePartial, b: AggregatePartial): AggregatePartial {
  if (a.kind === 'count' && b.kind === 'count') return { kind: 'count', count: a.count + b.count }
  if (a.kind === 'extreme' && b.kind === 'extreme') return { kind: 'extreme', function: a.function, value: extremeOf(a.function, a.value, b.value) }
  if (a.kind === 'sumI64' && b.kind === 'sumI64') return { kind: 'sumI64', count: a.count + b.count, sum: a.sum + b.sum }
  invariant(a.kind === 'sumF64' && b.kind === 'sumF64', `partials of ${a.kind} and ${b.kind} cannot be merged`)
  const { high, low } = addDoubleDoubles(a, b)
  return { kind: 'sumF64', count: a.count + b.count, high, low }
}

function extremeOf(which: 'min' | 'max', a: PhysicalValue | undefined, b: PhysicalValue | undefined): PhysicalValue | undefined {
  if (a === undefined) return b
  if (b === undefined) return a
  const order = comparePhysical(a, b)
  return (which === 'min' ? order <= 0 : order >= 0) ? a : b
}

/** Order of two values of one column: bytes unsigned, NaN above all numbers. */
export function comparePhysical(a: PhysicalValue, b: PhysicalValue): number {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a < b ? -1 : a > b ? 1 : 0
}

interface DoubleDouble {
  readonly high: number
  readonly low: number
}

/** Adds two sums kept as a double and its error (Dekker 1971, Knuth's two-sum). A high part that is not finite has no low part. */
export function addDoubleDoubles(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const sum = a.high + b.high
  if (!Number.isFinite(sum)) return { high: sum, low: 0 }
  const part = sum - a.high
  const error = a.high - (sum - part) + (b.high - part) + a.low + b.low
  const high = sum + error
  return { high, low: error - (high - sum) }
}
