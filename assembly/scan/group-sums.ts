/**
 * Counts and sums by group without extremes: 24 bytes a group (f64 count, the sum as accumulators have it), half of
 * a full accumulator, since what is slow about many groups is fetching them.
 */
import { NAN_BITS } from '../compare/interval'
import { activeRows, addDoubleDouble } from '../aggregate/accumulator'
import { KIND_F64 } from '../column/layout'

const SUMS_BYTES: usize = 24

function sumsOf(sums: usize, groups: usize, row: u32): usize {
  return sums + <usize>load<u32>(groups + (<usize>row << 2)) * SUMS_BYTES
}

export function scanGroupedSumsI64(groups: usize, values: usize, nulls: usize, count: u32, selection: usize, sums: usize): void {
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let bits = activeRows(nulls, selection, count, word)
    let row = word << 6
    if (bits == ~(<u64>0)) {
      for (const end = row + 64; row < end; row++) addI64(sumsOf(sums, groups, row), load<i64>(values + (<usize>row << 3)))
      continue
    }
    for (; bits != 0; bits &= bits - 1) {
      const at = row + <u32>ctz(bits)
      addI64(sumsOf(sums, groups, at), load<i64>(values + (<usize>at << 3)))
    }
  }
}

export function scanGroupedSumsF64(groups: usize, values: usize, nulls: usize, count: u32, selection: usize, sums: usize): void {
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let bits = activeRows(nulls, selection, count, word)
    let row = word << 6
    if (bits == ~(<u64>0)) {
      for (const end = row + 64; row < end; row++) addF64(sumsOf(sums, groups, row), load<f64>(values + (<usize>row << 3)))
      continue
    }
    for (; bits != 0; bits &= bits - 1) {
      const at = row + <u32>ctz(bits)
      addF64(sumsOf(sums, groups, at), load<f64>(values + (<usize>at << 3)))
    }
  }
}

export function scanGroupedSumsMerge(into: usize, from: usize, map: usize, groupCount: u32, kind: u32): void {
  for (let group: u32 = 0; group < groupCount; group++) {
    const to = into + <usize>(map == 0 ? group : load<u32>(map + (<usize>group << 2))) * SUMS_BYTES
    const at = from + <usize>group * SUMS_BYTES
    store<f64>(to, load<f64>(to) + load<f64>(at))
    if (kind == KIND_F64) {
      addDoubleDouble(to + 8, load<f64>(at, 8), load<f64>(at, 16))
      continue
    }
    const low = load<u64>(to, 8) + load<u64>(at, 8)
    store<i64>(to, load<i64>(to, 16) + load<i64>(at, 16) + <i64>(low < load<u64>(at, 8)), 16)
    store<u64>(to, low, 8)
  }
}

function addI64(to: usize, value: i64): void {
  store<f64>(to, load<f64>(to) + 1)
  const low = load<u64>(to, 8) + <u64>value
  store<u64>(to, low, 8)
  store<i64>(to, load<i64>(to, 16) + (value >> 63) + <i64>(low < <u64>value), 16)
}

function addF64(to: usize, value: f64): void {
  store<f64>(to, load<f64>(to) + 1)
  addSumF64(to, value)
}

/** TwoSum into high, its error into low; counts nothing. */
export function addSumF64(to: usize, value: f64): void {
  const sum = load<f64>(to, 8), next = sum + value
  if (next - next == 0) {
    const back = next - sum
    store<f64>(to, next, 8)
    store<f64>(to, load<f64>(to, 16) + ((sum - (next - back)) + (value - back)), 16)
    return
  }
  if (next != next) store<i64>(to, NAN_BITS, 8)
  else store<f64>(to, next, 8)
  store<f64>(to, 0, 16)
}
