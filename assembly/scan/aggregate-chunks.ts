/** Aggregates over encoded chunks: constants by multiplication, frames on their codes, other blocks decoded to scratch. */
import { activeCount, activeRows } from '../aggregate/accumulator'
import { aggregateDecimals, isPlainDecimalBlock } from '../aggregate/decimals'
import { aggregateVectorF64, aggregateVectorI64 } from '../aggregate/vectors'
import { doubleBitsAt } from '../column/decimal'
import { decodeIntegerBlock, integerAt } from '../column/integers'
import { blockCount, blockEntry, blockRows, chunkCount, chunkData, chunkEncoding, chunkKind, chunkNulls, entryBase, entryPacked, entryWidth, isDelta, ENCODING_CONSTANT, ENCODING_FRAME, ENCODING_PLAIN, KIND_F64, KIND_I64 } from '../column/layout'
import { columnDecodeF64 } from '../column/numbers'
import { accumulateRepeated, aggregateCodes } from './codes'
import { bitmapPart } from './selection'

/** Where at most one row in so many of a block is active, values are fetched one by one to their places. */
const sparseShare: u32 = 16

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
    const entry = blockEntry(chunk, block), width = entryWidth(entry)
    if (encoding == ENCODING_FRAME && width <= 32) {
      aggregateCodes(entryPacked(chunk, entry), width, rows, entryBase(entry), nullPart, part, scratch, accumulator)
    } else {
      const active = activeCount(nullPart, part, rows)
      if (active == 0) continue
      if (active * sparseShare > <u32>rows || isDelta(encoding)) decodeIntegerBlock(chunk, block, 0, rows, scratch)
      else fetchRows(chunk, block, KIND_I64, nullPart, part, rows, scratch)
      aggregateVectorI64(scratch, nullPart, part, rows, accumulator)
    }
  }
  return 0
}

/** Decimals by their codes, their sums exactly; other blocks as decoded values. */
export function scanAggregateChunkF64(chunk: usize, selection: usize, accumulator: usize, scratch: usize): i32 {
  if (chunkKind(chunk) != KIND_F64) return -1
  const nulls = chunkNulls(chunk), count = <u32>chunkCount(chunk)
  for (let block = 0, blocks = blockCount(count); block < blocks; block++) {
    const rows = blockRows(chunk, block)
    const nullPart = bitmapPart(nulls, block), part = bitmapPart(selection, block)
    if (isPlainDecimalBlock(chunk, block)) {
      aggregateDecimals(chunk, block, nullPart, part, scratch, accumulator)
      continue
    }
    const active = activeCount(nullPart, part, rows)
    if (active == 0) continue
    if (active * sparseShare > <u32>rows) columnDecodeF64(chunk, block << 10, rows, scratch, 0)
    else fetchRows(chunk, block, KIND_F64, nullPart, part, rows, scratch)
    aggregateVectorF64(scratch, nullPart, part, rows, accumulator)
  }
  return 0
}

/** The values of a block's active rows, each at its place in the block. */
function fetchRows(chunk: usize, block: i32, kind: i32, nulls: usize, selection: usize, rows: u32, values: usize): void {
  for (let word: u32 = 0, words = (rows + 63) >> 6; word < words; word++) {
    for (let bits = activeRows(nulls, selection, rows, word); bits != 0; bits &= bits - 1) {
      const at = (word << 6) + <u32>ctz(bits), row = (block << 10) + <i32>at
      store<u64>(values + (<usize>at << 3), kind == KIND_F64 ? doubleBitsAt(chunk, row) : <u64>integerAt(chunk, row))
    }
  }
}
