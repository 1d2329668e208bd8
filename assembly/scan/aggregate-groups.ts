/** Aggregates by group: each active row goes to the accumulator of its group, 48 bytes × group number. */
import { activeRows, lesserF64, greaterF64 } from '../aggregate/accumulator'
import { NAN_BITS } from '../compare/interval'
import { scanAccumulatorInit, scanAccumulatorMerge } from './aggregate-vectors'
import { allEqual32 } from './selection'

const ACCUMULATOR_BYTES: usize = 48

function accumulatorOf(accumulators: usize, groups: usize, row: u32): usize {
  return accumulators + <usize>load<u32>(groups + (<usize>row << 2)) * ACCUMULATOR_BYTES
}

export function scanGroupedInit(accumulators: usize, firstGroup: u32, groupCount: u32, kind: u32): void {
  for (let group = firstGroup; group < groupCount; group++) scanAccumulatorInit(accumulators + <usize>group * ACCUMULATOR_BYTES, kind)
}

export function scanGroupedMerge(into: usize, from: usize, map: usize, groupCount: u32, kind: u32): void {
  for (let group: u32 = 0; group < groupCount; group++) {
    const to = map == 0 ? group : load<u32>(map + (<usize>group << 2))
    scanAccumulatorMerge(into + <usize>to * ACCUMULATOR_BYTES, from + <usize>group * ACCUMULATOR_BYTES, kind)
  }
}

export function scanGroupedCount(groups: usize, nulls: usize, count: u32, selection: usize, accumulators: usize): void {
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let bits = activeRows(nulls, selection, count, word)
    if (bits != 0 && (word << 6) + 64 <= count && allEqual32(groups + (<usize>word << 8))) {
      const to = accumulatorOf(accumulators, groups, word << 6)
      store<f64>(to, load<f64>(to) + <f64>popcnt(bits))
      continue
    }
    for (; bits != 0; bits &= bits - 1) {
      const to = accumulatorOf(accumulators, groups, (word << 6) + <u32>ctz(bits))
      store<f64>(to, load<f64>(to) + 1)
    }
  }
}

export function scanGroupedI64(groups: usize, values: usize, nulls: usize, count: u32, selection: usize, accumulators: usize): void {
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    for (let bits = activeRows(nulls, selection, count, word); bits != 0; bits &= bits - 1) {
      const row = (word << 6) + <u32>ctz(bits)
      addI64(accumulatorOf(accumulators, groups, row), load<i64>(values + (<usize>row << 3)))
    }
  }
}

export function scanGroupedF64(groups: usize, values: usize, nulls: usize, count: u32, selection: usize, accumulators: usize): void {
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    for (let bits = activeRows(nulls, selection, count, word); bits != 0; bits &= bits - 1) {
      const row = (word << 6) + <u32>ctz(bits)
      addF64(accumulatorOf(accumulators, groups, row), load<f64>(values + (<usize>row << 3)))
    }
  }
}

function addI64(to: usize, value: i64): void {
  store<f64>(to, load<f64>(to) + 1)
  store<i64>(to, min(load<i64>(to, 8), value), 8)
  store<i64>(to, max(load<i64>(to, 16), value), 16)
  const low = load<u64>(to, 24) + <u64>value
  store<u64>(to, low, 24)
  store<i64>(to, load<i64>(to, 32) + (value >> 63) + <i64>(low < <u64>value), 32)
}

/** TwoSum into high, its error into low; not renormalised, which merging does. */
function addF64(to: usize, value: f64): void {
  store<f64>(to, load<f64>(to) + 1)
  const sum = load<f64>(to, 24)
  const next = sum + value
  if (next - next == 0) {
    const back = next - sum
    store<f64>(to, lesserF64(load<f64>(to, 8), value) + 0.0, 8)
    store<f64>(to, greaterF64(load<f64>(to, 16), value) + 0.0, 16)
    store<f64>(to, next, 24)
    store<f64>(to, load<f64>(to, 32) + ((sum - (next - back)) + (value - back)), 32)
    return
  }
  storeCanonical(to + 8, lesserF64(load<f64>(to, 8), value))
  storeCanonical(to + 16, greaterF64(load<f64>(to, 16), value))
  storeCanonical(to + 24, next)
  store<f64>(to, 0, 32)
}

function storeCanonical(to: usize, value: f64): void {
  if (value != value) store<i64>(to, NAN_BITS)
  else store<f64>(to, value + 0.0)
}
