/** Aggregates by group; twin of assembly/scan/aggregate-groups.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { accumulatorBytes, scanKind } from '../../scan.ts'
import type { ScanExports } from '../../scan.ts'
import type { Accumulators } from '../aggregate/accumulator.ts'
import { greaterF64, lesserF64 } from '../aggregate/accumulator.ts'
import { less64 } from '../compare/interval.ts'
import type { Selections } from './selection.ts'

export type GroupAggregates = Pick<ScanExports, 'scanAccumulatorInit' | 'scanAccumulatorMerge' | 'scanGroupedInit' | 'scanGroupedCount' | 'scanGroupedI64' | 'scanGroupedF64' | 'scanGroupedMerge'>

export function createGroupAggregates(memory: LinearMemory, accumulators: Accumulators, { active }: Selections): GroupAggregates {
  const { u32, i32, i64, u64, f64 } = memory
  const { initI64, initF64, accumulateI64, accumulateF64, storeF64 } = accumulators

  const addI64 = (to: Pointer, low: number, high: number): void => {
    const at = to >>> 2
    f64[to >>> 3]! += 1
    if (less64(high, low, i32[at + 3]!, u32[at + 2]!)) {
      u32[at + 2] = low
      i32[at + 3] = high
    }
    if (less64(i32[at + 5]!, u32[at + 4]!, high, low)) {
      u32[at + 4] = low
      i32[at + 5] = high
    }
    // Four words of 32 bits with their carries; the sign fills the upper two.
    const sign = high < 0 ? 0xffff_ffff : 0
    let sum = u32[at + 6]! + low
    u32[at + 6] = sum
    sum = u32[at + 7]! + (high >>> 0) + (sum > 0xffff_ffff ? 1 : 0)
    u32[at + 7] = sum
    sum = u32[at + 8]! + sign + (sum > 0xffff_ffff ? 1 : 0)
    u32[at + 8] = sum
    u32[at + 9] = u32[at + 9]! + sign + (sum > 0xffff_ffff ? 1 : 0)
  }
  const addF64 = (to: Pointer, value: number): void => {
    const at = to >>> 3
    f64[at]! += 1
    storeF64(to + 8, lesserF64(f64[at + 1]!, value))
    storeF64(to + 16, greaterF64(f64[at + 2]!, value))
    const sum = f64[at + 3]!, next = sum + value, back = next - sum
    const finite = Number.isFinite(next)
    storeF64(to + 24, next)
    f64[at + 4] = finite ? f64[at + 4]! + (sum - (next - back) + (value - back)) : 0
  }
  const init = (accumulator: Pointer, kind: number): void => {
    if (kind === scanKind.f64) initF64(accumulator)
    else initI64(accumulator)
    f64[(accumulator >>> 3) + 5] = 0
  }
  const merge = (into: Pointer, from: Pointer, kind: number): void => {
    const at = from >>> 3
    if (kind === scanKind.f64) accumulateF64(into, f64[at]!, f64[at + 1]!, f64[at + 2]!, f64[at + 3]!, f64[at + 4]!)
    else accumulateI64(into, f64[at]!, i64[at + 1]!, i64[at + 2]!, (i64[at + 4]! << 64n) | u64[at + 3]!)
  }
  const accumulatorOf = (base: Pointer, groups: Pointer, row: number): Pointer => base + accumulatorBytes * u32[(groups >>> 2) + row]!

  return {
    scanAccumulatorInit: init,
    scanAccumulatorMerge: merge,
    scanGroupedInit(base, firstGroup, groupCount, kind) {
      for (let group = firstGroup; group < groupCount; group++) init(base + accumulatorBytes * group, kind)
    },
    scanGroupedCount(groups, nulls, count, selection, base) {
      for (let row = 0; row < count; row++) if (active(nulls, selection, row)) f64[accumulatorOf(base, groups, row) >>> 3]! += 1
    },
    scanGroupedI64(groups, values, nulls, count, selection, base) {
      for (let row = 0, at = values >>> 2; row < count; row++, at += 2) {
        if (active(nulls, selection, row)) addI64(accumulatorOf(base, groups, row), u32[at]!, i32[at + 1]!)
      }
    },
    scanGroupedF64(groups, values, nulls, count, selection, base) {
      for (let row = 0, at = values >>> 3; row < count; row++, at++) {
        if (active(nulls, selection, row)) addF64(accumulatorOf(base, groups, row), f64[at]!)
      }
    },
    scanGroupedMerge(into, from, map, groupCount, kind) {
      for (let group = 0; group < groupCount; group++) {
        const to = map === 0 ? group : u32[(map >>> 2) + group]!
        merge(into + accumulatorBytes * to, from + accumulatorBytes * group, kind)
      }
    },
  }
}
