/* What forms of one text chunk have in common: header, nulls, directory and packed ends, which writers put before all else. */
import { blockCount, blockEntry, blockRows, chunkCount, ENTRY_BYTES, entryWidth, nullBitmapBytes } from '../layout'
import { packedBytes } from '../packing'

export function padded8(byteLength: u32): u32 { return (byteLength + 7) & -8 }

/** Where it ends. */
export function sharedEnd(chunk: usize): u32 {
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

/**
 * Copies a few bytes, for which a bulk copy costs more than they do: sixteen at a time, and so perhaps some more than asked
 * for, but none at or behind the ends. What follows the copy is to be written later.
 */
export function copyText(to: usize, from: usize, byteLength: u32, toEnd: usize, fromEnd: usize): void {
  const rounded = <usize>((byteLength + 15) & -16)
  if (to + rounded <= toEnd && from + rounded <= fromEnd) {
    for (let at: usize = 0; at < rounded; at += 16) v128.store(to + at, v128.load(from + at))
  } else {
    for (let at: usize = 0; at < <usize>byteLength; at++) store<u8>(to + at, load<u8>(from + at))
  }
}
