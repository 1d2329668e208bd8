/* Column chunks; the layout and what each function keeps true stand in column/layout.ts, the contract in src/kernel/column.ts. */
import { CODES_BYTES } from './column/chunk-write'
import { BLOCK_ROWS, blockCount, chunkByteLength, chunkCount, chunkEncoding, chunkHasNulls, chunkKind, ENTRY_BYTES, HEADER_BYTES, nullBitmapBytes } from './column/layout'
import { textScratchBytes } from './column/text/write'

export { columnEncodeI64 } from './column/integers-write'
export { columnEncodeF64 } from './column/decimal-write'
export { columnEncodeBytes, columnEncodeKeys } from './column/text/write'
export { columnDecodeI64, columnDecodeF64, columnGetI64, columnGetF64, columnLowerBoundI64 } from './column/numbers'
export { columnDecodeBytes, columnDecodeScratchBytes, columnGetBytes } from './column/text/decode'
export { columnExpand, columnExpandedBytes } from './column/text/expand'
export { columnFindKey } from './column/keys/find-key'
export { columnGuide } from './column/keys/key-guide'
export { columnFront } from './column/text/front'
export { columnBlockBounds } from './column/blocks/bounds'
export { columnGather } from './column/gather'
export { columnFindIndexed, columnGetIndexed, columnIndexKeys, columnKeyIndexBytes } from './column/keys/key-index'
export { columnHeadBytes, columnHeadIsGood, columnPart, columnPartIsGood } from './column/text/parts'
export { columnGetNewest, columnGetNewestMany } from './column/keys/newest'
export { columnLowerBoundBytes } from './column/text/search'
export { columnValidate } from './column/validate'

/** Every form is at most as large as plain: 8 bytes a value, or a packed u32 end a row and the text. */
export function columnEncodeBound(count: i32, dataBytes: u32): u32 {
  return HEADER_BYTES + nullBitmapBytes(count) + blockCount(count) * (ENTRY_BYTES + 16) + count * 8 + 16 + dataBytes
}

export function columnScratchBytes(count: i32, dataBytes: u32): u32 {
  const numbers: u32 = CODES_BYTES + BLOCK_ROWS * 8 + count * 8
  return max(numbers, textScratchBytes(count, dataBytes))
}

export function columnCount(chunk: usize): i32 { return chunkCount(chunk) }
export function columnByteLength(chunk: usize): u32 { return chunkByteLength(chunk) }
export function columnKind(chunk: usize): i32 { return chunkKind(chunk) }
export function columnEncoding(chunk: usize): i32 { return chunkEncoding(chunk) }
export function columnHasNulls(chunk: usize): i32 { return chunkHasNulls(chunk) ? 1 : 0 }
