/** Columns to the order-preserving key bytes of src/engine/codec/key-codec.ts, and their hashes. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import type { ValuesExports } from '../../values.ts'
import { createKeyHash } from '../hash/hash.ts'
import { columnAt, columnField, columnKind, keyForm, planField, storeWords, valueAt, word } from './layout.ts'

export function createWriteKeys(memory: LinearMemory): ValuesExports['valuesKeys'] {
  const { hashBytes } = createKeyHash(memory)
  return (plan, count, keys, keysBytes, refs, hashes) => {
    const ordinals = word(memory, plan, planField.keys)
    const isBytes = word(memory, plan, planField.keyForm) === keyForm.bytes
    let at = keys
    let longest = 0
    for (let row = 0; row < count; row++) {
      const ref = refs + 8 * row
      if (isBytes) {
        const value = valueAt(memory, columnAt(memory, plan, ordinals, 0), row)
        storeWords(memory, ref, word(memory, value, 0), word(memory, value, 4))
      } else {
        const to = writeKey(memory, plan, ordinals, row, at, keys + keysBytes)
        if (to === 0) return -1
        storeWords(memory, ref, at, to - at)
        at = to
      }
      longest = Math.max(longest, word(memory, ref, 4))
      hashBytes(word(memory, ref, 0), word(memory, ref, 4), hashes + 8 * row)
    }
    return longest
  }
}

/** One i64 column is what a composite key of it would be. */
function writeKey(memory: LinearMemory, plan: Pointer, ordinals: Pointer, row: number, from: Pointer, end: Pointer): Pointer {
  const { view } = memory
  const columns = word(memory, plan, planField.keyCount)
  let at = from
  for (let i = 0; i < columns; i++) {
    const column = columnAt(memory, plan, ordinals, i)
    const kind = word(memory, column, columnField.kind)
    const value = valueAt(memory, column, row)
    if (kind === columnKind.bytes) {
      const byteLength = word(memory, value, 4)
      if (at + 2 * byteLength + 2 > end) return 0
      at = writeTerminated(memory.u8, word(memory, value, 0), byteLength, at)
      continue
    }
    if (at + 8 > end) return 0
    if (kind === columnKind.i64) writeOrdered(view, at, word(memory, value, 0), word(memory, value, 4), false)
    else writeOrderedDouble(view, at, view.getFloat64(value, true))
    at += 8
  }
  return at
}

/** Big-endian, the sign bit flipped or, of negative doubles, all bits. */
function writeOrdered(view: DataView, at: Pointer, low: number, high: number, isInverted: boolean): void {
  view.setUint32(at, isInverted ? ~high : high ^ 0x8000_0000)
  view.setUint32(at + 4, isInverted ? ~low : low)
}

/** NaN above all, -0 as 0. */
function writeOrderedDouble(view: DataView, at: Pointer, value: number): void {
  view.setFloat64(at, Number.isNaN(value) ? Number.NaN : value + 0)
  const high = view.getUint32(at)
  writeOrdered(view, at, view.getUint32(at + 4), high, high >= 0x8000_0000)
}

/** Bytes with each 0 as 0, 255, and 0, 1 at their end. */
function writeTerminated(u8: Uint8Array, from: Pointer, byteLength: number, into: Pointer): Pointer {
  let at = into
  for (let i = from; i < from + byteLength; i++) {
    u8[at++] = u8[i]!
    if (u8[i] === 0) u8[at++] = 0xff
  }
  u8[at++] = 0
  u8[at++] = 1
  return at
}
