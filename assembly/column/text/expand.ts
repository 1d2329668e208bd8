/* A chunk of compressed text, or of keys as they are stored, as a plain one, for memory where it is read row by row. */
import { chunkEncoding, chunkEntryCount, chunkTextBytes, ENCODING_TEXT_FRONT, ENCODING_TEXT_LZ, ENCODING_TEXT_PLAIN } from '../layout'
import { expandFront } from './front'
import { expandSubBlock, subBlock, subBlockStart } from './places'
import { padded8, sharedEnd } from './sections'

function isExpandable(chunk: usize): bool {
  const encoding = chunkEncoding(chunk)
  return encoding == ENCODING_TEXT_LZ || encoding == ENCODING_TEXT_FRONT
}

export function columnExpandedBytes(chunk: usize): u32 {
  return isExpandable(chunk) ? padded8(sharedEnd(chunk)) + padded8(chunkTextBytes(chunk)) : 0
}

export function columnExpand(chunk: usize, out: usize): u32 {
  if (!isExpandable(chunk)) return 0
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
  store<u64>(out, 0, 40)
  const text = out + textOffset
  if (chunkEncoding(chunk) == ENCODING_TEXT_FRONT) expandFront(chunk, text)
  else if (!expandSubBlocks(chunk, text)) return 0
  memory.fill(text + textBytes, 0, byteLength - textOffset - textBytes)
  return byteLength
}

function expandSubBlocks(chunk: usize, text: usize): bool {
  const subBlocks = chunkEntryCount(chunk)
  for (let index = 0; index < subBlocks; index++) {
    if (!expandSubBlock(chunk, index, text + subBlockStart(subBlock(chunk, index)))) return false
  }
  return true
}
