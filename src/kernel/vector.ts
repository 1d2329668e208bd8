/**
 * Expressions over vectors: one operation over the rows of a page a call. Vectors hold 8 bytes a row (i64, f64, or refs to
 * text); booleans are bitmaps, bit = 1 means true. Bitmaps are as in src/kernel/scan.ts, values and constants stand at
 * multiples of 8.
 *
 * An operand has a step: 8 for a vector, 0 for a constant, which is one value written twice (16 bytes) unless it is a ref.
 * `active` is the bitmap of the rows that are to be computed and whose operands are not null. What is written for other rows
 * means nothing; bits beyond `count` are zeros. Comparisons are those of scans: NaN equals itself and is above all
 * numbers, -0 equals 0, text is ordered by its bytes.
 *
 * Operations that can fail return the first active row that did, or `count`.
 */
import type { Pointer } from './linear-memory.ts'

/** `roundedQuotient` rounds half away from zero, `floorQuotient` down; the quotient truncates. The last two are for i64 only. */
export const vectorOperator = { add: 0, subtract: 1, multiply: 2, quotient: 3, remainder: 4, roundedQuotient: 5, floorQuotient: 6 } as const
/** To a whole double: down, up, towards zero, to the nearest with halves to even. */
export const vectorRounding = { floor: 0, ceil: 1, trunc: 2, nearest: 3 } as const
export const bitsOperator = { and: 0, andNot: 1, or: 2 } as const

/** Parts of a LIKE pattern: 12 bytes each: u32 kind, address and byte length of a literal. */
export const likePart = { literal: 0, many: 1, one: 2 } as const
export const likePartBytes = 12

export interface VectorExports {
  /** `left <op> right` for the first six comparisons of zone maps. Bits of rows that are not active mean nothing, except over text, where they are zeros. */
  vectorCompareI64(left: Pointer, right: Pointer, rightStep: number, count: number, op: number, out: Pointer): void
  vectorCompareF64(left: Pointer, right: Pointer, rightStep: number, count: number, op: number, out: Pointer): void
  vectorCompareBytes(left: Pointer, right: Pointer, rightStep: number, active: Pointer, count: number, op: number, out: Pointer): void

  /** i64 in [low, high] at `range`, 16 bytes. Fails beyond it, beyond 64 bits, and for a divisor of 0. */
  vectorArithmeticI64(operator: number, left: Pointer, leftStep: number, right: Pointer, rightStep: number, active: Pointer, count: number, range: Pointer, out: Pointer): number
  /** Fails where the result is infinite and no operand is, and for a divisor of 0 (unless the dividend of a quotient is NaN). The bits of a NaN are any. */
  vectorArithmeticF64(operator: number, left: Pointer, leftStep: number, right: Pointer, rightStep: number, active: Pointer, count: number, out: Pointer): number
  /** i64 to the nearest f64. */
  vectorToF64(values: Pointer, active: Pointer, count: number, out: Pointer): void
  /** f64 to i64, rounded half to even; fails for what is not finite or beyond the range. */
  vectorToI64(values: Pointer, active: Pointer, count: number, range: Pointer, out: Pointer): number
  vectorRoundF64(rounding: number, values: Pointer, count: number, out: Pointer): void

  /** Copies the 8 bytes of the rows in `bits`. */
  vectorSelect(values: Pointer, step: number, bits: Pointer, count: number, out: Pointer): void
  /** 0 and 1 as i64. */
  vectorFromBits(bits: Pointer, count: number, out: Pointer): void
  /** Combines two bitmaps; `out` may be one of them. Returns how many bits are set. */
  vectorBits(operator: number, a: Pointer, b: Pointer, count: number, out: Pointer): number

  /** Whether the value is among `setCount` sorted ones, for active rows; zeros for others. */
  vectorInI64(values: Pointer, active: Pointer, count: number, set: Pointer, setCount: number, out: Pointer): void
  vectorInF64(values: Pointer, active: Pointer, count: number, set: Pointer, setCount: number, out: Pointer): void
  /** `set`: refs. */
  vectorInBytes(refs: Pointer, active: Pointer, count: number, set: Pointer, setCount: number, out: Pointer): void
  /** Whether UTF-8 text matches a pattern's parts, for active rows; zeros for others. */
  vectorLike(refs: Pointer, active: Pointer, count: number, parts: Pointer, partCount: number, out: Pointer): void

  /**
   * Copies texts one behind the other to `out`, as long as they are ASCII and fit into `outBytes`; writes where each ends (u32,
   * from `out`) at `ends`. Returns how many; what follows the last of them at `out` means nothing.
   */
  vectorJoinAscii(refs: Pointer, count: number, out: Pointer, outBytes: number, ends: Pointer): number
}
