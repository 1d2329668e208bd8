/** Aggregates over encoded chunks: constants by multiplication, frames on their codes, other blocks decoded to scratch. */
import { activeRows } from '../aggregate/accumulator'
import { aggregateVectorF64, aggregateVectorI64 } from '../aggregate/vectors'
import { decodeIntegerBlock } from '../column/integers'
import { blockCount, blockEntry, blockRows, chunkCount, chunkData, chunkEncoding, chunkKind, chunkNulls, entryBase, entryPacked, entryWidth, ENCODING_CONSTANT, ENCODING_FRAME, ENCODING_PLAIN, KIND_F64, KIND_I64 } from '../column/layout'
import { columnDecodeF64 } from '../column/numbers'
import { accumulateRepeated, aggregateCodes } from './codes'
import { bitmapPart } from './selection'

export function scanAggregateChunkI64(chunk: usize, selection: usize, accumulator: usize, scratch: usize): i32 {
  if (chunkKind(chunk) != KIND_I64) return -1
  const nulls = chunkNulls(chunk), count = <u32>chunkCount(chunk), encoding = chunkEncoding(chunk)
  if (encoding == ENCODING_CONSTANT) {
    const value = load<i64>(chunkData(chunk)), active = activeCount(nulls, selection, count)
    if (active != 0) accumulateRepeated(accumulator, active, value, value, value, 0)
    return 0
  }
  if (encoding == ENCODING_PLAIN) {
    aggregateVectorI64(chunkData(chunk), nulls, selection, count, accumulator)
    return 0
  }
  for (let block = 0, blocks = blockCount(count); block < blocks; block++) {
    const rows = blockRows(chunk, block)
    const nullPart = bitmapPart(nulls, block), part = bitmapPart(selection, block)
    if (activeCount(nullPart, part, rows) == 0) continue
    const entry = blockEntry(chunk, block), width = entryWidth(entry)
    if (encoding == ENCODING_FRAME && width <= 32) {
      aggregateCodes(entryPacked(chunk, entry), width, rows, entryBase(entry), nullPart, part, accumulator)
    } else {
      decodeIntegerBlock(chunk, block, 0, rows, scratch)
      aggregateVectorI64(scratch, nullPart, part, rows, accumulator)
    }
  }
  return 0
}

/** Always by blocks of decoded values, so that a sum does not depend on the encoding. */
export function scanAggregateChunkF64(chunk: usize, selection: usize, accumulator: usize, scratch: usize): i32 {
  if (chunkKind(chunk) != KIND_F64) return -1
  const nulls = chunkNulls(chunk), count = <u32>chunkCount(chunk)
  for (let block = 0, blocks = blockCount(count); block < blocks; block++) {
    const rows = blockRows(chunk, block)
    const nullPart = bitmapPart(nulls, block), part = bitmapPart(selection, block)
    if (activeCount(nullPart, part, rows) == 0) continue
    columnDecodeF64(chunk, block << 10, rows, scratch, 0)
    aggregateVectorF64(scratch, nullPart, part, rows, accumulator)
  }
  return 0
}

function activeCount(nulls: usize, selection: usize, count: u32): u32 {
  if (nulls == 0 && selection == 0) return count
  let active: u32 = 0
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) active += <u32>popcnt(activeRows(nulls, selection, count, word))
  return active
}
