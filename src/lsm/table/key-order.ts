/**
 * The order of keys. A file out of order would lose rows without a word, so its writer compares every key with the one
 * before, and so does the verifier.
 */
import type { LinearMemory, Pointer } from '../../kernel/linear-memory.ts'
import type { PhysicalKind } from '../layout.ts'
import type { WriteRows } from './table.ts'

/** What is out of order in rows that must ascend strictly from after `lastKey`; undefined when nothing is. */
export function checkAscending(memory: LinearMemory, kind: PhysicalKind, rows: Pick<WriteRows, 'rowCount' | 'keys'>, lastKey: Uint8Array | undefined): string | undefined {
  const bad = kind === 'i64' ? firstBadI64(memory, rows) : firstBadBytes(memory, rows)
  if (bad < rows.rowCount) return `row ${bad} of ${rows.rowCount} is not above the row before`
  if (lastKey === undefined || Buffer.compare(lastKey, keyAt(memory, kind, rows.keys, 0)) < 0) return undefined
  return 'the first row is not above the last key before it'
}

export const lastKeyOf = (memory: LinearMemory, kind: PhysicalKind, rows: WriteRows): Uint8Array => keyAt(memory, kind, rows.keys, rows.rowCount - 1)

/** A copy of the key bytes of row `row`: of an i64 its 8 big-endian bytes with the sign bit flipped, of a ref its bytes. */
export function keyAt({ u8, u32, view }: LinearMemory, kind: PhysicalKind, keys: Pointer, row: number): Uint8Array {
  const at = keys + row * 8
  if (kind === 'bytes') return u8.slice(u32[at >>> 2], u32[at >>> 2]! + u32[(at >>> 2) + 1]!)
  const key = new Uint8Array(8)
  const out = new DataView(key.buffer)
  out.setInt32(0, view.getInt32(at + 4, true) ^ 0x8000_0000)
  out.setUint32(4, view.getUint32(at, true))
  return key
}

/** The first row that is not above the one before; the row count when all are. */
function firstBadI64({ u32, i32 }: LinearMemory, { keys, rowCount }: Pick<WriteRows, 'rowCount' | 'keys'>): number {
  let word = keys >>> 2
  for (let row = 1; row < rowCount; row++, word += 2) {
    const high = i32[word + 3]!
    const before = i32[word + 1]!
    if (high < before || (high === before && u32[word + 2]! <= u32[word]!)) return row
  }
  return rowCount
}

function firstBadBytes(memory: LinearMemory, { keys, rowCount }: Pick<WriteRows, 'rowCount' | 'keys'>): number {
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
