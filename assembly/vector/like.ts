/**
 * LIKE over UTF-8: greedy, with the last % as the one point to come back to, so that time stays within length times
 * pattern. Literals are compared by bytes: no character's bytes begin inside of another's.
 */
import { rowsOfWord, selectionWord } from '../scan/selection'

const MANY: u32 = 1
const LITERAL: u32 = 0

export function vectorLike(refs: usize, active: usize, count: u32, parts: usize, partCount: u32, out: usize): void {
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let bits: u64 = 0
    for (let rows = selectionWord(active, word) & rowsOfWord(count, word); rows != 0; rows &= rows - 1) {
      const ref = refs + ((<usize>word << 6) + <usize>ctz(rows) << 3)
      const text = <usize>load<u32>(ref)
      if (matches(text, text + load<u32>(ref, 4), parts, parts + <usize>partCount * 12)) bits |= rows & (0 - rows)
    }
    store<u64>(out + (<usize>word << 3), bits)
  }
}

function matches(at: usize, end: usize, part: usize, partsEnd: usize): bool {
  let retryPart: usize = 0, retryAt: usize = 0
  while (part != partsEnd || at != end) {
    if (part != partsEnd) {
      const kind = load<u32>(part)
      if (kind == MANY) {
        part += 12
        if (part == partsEnd) return true
        retryPart = part
        retryAt = at
        continue
      }
      const next = kind == LITERAL ? afterLiteral(at, end, load<u32>(part, 4), load<u32>(part, 8)) : at < end ? afterCharacter(at, end) : 0
      if (next != 0) {
        at = next
        part += 12
        continue
      }
    }
    if (retryPart == 0 || retryAt >= end) return false
    retryAt = afterCharacter(retryAt, end)
    if (load<u32>(retryPart) == LITERAL) retryAt = nextByte(retryAt, end, load<u8>(load<u32>(retryPart, 4)))
    at = retryAt
    part = retryPart
  }
  return true
}

/** The end of the literal that stands at `at`, or 0. */
function afterLiteral(at: usize, end: usize, literal: usize, byteLength: u32): usize {
  const stop = at + byteLength
  if (stop > end) return 0
  for (; at + 8 <= stop; at += 8, literal += 8) if (load<u64>(at) != load<u64>(literal)) return 0
  for (; at < stop; at++, literal++) if (load<u8>(at) != load<u8>(literal)) return 0
  return stop
}

function afterCharacter(at: usize, end: usize): usize {
  do at++
  while (at < end && (load<u8>(at) & 0xc0) == 0x80)
  return at
}

/** Where a literal's first byte stands next, or the end. */
function nextByte(at: usize, end: usize, byte: u8): usize {
  while (at < end && load<u8>(at) != byte) at++
  return at
}
