/* A chunk of compressed text as a plain one, for memory where it is read row by row. */
import { blockCount, blockEntry, blockRows, chunkCount, chunkEncoding, chunkEntryCount, chunkTextBytes, ENCODING_TEXT_LZ, ENCODING_TEXT_PLAIN, ENTRY_BYTES, entryWidth, nullBitmapBytes } from '../layout'
import { packedBytes } from '../packing'
import { expandSubBlock, subBlock, subBlockStart } from './places'

function padded8(byteLength: u32): u32 { return (byteLength + 7) & -8 }

/** Where what both forms have ends: header, nulls, directory and packed ends, which writers put before all else. */
function sharedEnd(chunk: usize): u32 {
  const count = chunkCount(chunk)
  const blocks = blockCount(count)
  const nulls = load<u32>(chunk, 12)
  let end = load<u32>(chunk, 16) + <u32>(blocks * ENTRY_BYTES)
  if (nulls != 0) end = max(end, nulls + <u32>nullBitmapBytes(count))
  for (let block = 0; block < blocks; block++) {
    const entry = blockEntry(chunk, block)
    end = max(end, load<u32>(entry, 16) + <u32>packedBytes(blockRows(chunk, block), entryWidth(entry)))
  }
  return end
}

export function columnExpandedBytes(chunk: usize): u32 {
  return chunkEncoding(chunk) == ENCODING_TEXT_LZ ? padded8(sharedEnd(chunk)) + padded8(chunkTextBytes(chunk)) : 0
}

export function columnExpand(chunk: usize, out: usize): u32 {
  if (chunkEncoding(chunk) != ENCODING_TEXT_LZ) return 0
  const shared = sharedEnd(chunk)
  const textOffset = padded8(shared)
  const textBytes = chunkTextBytes(chunk)
  const byteLength = textOffset + padded8(textBytes)
  memory.copy(out, chunk, shared)
  memory.fill(out + shared, 0, textOffset - shared)
  store<u8>(out, <u8>ENCODING_TEXT_PLAIN)
  store<u32>(out, byteLength, 8)
  store<u32>(out, textOffset, 24)
  store<u64>(out, 0, 32)
  const text = out + textOffset
  const subBlocks = chunkEntryCount(chunk)
  for (let index = 0; index < subBlocks; index++) {
    if (!expandSubBlock(chunk, index, text + subBlockStart(subBlock(chunk, index)))) return 0
  }
  memory.fill(text + textBytes, 0, byteLength - textOffset - textBytes)
  return byteLength
}
