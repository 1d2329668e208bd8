/*
 * An index of a chunk of keys, made in memory for chunks that point reads keep asking for: a hash table of u32, of which
 * there are more than half as many again as rows. In each the upper half is 16 bits of a key's hash, the lower the number
 * of its row and 1; 0 is nobody's. So a key is compared with hardly any but itself, where a search compares it with ten.
 */
import { textIsAscii } from '../../compare/ascii'
import { Bytes } from '../../compare/equal'
import { hashBytes64 } from '../../hash/hash'
import { chunkCount, chunkEncoding, chunkKind, chunkNulls, chunkText, ENCODING_TEXT_PLAIN, KIND_BYTES, KIND_F64, KIND_I64 } from '../layout'
import { columnGetF64, columnGetI64 } from '../numbers'
import { columnGetBytes } from '../text/decode'
import { plainRef, TextPlace } from '../text/places'

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

class KeyIndex {
  /**
   * Part of both reads by index: a call takes as long as a tenth of what it does. The value (of `column`, where that is not 0) is looked at
   * before the key is compared, which it hardly ever is with another than itself: the processor then waits for both at a time.
   */
  @inline
  static find(chunk: usize, index: usize, hash: usize, key: usize, keyBytes: u32, column: usize, out: usize): i32 {
    const mask = slotCount(chunkCount(chunk)) - 1, mark = <u32>load<u16>(hash, 6)
    let slot = load<u32>(hash) & mask
    let entry = load<u32>(index + (<usize>slot << 2))
    while (entry != 0) {
      if (entry >>> 16 == mark) {
        const row = <i32>(entry & 0xffff) - 1
        if (column != 0) store<u32>(out, loadValue(column, row, out), 8)
        const ref = TextPlace.plainRef(chunk, row, chunkText(chunk))
        if (<u32>(ref >>> 32) == keyBytes && Bytes.equal(<usize>(ref & 0xffffffff), key, keyBytes)) return row
      }
      slot = (slot + 1) & mask
      entry = load<u32>(index + (<usize>slot << 2))
    }
    return ABSENT
  }
}

export function columnFindIndexed(chunk: usize, index: usize, hash: usize, key: usize, keyBytes: u32, work: usize): i32 {
  return KeyIndex.find(chunk, index, hash, key, keyBytes, 0, work)
}

/* What became of the value beside a key; told in src/kernel/column.ts. */
export const IS_NULL: u32 = 0
export const IS_THERE: u32 = 1
const IS_ASCII: u32 = 2
export const IS_UNREAD: u32 = 3

/** Longer texts are not looked through: what that saves is little beside what making a string of them takes. */
const ASCII_BYTES_MAX: u32 = 1024

export function columnGetIndexed(chunk: usize, index: usize, hash: usize, key: usize, keyBytes: u32, column: usize, out: usize): i32 {
  const row = KeyIndex.find(chunk, index, hash, key, keyBytes, column, out)
  if (column == 0) store<u32>(out, IS_UNREAD, 8)
  return row
}

function loadValue(column: usize, row: i32, out: usize): u32 {
  const kind = chunkKind(column)
  if (kind == KIND_BYTES) {
    const got = columnGetBytes(column, row, out, 0)
    if (got != 1) return got == 0 ? IS_NULL : IS_UNREAD
    return textState(load<u32>(out), load<u32>(out, 4))
  }
  const got = kind == KIND_I64 ? columnGetI64(column, row, out) : kind == KIND_F64 ? columnGetF64(column, row, out) : -1
  return got == 1 ? IS_THERE : got == 0 ? IS_NULL : IS_UNREAD
}

export function textState(text: usize, byteLength: u32): u32 {
  return byteLength <= ASCII_BYTES_MAX && textIsAscii(text, byteLength) ? IS_ASCII : IS_THERE
}
