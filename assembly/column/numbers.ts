/* The contract's readers of i64 and f64 chunks: ranges, single rows, and the search in a sorted chunk. */
import { chunkCount, chunkData, chunkEncoding, chunkHasNulls, chunkKind, chunkNulls, isNull, ENCODING_CONSTANT, ENCODING_DECIMAL, ENCODING_PLAIN, KIND_F64, KIND_I64 } from './layout'
import { decodeDecimalBlock, Double } from './decimal'
import { decodeIntegerBlock, fill64, Integer, integerAt } from './integers'
import { applyNulls } from './nulls'

/** Whether [first, first + count) are rows of the chunk that a decoder may start at. */
export function rowsInside(chunk: usize, first: i32, count: i32): bool {
  return first >= 0 && count >= 0 && (first & 7) == 0 && <u32>first + <u32>count <= <u32>chunkCount(chunk)
}

function decodeFixed(chunk: usize, first: i32, count: i32, out: usize): void {
  const encoding = chunkEncoding(chunk)
  if (encoding == ENCODING_CONSTANT) return fill64(out, count, load<i64>(chunkData(chunk)))
  if (encoding == ENCODING_PLAIN) return memory.copy(out, chunkData(chunk) + (<usize>first << 3), <usize>count << 3)
  let row = first
  const end = first + count
  while (row < end) {
    const block = row >> 10
    const stop = min((block + 1) << 10, end)
    const to = out + (<usize>(row - first) << 3)
    if (encoding == ENCODING_DECIMAL) decodeDecimalBlock(chunk, block, row & 1023, stop - row, to)
    else decodeIntegerBlock(chunk, block, row & 1023, stop - row, to)
    row = stop
  }
}

function decodeKind(chunk: usize, kind: i32, first: i32, count: i32, values: usize, nulls: usize): i32 {
  if (chunkKind(chunk) != kind || !rowsInside(chunk, first, count)) return -1
  decodeFixed(chunk, first, count, values)
  return applyNulls(chunk, first, count, values, nulls)
}

export function columnDecodeI64(chunk: usize, first: i32, count: i32, values: usize, nulls: usize): i32 {
  return decodeKind(chunk, KIND_I64, first, count, values, nulls)
}

export function columnDecodeF64(chunk: usize, first: i32, count: i32, values: usize, nulls: usize): i32 {
  return decodeKind(chunk, KIND_F64, first, count, values, nulls)
}

export function columnGetI64(chunk: usize, row: i32, out: usize): i32 {
  if (chunkKind(chunk) != KIND_I64 || <u32>row >= <u32>chunkCount(chunk)) return -1
  if (chunkHasNulls(chunk) && isNull(chunkNulls(chunk), row)) {
    store<i64>(out, 0)
    return 0
  }
  store<i64>(out, Integer.at(chunk, row))
  return 1
}

export function columnGetF64(chunk: usize, row: i32, out: usize): i32 {
  if (chunkKind(chunk) != KIND_F64 || <u32>row >= <u32>chunkCount(chunk)) return -1
  if (chunkHasNulls(chunk) && isNull(chunkNulls(chunk), row)) {
    store<i64>(out, 0)
    return 0
  }
  store<u64>(out, Double.bitsAt(chunk, row))
  return 1
}

/** Rows that are multiples of 1,024 are reached without a sum in every encoding, so blocks are searched first. */
export function columnLowerBoundI64(chunk: usize, value: usize): i32 {
  if (chunkKind(chunk) != KIND_I64) return -1
  const wanted = load<i64>(value)
  const count = chunkCount(chunk)
  let low = firstNotBelow(chunk, wanted, 0, (count + 1023) >> 10, 10)
  if (low == 0) return 0
  low -= 1
  const blockStart = low << 10
  // The same with the 128-row checkpoints of the block, then with its rows.
  const groups = (min(count - blockStart, 1024) + 127) >> 7
  const group = firstNotBelow(chunk, wanted, blockStart >> 7, (blockStart >> 7) + groups, 7) - 1
  const start = max(group << 7, blockStart)
  return firstNotBelow(chunk, wanted, start, min(min(start + 128, blockStart + 1024), count), 0)
}

/** First k in [low, high) whose row k << shift holds a value >= wanted, or high. */
function firstNotBelow(chunk: usize, wanted: i64, low: i32, high: i32, shift: i32): i32 {
  while (low < high) {
    const middle = (low + high) >> 1
    if (integerAt(chunk, middle << shift) < wanted) low = middle + 1
    else high = middle
  }
  return low
}
