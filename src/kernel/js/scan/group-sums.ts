/** Counts and sums by group; twin of assembly/scan/group-sums.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { groupSumsBytes, scanKind } from '../../scan.ts'
import type { ScanExports } from '../../scan.ts'
import type { Accumulators } from '../aggregate/accumulator.ts'
import type { Selections } from './selection.ts'

export type GroupSums = Pick<ScanExports, 'scanGroupedSumsI64' | 'scanGroupedSumsF64' | 'scanGroupedSumsMerge'>

/** Adds to the sum alone. */
export function addSumF64({ f64 }: LinearMemory, to: Pointer, value: number): void {
  const at = to >>> 3
  const sum = f64[at + 1]!, next = sum + value, back = next - sum
  const isFinite = Number.isFinite(next)
  f64[at + 1] = Number.isNaN(next) ? Number.NaN : next
  f64[at + 2] = isFinite ? f64[at + 2]! + (sum - (next - back) + (value - back)) : 0
}

export function createGroupSums(memory: LinearMemory, { addDoubleDouble }: Accumulators, { active }: Selections): GroupSums {
  const { u32, i32, i64, u64, f64 } = memory
  const sumsOf = (sums: Pointer, groups: Pointer, row: number): Pointer => sums + groupSumsBytes * u32[(groups >>> 2) + row]!

  const addI64 = (to: Pointer, low: number, high: number): void => {
    const at = to >>> 2, sign = high < 0 ? 0xffff_ffff : 0
    f64[to >>> 3]! += 1
    let sum = u32[at + 2]! + low
    u32[at + 2] = sum
    sum = u32[at + 3]! + (high >>> 0) + (sum > 0xffff_ffff ? 1 : 0)
    u32[at + 3] = sum
    sum = u32[at + 4]! + sign + (sum > 0xffff_ffff ? 1 : 0)
    u32[at + 4] = sum
    u32[at + 5] = u32[at + 5]! + sign + (sum > 0xffff_ffff ? 1 : 0)
  }
  const addF64 = (to: Pointer, value: number): void => {
    f64[to >>> 3]! += 1
    addSumF64(memory, to, value)
  }
  return {
    scanGroupedSumsI64(groups, values, nulls, count, selection, sums) {
      for (let row = 0, at = values >>> 2; row < count; row++, at += 2) {
        if (active(nulls, selection, row)) addI64(sumsOf(sums, groups, row), u32[at]!, i32[at + 1]!)
      }
    },
    scanGroupedSumsF64(groups, values, nulls, count, selection, sums) {
      for (let row = 0, at = values >>> 3; row < count; row++, at++) {
        if (active(nulls, selection, row)) addF64(sumsOf(sums, groups, row), f64[at]!)
      }
    },
    scanGroupedSumsMerge(into, from, map, groupCount, kind) {
      for (let group = 0; group < groupCount; group++) {
        const to = (into + groupSumsBytes * (map === 0 ? group : u32[(map >>> 2) + group]!)) >>> 3, at = (from + groupSumsBytes * group) >>> 3
        f64[to]! += f64[at]!
        if (kind === scanKind.f64) {
          addDoubleDouble(8 * (to + 1), f64[at + 1]!, f64[at + 2]!)
          continue
        }
        const total = ((i64[to + 2]! << 64n) | u64[to + 1]!) + ((i64[at + 2]! << 64n) | u64[at + 1]!)
        u64[to + 1] = total
        i64[to + 2] = total >> 64n
      }
    },
  }
}
