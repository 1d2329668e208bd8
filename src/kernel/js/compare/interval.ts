/** Comparisons as intervals over integer keys, as assembly/compare/interval.ts explains; keys are held as signed high and unsigned low 32 bits. */
import { comparison } from '../../zone-map.ts'

export interface KeyInterval {
  readonly empty: boolean
  readonly lowHigh: number
  readonly lowLow: number
  readonly highHigh: number
  readonly highLow: number
}

export const keyMin = -(1n << 63n)
export const keyMax = (1n << 63n) - 1n
export const nanKey = 0x7ff8_0000_0000_0000n

const conversion = new DataView(new ArrayBuffer(8))

/** Order of f64 as integers: -0 equals 0, all NaN are equal and above all numbers. */
export function orderedF64(value: number): bigint {
  if (value !== value) return nanKey
  conversion.setFloat64(0, value + 0)
  const bits = conversion.getBigInt64(0)
  return bits < 0n ? bits ^ keyMax : bits
}

/** The keys that satisfy the comparison; for `ne` those that do not. */
export function intervalOf(op: number, key: bigint): KeyInterval {
  const below = op === comparison.lt || op === comparison.le, above = op === comparison.gt || op === comparison.ge
  const low = below ? keyMin : op === comparison.gt ? key + 1n : key
  const high = above ? keyMax : op === comparison.lt ? key - 1n : key
  if (low > keyMax || high < keyMin) return { empty: true, lowHigh: 0, lowLow: 0, highHigh: 0, highLow: 0 }
  return {
    empty: false,
    lowHigh: Number(low >> 32n),
    lowLow: Number(low & 0xffff_ffffn),
    highHigh: Number(high >> 32n),
    highLow: Number(high & 0xffff_ffffn),
  }
}

/** a < b for 64-bit integers as signed high and unsigned low halves. */
export function less64(aHigh: number, aLow: number, bHigh: number, bLow: number): boolean {
  return aHigh < bHigh || (aHigh === bHigh && aLow < bLow)
}
