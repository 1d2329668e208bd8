/** Accumulators of 48 bytes; twin of assembly/aggregate/accumulator.ts, which tells the layout and the rules. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { keyMax, keyMin } from '../compare/interval.ts'

export interface Accumulators {
  initI64(to: Pointer): void
  initF64(to: Pointer): void
  /** Adds `count` values whose extremes and exact sum are known. */
  accumulateI64(to: Pointer, count: number, least: bigint, greatest: bigint, sum: bigint): void
  accumulateF64(to: Pointer, count: number, least: number, greatest: number, high: number, low: number): void
  addDoubleDouble(to: Pointer, high: number, low: number): void
  /** Stores zeros as +0 and NaN as the one quiet NaN. */
  storeF64(at: Pointer, value: number): void
}

export function createAccumulators({ u32, i64, u64, f64 }: LinearMemory): Accumulators {
  const storeF64 = (at: Pointer, value: number): void => {
    if (value === value) {
      f64[at >>> 3] = value + 0
      return
    }
    u32[at >>> 2] = 0
    u32[(at >>> 2) + 1] = 0x7ff8_0000
  }
  const init = (to: Pointer): void => {
    f64[to >>> 3] = 0
    f64.fill(0, (to >>> 3) + 3, (to >>> 3) + 5)
  }
  const addDoubleDouble = (to: Pointer, high: number, low: number): void => {
    const at = to >>> 3
    const mine = f64[at]!
    const sum = mine + high
    const back = sum - mine
    const error = mine - (sum - back) + (high - back) + (f64[at + 1]! + low)
    const total = sum + error
    const finite = Number.isFinite(sum) && Number.isFinite(total)
    storeF64(to, finite ? total : sum)
    f64[at + 1] = finite ? error - (total - sum) : 0
  }

  return {
    storeF64,
    addDoubleDouble,
    initI64(to) {
      init(to)
      i64[(to >>> 3) + 1] = keyMax
      i64[(to >>> 3) + 2] = keyMin
    },
    initF64(to) {
      init(to)
      storeF64(to + 8, Number.NaN)
      f64[(to >>> 3) + 2] = Number.NEGATIVE_INFINITY
    },
    accumulateI64(to, count, least, greatest, sum) {
      const at = to >>> 3
      f64[at]! += count
      if (least < i64[at + 1]!) i64[at + 1] = least
      if (greatest > i64[at + 2]!) i64[at + 2] = greatest
      const total = ((i64[at + 4]! << 64n) | u64[at + 3]!) + sum
      u64[at + 3] = total
      i64[at + 4] = total >> 64n
    },
    accumulateF64(to, count, least, greatest, high, low) {
      const at = to >>> 3
      f64[at]! += count
      storeF64(to + 8, lesserF64(f64[at + 1]!, least))
      storeF64(to + 16, greaterF64(f64[at + 2]!, greatest))
      addDoubleDouble(to + 24, high, low)
    },
  }
}

/** Minimum where NaN is above all numbers. */
export function lesserF64(a: number, b: number): number {
  return a !== a || b < a ? b : a
}

export function greaterF64(a: number, b: number): number {
  return b !== b || b > a ? b : a
}
