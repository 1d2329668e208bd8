/** Exact sums of decimals; twin of assembly/aggregate/decimals.ts, which tells why they are exact. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { encodings } from '../column/layout.ts'
import type { ChunkLayout } from '../column/layout.ts'
import type { Accumulators } from './accumulator.ts'
import { createActivity } from './vectors.ts'

const digitsMax = 2 ** 30

/** Whether a block is of numbers below 2^30 under the exponent of its chunk, without exceptions. */
export function isPlainDecimalBlock(layout: ChunkLayout, chunk: Pointer, block: number): boolean {
  if (layout.encoding(chunk) !== encodings.decimal) return false
  const entry = layout.entry(chunk, block), width = layout.width(entry), base = layout.base(entry)
  return layout.exceptionCount(entry) === 0 && width <= 30 && base > -digitsMax && base + 2 ** width <= digitsMax
}

export const cutOf = (exponent: number): number => 1.5 * 2 ** (Math.ceil(30 - exponent * 3.321928094887362) + 11)

/** Adds the active values of a plain block, decoded. */
export type AggregateDecimals = (values: Pointer, nulls: Pointer, selection: Pointer, count: number, exponent: number, to: Pointer) => void

export function createDecimalAggregate(memory: LinearMemory, { accumulateF64 }: Accumulators): AggregateDecimals {
  const { f64 } = memory
  const isActive = createActivity(memory)
  return (values, nulls, selection, count, exponent, to) => {
    const cut = cutOf(exponent)
    let least = Number.POSITIVE_INFINITY, greatest = Number.NEGATIVE_INFINITY, active = 0, uppers = 0, lowers = 0
    for (let row = 0; row < count; row++) {
      if (!isActive(nulls, selection, row)) continue
      const value = f64[(values >>> 3) + row]!, upper = value + cut - cut
      active++
      least = Math.min(least, value)
      greatest = Math.max(greatest, value)
      uppers += upper
      lowers += value - upper
    }
    if (active > 0) accumulateF64(to, active, least, greatest, uppers, lowers)
  }
}
