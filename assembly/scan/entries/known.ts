/**
 * The dictionary of the last text chunk, remembered: chunks of neighbouring row groups often have equal ones, and what was
 * worked out for its entries then need not be again.
 *
 *   u32 entries, or CONSTANT, + 1 (0: none is held)   u32 bytes of text
 *   dictionary: u32 × (entries + 1) offsets as in the chunk, to a multiple of 8
 *   the text
 */
import { chunkEncoding, chunkEntries, chunkEntryCount, chunkText, chunkTextBytes, ENCODING_TEXT_CONSTANT } from '../../column/layout'
import { scanGroupsEntryCount } from '../group-codes'

const CONSTANT: u32 = 0x7fffffff

export function scanEntriesKnown(chunk: usize, known: usize, capacity: u32): i32 {
  const entries = scanGroupsEntryCount(chunk)
  if (entries < 0) return -1
  const isConstant = chunkEncoding(chunk) == ENCODING_TEXT_CONSTANT
  const mark: u32 = (isConstant ? CONSTANT : <u32>chunkEntryCount(chunk)) + 1, textBytes = chunkTextBytes(chunk)
  const offsetBytes: usize = isConstant ? 0 : <usize>(((entries + 2) >> 1) << 3)
  const offsets = known + 8, text = offsets + offsetBytes
  if (load<u32>(known) == mark && load<u32>(known, 4) == textBytes && equal(chunkEntries(chunk), offsets, isConstant ? 0 : <usize>(entries + 1) << 2) && equal(chunkText(chunk), text, textBytes)) return 1
  if (<u32>(offsetBytes + 8) + textBytes > capacity) {
    store<u32>(known, 0)
    return -1
  }
  store<u32>(known, mark)
  store<u32>(known, textBytes, 4)
  if (!isConstant) memory.copy(offsets, chunkEntries(chunk), <usize>(entries + 1) << 2)
  memory.copy(text, chunkText(chunk), textBytes)
  return 0
}

function equal(a: usize, b: usize, byteLength: usize): bool {
  const whole = byteLength & ~15
  for (let at: usize = 0; at < whole; at += 16) if (v128.any_true(v128.xor(v128.load(a + at), v128.load(b + at)))) return false
  for (let at = whole; at < byteLength; at++) if (load<u8>(a + at) != load<u8>(b + at)) return false
  return true
}
