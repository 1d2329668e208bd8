/** Count, minimum, maximum and sum of the active rows of a vector; twin of assembly/aggregate/vectors.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { createAccumulators } from './accumulator.ts'
import type { Accumulators } from './accumulator.ts'
import { less64 } from '../compare/interval.ts'

export interface VectorAggregates extends Accumulators {
  aggregateI64(values: Pointer, nulls: Pointer, selection: Pointer, count: number, to: Pointer): void
  aggregateF64(values: Pointer, nulls: Pointer, selection: Pointer, count: number, to: Pointer): void
}

/** Rows after which sums of 32-bit halves, held in doubles, might no longer be exact. */
const exactRows = 1 << 20

/** Whether a row is selected (0: all are) and not null (0: none is). */
export function createActivity({ u8 }: LinearMemory): (nulls: Pointer, selection: Pointer, row: number) => boolean {
  return (nulls, selection, row) => {
    const byte = row >>> 3, bit = row & 7
    return (nulls === 0 || ((u8[nulls + byte]! >>> bit) & 1) === 0) && (selection === 0 || ((u8[selection + byte]! >>> bit) & 1) === 1)
  }
}

export function createVectorAggregates(memory: LinearMemory): VectorAggregates {
  const { u32, i32, f64 } = memory
  const accumulators = createAccumulators(memory)
  const isActive = createActivity(memory)

  const aggregateSpanI64 = (values: Pointer, nulls: Pointer, selection: Pointer, from: number, count: number, to: Pointer): void => {
    const all = nulls === 0 && selection === 0
    let leastHigh = 0x7fff_ffff, leastLow = 0xffff_ffff, greatestHigh = -0x8000_0000, greatestLow = 0
    let lows = 0, highs = 0, active = 0
    for (let row = from, at = (values >>> 2) + 2 * from; row < count; row++, at += 2) {
      if (!all && !isActive(nulls, selection, row)) continue
      const low = u32[at]!, high = i32[at + 1]!
      active++
      lows += low
      highs += high
      if (less64(high, low, leastHigh, leastLow)) {
        leastHigh = high
        leastLow = low
      }
      if (less64(greatestHigh, greatestLow, high, low)) {
        greatestHigh = high
        greatestLow = low
      }
    }
    if (active === 0) return
    const sum = (BigInt(highs) << 32n) + BigInt(lows)
    accumulators.accumulateI64(to, active, wide(leastHigh, leastLow), wide(greatestHigh, greatestLow), sum)
  }

  const sums = new Float64Array(4), errors = new Float64Array(4)
  const aggregateF64 = (values: Pointer, nulls: Pointer, selection: Pointer, count: number, to: Pointer): void => {
    const all = nulls === 0 && selection === 0
    let least = Number.POSITIVE_INFINITY, greatest = Number.NEGATIVE_INFINITY, active = 0, nans = 0
    sums.fill(0)
    errors.fill(0)
    for (let row = 0, at = values >>> 3; row < count; row++, at++) {
      if (!all && !isActive(nulls, selection, row)) continue
      const value = f64[at]!, lane = row & 3
      active++
      if (value !== value) nans++
      if (value < least) least = value
      if (value > greatest) greatest = value
      const sum = sums[lane]!, next = sum + value, back = next - sum
      errors[lane]! += sum - (next - back) + (value - back)
      sums[lane] = next
    }
    if (active === 0) return
    accumulators.accumulateF64(to, active, nans === active ? Number.NaN : least, nans > 0 ? Number.NaN : greatest, sums[0]!, errors[0]!)
    for (let lane = 1; lane < 4; lane++) accumulators.addDoubleDouble(to + 24, sums[lane]!, errors[lane]!)
  }

  return {
    ...accumulators,
    aggregateF64,
    aggregateI64(values, nulls, selection, count, to) {
      for (let from = 0; from < count; from += exactRows) aggregateSpanI64(values, nulls, selection, from, Math.min(count, from + exactRows), to)
    },
  }
}

function wide(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low)
}
