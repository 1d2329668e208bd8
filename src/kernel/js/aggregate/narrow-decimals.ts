/** Decimals of |n| < 2^20 in two parts with exact sums; twin of assembly/aggregate/narrow-decimals.ts, which tells why they are exact. */
import type { Pointer } from '../../linear-memory.ts'
import { blockCount, columnKinds, encodings } from '../column/layout.ts'
import type { ChunkLayout } from '../column/layout.ts'

const integerLimit = 2 ** 20, widthMax = 20, exponentMax = 5, lowPart = 2 ** 20

/** Of so many values sums are exact. */
export const narrowRowsMax = 2 ** 13

/** 1 / 10^e, rounded to 33 bits. */
const factors = [1, 0.10000000000582077, 0.010000000000218279, 0.0009999999999763531, 0.00010000000000331966, 0.000009999999999621423]

export const narrowFactor = (exponent: number): number => factors[exponent]!

/** 2^a, the greatest power of two up to 10^-e. */
export const narrowPower = (exponent: number): number => 2 ** Math.floor(-exponent * Math.log2(10))

/** e, where all values of a chunk are such decimals, none of them null; otherwise -1. */
export function narrowExponent(layout: ChunkLayout, chunk: Pointer): number {
  if (layout.kind(chunk) !== columnKinds.f64 || layout.encoding(chunk) !== encodings.decimal || layout.nulls(chunk) !== 0) return -1
  const exponent = layout.exponent(chunk)
  if (exponent < 0 || exponent > exponentMax) return -1
  for (let block = 0; block < blockCount(layout.count(chunk)); block++) {
    const entry = layout.entry(chunk, block), width = layout.width(entry), base = layout.base(entry)
    if (layout.exceptionCount(entry) !== 0 || width > widthMax || base <= -integerLimit || base + 2 ** width > integerLimit) return -1
  }
  return exponent
}

/** The part of an integers' sum whose product with the factor is exact, as that of the rest is. */
export const highPart = (sum: number): number => Math.floor(sum / lowPart) * lowPart
