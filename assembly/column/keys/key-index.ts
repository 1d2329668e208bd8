/*
 * An index of a chunk of keys, made in memory for chunks that point reads keep asking for: a hash table of u32, of which
 * there are more than half as many again as rows. In each the upper half is 16 bits of a key's hash, the lower the number
 * of its row and 1; 0 is nobody's. So a key is compared with hardly any but itself, where a search compares it with ten.
 */
import { hashBytes64 } from '../../hash/hash'
import { chunkCount, chunkEncoding, chunkNulls, chunkText, ENCODING_TEXT_PLAIN } from '../layout'
import { compareBytes } from '../text/compare'
import { plainRef } from '../text/places'

const ABSENT: i32 = -1

function slotCount(count: i32): u32 { return 1 << (32 - clz(count + (count >> 1))) }

export function columnKeyIndexBytes(chunk: usize): u32 {
  return chunkEncoding(chunk) == ENCODING_TEXT_PLAIN && chunkNulls(chunk) == 0 ? slotCount(chunkCount(chunk)) << 2 : 0
}

export function columnIndexKeys(chunk: usize, index: usize, work: usize): void {
  const count = chunkCount(chunk), mask = slotCount(count) - 1, text = chunkText(chunk)
  memory.fill(index, 0, <usize>(mask + 1) << 2)
  for (let row = 0; row < count; row++) {
    plainRef(chunk, row, text, work)
    const hash = hashBytes64(load<u32>(work), load<u32>(work, 4))
    let slot = <u32>hash & mask
    while (load<u32>(index + (<usize>slot << 2)) != 0) slot = (slot + 1) & mask
    store<u32>(index + (<usize>slot << 2), (<u32>(hash >>> 48) << 16) | (row + 1))
  }
}

export function columnFindIndexed(chunk: usize, index: usize, hash: usize, key: usize, keyBytes: u32, work: usize): i32 {
  const mask = slotCount(chunkCount(chunk)) - 1, mark = <u32>load<u16>(hash, 6)
  let slot = load<u32>(hash) & mask
  let entry = load<u32>(index + (<usize>slot << 2))
  while (entry != 0) {
    if (entry >>> 16 == mark) {
      const row = <i32>(entry & 0xffff) - 1
      plainRef(chunk, row, chunkText(chunk), work)
      if (compareBytes(load<u32>(work), load<u32>(work, 4), key, keyBytes) == 0) return row
    }
    slot = (slot + 1) & mask
    entry = load<u32>(index + (<usize>slot << 2))
  }
  return ABSENT
}
