/**
 * The order of keys in what a writer is given. A file out of order would lose rows without a word, so every key is
 * compared with the one before; a violation is our own bug (XX000).
 */
import { invariant } from '../../errors.ts'
import type { LinearMemory, Pointer } from '../../kernel/linear-memory.ts'
import type { WriteRows } from './table.ts'

/** Checks that `rows` ascend strictly, from after `lastKey`. */
export function checkAscending(memory: LinearMemory, kind: 'i64' | 'f64' | 'bytes', rows: WriteRows, lastKey: Uint8Array | undefined): void {
  const bad = kind === 'i64' ? firstBadI64(memory, rows) : firstBadBytes(memory, rows)
  invariant(bad === rows.rowCount, `row ${bad} of ${rows.rowCount} is not in ascending key order`)
  if (lastKey === undefined) return
  invariant(Buffer.compare(lastKey, keyAt(memory, kind, rows.keys, 0)) < 0, 'rows begin before the last key appended')
}

export const lastKeyOf = (memory: LinearMemory, kind: 'i64' | 'f64' | 'bytes', rows: WriteRows): Uint8Array => keyAt(memory, kind, rows.keys, rows.rowCount - 1)

/** A copy of the key bytes of row `row`: of an i64 its 8 big-endian bytes with the sign bit flipped, of a ref its bytes. */
export function keyAt({ u8, u32, view }: LinearMemory, kind: 'i64' | 'f64' | 'bytes', keys: Pointer, row: number): Uint8Array {
  const at = keys + row * 8
  if (kind === 'bytes') return u8.slice(u32[at >>> 2], u32[at >>> 2]! + u32[(at >>> 2) + 1]!)
  const key = new Uint8Array(8)
  const out = new DataView(key.buffer)
  out.setInt32(0, view.getInt32(at + 4, true) ^ 0x8000_0000)
  out.setUint32(4, view.getUint32(at, true))
  return key
}

/** The first row that is not above the one before; the row count when all are. */
function firstBadI64({ u32, i32 }: LinearMemory, { keys, rowCount }: WriteRows): number {
  let word = keys >>> 2
  for (let row = 1; row < rowCount; row++, word += 2) {
    const high = i32[word + 3]!
    const before = i32[word + 1]!
    if (high < before || (high === before && u32[word + 2]! <= u32[word]!)) return row
  }
  return rowCount
}

function firstBadBytes(memory: LinearMemory, { keys, rowCount }: WriteRows): number {
  const { u32, u8 } = memory
  let word = keys >>> 2
  for (let row = 1; row < rowCount; row++, word += 2) {
    if (compareBytes(u8, u32[word]!, u32[word + 1]!, u32[word + 2]!, u32[word + 3]!) >= 0) return row
  }
  return rowCount
}

/** Compares two byte strings of one memory: unsigned bytes, shorter first. */
export function compareBytes(u8: Uint8Array, a: Pointer, aBytes: number, b: Pointer, bBytes: number): number {
  const shared = aBytes < bBytes ? aBytes : bBytes
  for (let i = 0; i < shared; i++) {
    const difference = u8[a + i]! - u8[b + i]!
    if (difference !== 0) return difference
  }
  return aBytes - bBytes
}
