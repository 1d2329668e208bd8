/** Reads accumulators by group (their shapes are in src/kernel/scan.ts), without a bigint where a number will do. */
import type { GroupAccumulators } from '../../kernel/grouping/accumulators.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { LinearMemory, Pointer } from '../../kernel/linear-memory.ts'
import { accumulatorBytes } from '../../kernel/scan.ts'
import type { AggregateFunction } from '../tree.ts'
import type { DoublesReader } from './group-input.ts'
import type { GroupedValue } from './group-rows.ts'

const minOffset = 8, maxOffset = 16
const sumOffset = (stride: number): number => (stride === accumulatorBytes ? 24 : 8)

export function accumulatorReader({ memory }: Kernel, accumulators: GroupAccumulators, wanted: AggregateFunction): (group: number) => GroupedValue {
  const { f64 } = memory
  const { kind, stride } = accumulators
  const at = (group: number): Pointer => accumulators.address + stride * group
  if (wanted === 'count') return (group) => f64[at(group) >>> 3]!
  const offset = wanted === 'min' ? minOffset : wanted === 'max' ? maxOffset : sumOffset(stride)
  const read = readerOf(kind, wanted)
  return (group) => (f64[at(group) >>> 3] === 0 ? null : read(memory, at(group) + offset))
}

/** The same as doubles, many at a time: where they are none, only those that are exact. */
export function accumulatorDoubles(kernel: Kernel, accumulators: GroupAccumulators, wanted: AggregateFunction): DoublesReader {
  return accumulators.kind === 'f64' || wanted === 'count' ? doublesOf(kernel, accumulators, wanted) : integersAsDoubles(kernel, accumulators, wanted)
}

function doublesOf({ memory: { f64, u32 } }: Kernel, accumulators: GroupAccumulators, wanted: AggregateFunction): DoublesReader {
  const { stride } = accumulators
  const offset = wanted === 'count' ? 0 : (wanted === 'min' ? minOffset : wanted === 'max' ? maxOffset : sumOffset(stride)) >>> 3, hasLow = wanted === 'sum'
  return (places, first, count, out) => {
    const start = accumulators.address >>> 3, step = stride >>> 3
    for (let i = 0; i < count; i++) {
      const at = start + step * (places === 0 ? first + i : u32[(places >>> 2) + first + i]!)
      if (wanted !== 'count' && f64[at] === 0) return false
      const value = f64[at + offset]!
      // What is not finite has no low part.
      out[i] = hasLow && Number.isFinite(value) ? value + f64[at + offset + 1]! : value
    }
    return true
  }
}

function integersAsDoubles({ memory: { f64, i32, u32 } }: Kernel, accumulators: GroupAccumulators, wanted: AggregateFunction): DoublesReader {
  const { stride } = accumulators, isSum = wanted === 'sum'
  const offset = (wanted === 'min' ? minOffset : wanted === 'max' ? maxOffset : sumOffset(stride)) >>> 2
  return (places, first, count, out) => {
    for (let i = 0; i < count; i++) {
      const at = accumulators.address + stride * (places === 0 ? first + i : u32[(places >>> 2) + first + i]!), word = (at >>> 2) + offset
      const high = i32[word + 1]!, value = high * 0x1_0000_0000 + u32[word]!
      const isBeyond = isSum && (i32[word + 2] !== high >> 31 || i32[word + 3] !== high >> 31)
      if (f64[at >>> 3] === 0 || isBeyond || !Number.isSafeInteger(value)) return false
      out[i] = value
    }
    return true
  }
}

function readerOf(kind: 'i64' | 'f64', wanted: 'min' | 'max' | 'sum'): (memory: LinearMemory, address: Pointer) => number | bigint {
  if (wanted === 'sum') return kind === 'i64' ? integerSum : doubleSum
  return kind === 'i64' ? integer : ({ f64 }, address) => f64[address >>> 3]!
}

function integer({ i32, u32, i64 }: LinearMemory, address: Pointer): number | bigint {
  const word = address >>> 2
  const number = i32[word + 1]! * 0x1_0000_0000 + u32[word]!
  return Number.isSafeInteger(number) ? number : i64[address >>> 3]!
}

/** Of 128 bits. */
function integerSum(memory: LinearMemory, address: Pointer): number | bigint {
  const { i32, i64, u64 } = memory
  const word = address >>> 2
  const sign = i32[word + 1]! >> 31
  if (i32[word + 2] === sign && i32[word + 3] === sign) return integer(memory, address)
  return (i64[(address >>> 3) + 1]! << 64n) | u64[address >>> 3]!
}

/** A double-double; what is not finite has no low part. */
function doubleSum({ f64 }: LinearMemory, address: Pointer): number {
  const high = f64[address >>> 3]!
  return Number.isFinite(high) ? high + f64[(address >>> 3) + 1]! : high
}
