/** Comparisons of single values, with the orders of zone maps; twin of assembly/scan/match.ts. */
import { comparison } from '../../zone-map.ts'
import { less64 } from '../compare/interval.ts'

/** Whether an order (below, at or above 0) satisfies the operator. */
export function matchOrder(order: number, op: number): boolean {
  switch (op) {
    case comparison.eq: return order === 0
    case comparison.ne: return order !== 0
    case comparison.lt: return order < 0
    case comparison.le: return order <= 0
    case comparison.gt: return order > 0
    default: return order >= 0
  }
}

/** Order of two f64: NaN equals itself and is above all numbers. */
export function orderF64(a: number, b: number): number {
  if (a < b) return -1
  if (a > b) return 1
  return a === b ? 0 : (a !== a ? 1 : 0) - (b !== b ? 1 : 0)
}

/** Order of two i64 as signed high and unsigned low halves. */
export function order64(aHigh: number, aLow: number, bHigh: number, bLow: number): number {
  if (aHigh === bHigh && aLow === bLow) return 0
  return less64(aHigh, aLow, bHigh, bLow) ? -1 : 1
}
