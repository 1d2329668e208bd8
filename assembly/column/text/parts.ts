/*
 * Chunks of compressed text of which a row is read without the rest: the head, all that stands before the stored text, tells
 * where the row's sub-block is, and each of the two has a sum.
 */
import { checksumXxh64 } from '../../checksum'
import { chunkByteLength, chunkEncoding, chunkEntryCount, chunkSums, ENCODING_TEXT_LZ, HEADER_BYTES, SUM_BYTES } from '../layout'
import { subBlock, subBlockOf, subBlockStored } from './places'

function sumAt(chunk: usize, index: i32): usize { return chunk + chunkSums(chunk) + <usize>(index * SUM_BYTES) }

/** Where the stored text starts. */
function textOffset(chunk: usize): u32 { return load<u32>(chunk, 24) }

/** The low half of the xxh64 of some bytes. `work`: 8 bytes. */
function sumOf(bytes: usize, byteLength: u32, work: usize): u32 {
  checksumXxh64(bytes, byteLength, work)
  return load<u32>(work)
}

export function columnHeadBytes(chunk: usize, chunkBytes: u32): u32 {
  if (chunkEncoding(chunk) != ENCODING_TEXT_LZ || chunkByteLength(chunk) != chunkBytes) return 0
  const sums = <u64>chunkSums(chunk), head = textOffset(chunk)
  const sumsEnd = sums + (<u64><u32>chunkEntryCount(chunk) + 1) * SUM_BYTES
  return (sums & 7) != 0 || sums < <u64>HEADER_BYTES || sumsEnd > <u64>head || head > chunkBytes ? 0 : head
}

export function columnHeadIsGood(chunk: usize, work: usize): i32 {
  const last = sumAt(chunk, chunkEntryCount(chunk))
  return load<u32>(last) == sumOf(chunk, <u32>(last - chunk), work) ? 1 : 0
}

export function columnPart(chunk: usize, row: i32, out: usize): i32 {
  const part = subBlockOf(chunk, row), stored = subBlockStored(subBlock(chunk, part))
  store<u32>(out, textOffset(chunk) + stored)
  store<u32>(out, subBlockStored(subBlock(chunk, part + 1)) - stored, 4)
  return part
}

export function columnPartIsGood(chunk: usize, part: i32, work: usize): i32 {
  const stored = subBlockStored(subBlock(chunk, part)), byteLength = subBlockStored(subBlock(chunk, part + 1)) - stored
  return load<u32>(sumAt(chunk, part)) == sumOf(chunk + textOffset(chunk) + stored, byteLength, work) ? 1 : 0
}

/** Writes the sums of a finished chunk, for which there is room. `work`: 8 bytes. */
export function writeSums(chunk: usize, work: usize): void {
  const parts = chunkEntryCount(chunk), text = chunk + textOffset(chunk)
  for (let part = 0; part < parts; part++) {
    const stored = subBlockStored(subBlock(chunk, part))
    store<u32>(sumAt(chunk, part), sumOf(text + stored, subBlockStored(subBlock(chunk, part + 1)) - stored, work))
  }
  const last = sumAt(chunk, parts)
  store<u32>(last, sumOf(chunk, <u32>(last - chunk), work))
}
