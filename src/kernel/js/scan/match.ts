/**
 * Comparisons of single values and of 32 rows at a time, with the orders of zone maps; twin of assembly/scan/match.ts: six
 * operators need three tests, each the complement of another.
 */
import type { LinearMemory } from '../../linear-memory.ts'
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

const { eq, ne, lt, le, gt, ge } = comparison

export interface WordMatches {
  /** Bits of `rows` i64 values from word index `at` of the memory on, compared with a value given as halves. */
  wordI64(at: number, rows: number, op: number, high: number, low: number): number
  /** Bits of `rows` f64 values from element `at` on. */
  wordF64(at: number, rows: number, op: number, wanted: number): number
  /** Bits of `rows` packed codes of 1 to 32 bits from code `first` on. */
  wordCodes(packed: number, width: number, first: number, rows: number, op: number, wanted: number): number
}

export function createWordMatches({ u32, i32, f64 }: LinearMemory): WordMatches {
  const wordNaN = (at: number, rows: number, op: number): number => {
    if (op === le) return -1
    if (op === gt) return 0
    let bits = 0
    for (let i = 0; i < rows; i++) if (f64[at + i]! !== f64[at + i]!) bits |= 1 << i
    return op === ne || op === lt ? ~bits : bits
  }
  return {
    wordI64(at, rows, op, high, low) {
      let bits = 0
      if (op === eq || op === ne) {
        for (let i = 0; i < rows; i++, at += 2) if (u32[at] === low && i32[at + 1] === high) bits |= 1 << i
      } else if (op === lt || op === ge) {
        for (let i = 0; i < rows; i++, at += 2) if (i32[at + 1]! < high || (i32[at + 1] === high && u32[at]! < low)) bits |= 1 << i
      } else {
        for (let i = 0; i < rows; i++, at += 2) if (i32[at + 1]! > high || (i32[at + 1] === high && u32[at]! > low)) bits |= 1 << i
      }
      return op === ne || op === ge || op === le ? ~bits : bits
    },
    wordF64(at, rows, op, wanted) {
      if (wanted !== wanted) return wordNaN(at, rows, op)
      let bits = 0
      if (op === eq || op === ne) {
        for (let i = 0; i < rows; i++) if (f64[at + i] === wanted) bits |= 1 << i
      } else if (op === lt || op === ge) {
        for (let i = 0; i < rows; i++) if (f64[at + i]! < wanted) bits |= 1 << i
      } else {
        for (let i = 0; i < rows; i++) if (f64[at + i]! <= wanted) bits |= 1 << i
      }
      return op === ne || op === ge || op === gt ? ~bits : bits
    },
    wordCodes(packed, width, first, rows, op, wanted) {
      const mask = width === 32 ? -1 : (1 << width) - 1
      const start = packed >>> 2
      let below = 0, equal = 0
      for (let i = 0; i < rows; i++) {
        const row = first + i, bit = (row >> 2) * width, shift = bit & 31
        const word = start + ((bit >> 5) << 2) + (row & 3)
        let code = u32[word]! >>> shift
        if (shift + width > 32) code |= u32[word + 4]! << (32 - shift)
        code = (code & mask) >>> 0
        if (code < wanted) below |= 1 << i
        else if (code === wanted) equal |= 1 << i
      }
      if (op === eq || op === ne) return op === eq ? equal : ~equal
      const least = op === lt || op === ge ? below : below | equal
      return op === lt || op === le ? least : ~least
    },
  }
}
