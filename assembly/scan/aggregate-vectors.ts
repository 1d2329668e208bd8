/** The contract's accumulators and aggregates over vectors; the work is in assembly/aggregate. */
import { accumulateF64, accumulateI64, accumulatorInitF64, accumulatorInitI64 } from '../aggregate/accumulator'
import { aggregateVectorF64, aggregateVectorI64 } from '../aggregate/vectors'

const kindF64: u32 = 2

export function scanAccumulatorInit(accumulator: usize, kind: u32): void {
  if (kind == kindF64) accumulatorInitF64(accumulator)
  else accumulatorInitI64(accumulator)
  store<u64>(accumulator, 0, 40)
}

export function scanAccumulatorMerge(into: usize, from: usize, kind: u32): void {
  if (kind == kindF64) {
    accumulateF64(into, load<f64>(from), load<f64>(from, 8), load<f64>(from, 16), load<f64>(from, 24), load<f64>(from, 32))
    return
  }
  const count = load<f64>(into)
  accumulateI64(into, 0, load<i64>(from, 8), load<i64>(from, 16), load<u64>(from, 24), load<i64>(from, 32))
  store<f64>(into, count + load<f64>(from))
}

export function scanAggregateI64(values: usize, nulls: usize, count: u32, selection: usize, accumulator: usize): void {
  aggregateVectorI64(values, nulls, selection, count, accumulator)
}

export function scanAggregateF64(values: usize, nulls: usize, count: u32, selection: usize, accumulator: usize): void {
  aggregateVectorF64(values, nulls, selection, count, accumulator)
}
