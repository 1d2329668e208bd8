/**
 * Key bytes in JavaScript memory, and boundaries between keys. A boundary is key bytes too: it stands before that key
 * and after all smaller ones, so it serves as an inclusive lower and an exclusive upper bound. The empty key is the
 * boundary before all keys; undefined is the one after all of them.
 */
import type { LinearMemory, Pointer } from '../../kernel/linear-memory.ts'

export type Boundary = Uint8Array | undefined

/** From the first to the last key, both included; without their table id. */
export interface KeySpan {
  readonly first: Uint8Array
  readonly last: Uint8Array
}

export const firstBoundary: Uint8Array = new Uint8Array(0)

/** So many bytes are compared for what a call into native code costs. */
const comparedHere = 24

export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const shared = Math.min(left.length, right.length, comparedHere)
  for (let i = 0; i < shared; i++) {
    const difference = left[i]! - right[i]!
    if (difference !== 0) return difference
  }
  return shared < comparedHere ? left.length - right.length : Buffer.compare(left, right)
}

export function compareBoundaries(left: Boundary, right: Boundary): number {
  if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined)
  return compareBytes(left, right)
}

export const smallerBoundary = (left: Boundary, right: Boundary): Boundary => (compareBoundaries(left, right) <= 0 ? left : right)
export const largerBoundary = (left: Boundary, right: Boundary): Boundary => (compareBoundaries(left, right) >= 0 ? left : right)

/** The boundary right after a key. */
export function boundaryAfter(key: Uint8Array): Uint8Array {
  const after = new Uint8Array(key.length + 1)
  after.set(key)
  return after
}

export function copyOut({ u8 }: LinearMemory, address: Pointer, byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength)
  // A loop is faster for keys; `slice` of shared memory is slow to start.
  if (byteLength > 64) bytes.set(u8.subarray(address, address + byteLength))
  else for (let i = 0; i < byteLength; i++) bytes[i] = u8[address + i]!
  return bytes
}

/** Order of a key in linear memory against one outside. */
export function compareToMemory({ u8 }: LinearMemory, address: Pointer, byteLength: number, key: Uint8Array): number {
  const shared = Math.min(byteLength, key.length)
  for (let i = 0; i < shared; i++) {
    const difference = u8[address + i]! - key[i]!
    if (difference !== 0) return difference
  }
  return byteLength - key.length
}

/** The first six bytes of a key as a number, zeros where it is shorter: unequal heads order keys without looking further. */
export function keyHead(key: Uint8Array): number {
  let head = 0
  for (let i = 0; i < 6; i++) head = head * 256 + (key[i] ?? 0)
  return head
}

/** The same of a key in linear memory. */
export function keyHeadInMemory({ u8, view }: LinearMemory, address: Pointer, byteLength: number): number {
  if (byteLength >= 6) return view.getUint32(address) * 65_536 + view.getUint16(address + 4)
  let head = 0
  for (let i = 0; i < 6; i++) head = head * 256 + (i < byteLength ? u8[address + i]! : 0)
  return head
}

/** A boundary among i64 keys: rows before it are those < `value` (or <= `value` when `after`). */
export interface I64Boundary {
  readonly value: bigint
  readonly after: boolean
}

export function i64Boundary(boundary: Uint8Array): I64Boundary {
  const { high, low, after } = i64BoundaryWords(boundary)
  return { value: (BigInt(high) << 32n) | BigInt(low), after }
}

/** The same with the value as its signed upper and its unsigned lower word, without a bigint. */
export function i64BoundaryWords(boundary: Uint8Array): { readonly high: number; readonly low: number; readonly after: boolean } {
  return { high: (wordAt(boundary, 0) ^ 0x8000_0000) | 0, low: wordAt(boundary, 4) >>> 0, after: boundary.length > 8 }
}

/** Four bytes, zeros after the end. */
function wordAt(bytes: Uint8Array, from: number): number {
  return ((bytes[from] ?? 0) << 24) | ((bytes[from + 1] ?? 0) << 16) | ((bytes[from + 2] ?? 0) << 8) | (bytes[from + 3] ?? 0)
}

/**
 * The first eight bytes of a key in linear memory as a number, zeros where it is shorter: rounded where it is large, which
 * keeps the order; the first bit counted as a sign makes small integer keys exact.
 */
export function keyPrefixInMemory({ u8, view }: LinearMemory, address: Pointer, byteLength: number): number {
  const isShort = byteLength < 8, high = isShort ? shortWord(u8, address, byteLength) : view.getUint32(address)
  return (high - 0x8000_0000) * 0x1_0000_0000 + (isShort ? shortWord(u8, address + 4, byteLength - 4) : view.getUint32(address + 4))
}

/** Four bytes, zeros after the end. */
function shortWord(u8: Uint8Array, address: number, byteLength: number): number {
  let word = 0
  for (let i = 0; i < 4; i++) word = word * 256 + (i < byteLength ? u8[address + i]! : 0)
  return word
}
