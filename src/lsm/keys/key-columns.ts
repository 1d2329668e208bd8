/**
 * The columns of a key out of its bytes (layout in src/lsm/layout.ts): memtables hold them nowhere else. A direct key
 * is one part without escapes; the parts of a composite key are walked from its start.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import type { LinearMemory, Pointer } from '../../kernel/linear-memory.ts'
import type { Arena } from '../state/arena.ts'
import type { PhysicalKind } from '../layout.ts'
import type { Vector } from '../page.ts'
import type { RowLayout } from './row-layout.ts'

/** Where one column's bytes stand in a key; escapes and the end mark of text included. */
interface KeyPart {
  readonly address: Pointer
  readonly end: Pointer
}

const endMark = 0x01

export function keyPart({ u8 }: LinearMemory, { layout }: RowLayout, key: Pointer, keyBytes: number, keyIndex: number): KeyPart {
  const end = key + keyBytes
  let address = key
  for (let i = 0; ; i++) {
    const partEnd = layout.columns[layout.key[i]!] === 'bytes' ? endOfText(u8, address, end) : Math.min(end, address + 8)
    if (i === keyIndex) return { address, end: partEnd }
    address = partEnd
  }
}

function endOfText(u8: Uint8Array, address: Pointer, end: Pointer): Pointer {
  for (let at = address; at + 1 < end; at++) {
    if (u8[at] !== 0) continue
    if (u8[at + 1] === endMark) return at + 2
    at++
  }
  return end
}

/** Copies an i64 or f64 part, decoded, to the 8 bytes at `out` (a multiple of 8). */
export function decodeKeyNumber({ u32, view }: LinearMemory, kind: PhysicalKind, part: Pointer, out: Pointer): void {
  let high = view.getUint32(part), low = view.getUint32(part + 4)
  if (kind === 'f64' && (high & 0x8000_0000) === 0) {
    high = ~high
    low = ~low
  } else high ^= 0x8000_0000
  u32[out >>> 2] = low
  u32[(out >>> 2) + 1] = high
}

/** A text part as a ref: in place when it has no escapes, otherwise unescaped into memory from `allocate`. */
export function decodeKeyText({ u8 }: LinearMemory, { address, end }: KeyPart, allocate: (byteLength: number) => Pointer): { readonly address: Pointer; readonly byteLength: number } {
  const byteLength = end - address - 2
  const firstEscape = u8.subarray(address, end - 2).indexOf(0)
  if (firstEscape < 0) return { address, byteLength }
  const out = allocate(byteLength)
  let to = out
  for (let from = address; from < end - 2; from++) {
    const byte = u8[from]!
    u8[to++] = byte
    if (byte === 0) from++
  }
  return { address: out, byteLength: to - out }
}

/** The vector of a key column for `count` keys given as refs. */
export function keyColumnVector({ memory, exports }: Kernel, shape: RowLayout, ordinal: number, keys: Pointer, count: number, arena: Arena): Vector {
  const kind = shape.layout.columns[ordinal]!
  if (ordinal === shape.directOrdinal && kind === 'bytes') return { kind, refs: keys, nulls: 0 }
  const out = arena.allocate(8 * count)
  if (ordinal === shape.directOrdinal && kind === 'i64') {
    exports.rowKeysToI64(keys, count, out)
    return { kind, values: out, nulls: 0 }
  }
  const { u32 } = memory
  const keyIndex = shape.keyIndexes[ordinal]!
  for (let i = 0; i < count; i++) {
    const ref = (keys >>> 2) + 2 * i
    const part = keyPart(memory, shape, u32[ref]!, u32[ref + 1]!, keyIndex)
    if (kind !== 'bytes') {
      decodeKeyNumber(memory, kind, part.address, out + 8 * i)
      continue
    }
    const text = decodeKeyText(memory, part, arena.allocate)
    u32[(out >>> 2) + 2 * i] = text.address
    u32[(out >>> 2) + 2 * i + 1] = text.byteLength
  }
  return kind === 'bytes' ? { kind, refs: out, nulls: 0 } : { kind, values: out, nulls: 0 }
}
