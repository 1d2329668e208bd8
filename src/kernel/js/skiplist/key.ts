/** Key bytes in JavaScript; see assembly/skiplist/key.ts. A prefix is two u32 words, the higher first. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { nodeKey, nodeKeyBytes } from './layout.ts'

export function keyCompare({ u8, view }: LinearMemory, a: Pointer, aBytes: number, b: Pointer, bBytes: number, from: number): number {
  const shared = Math.min(aBytes, bBytes)
  let at = Math.min(from, shared)
  for (; at + 4 <= shared; at += 4) {
    const left = view.getUint32(a + at), right = view.getUint32(b + at)
    if (left !== right) return left < right ? -1 : 1
  }
  for (; at < shared; at++) {
    const difference = u8[a + at]! - u8[b + at]!
    if (difference !== 0) return difference
  }
  return aBytes - bBytes
}

export function keyCompareNode(memory: LinearMemory, node: Pointer, key: Pointer, keyBytes: number, from: number): number {
  return keyCompare(memory, node + nodeKey, memory.u32[(node + nodeKeyBytes) >>> 2]!, key, keyBytes, from)
}

export function keyCompareStart(memory: LinearMemory, node: Pointer, key: Pointer, keyBytes: number, startBytes: number): number {
  return keyCompare(memory, node + nodeKey, startBytes, key, Math.min(keyBytes, startBytes), 0)
}

export function keyEqualsNode(memory: LinearMemory, node: Pointer, key: Pointer, keyBytes: number): boolean {
  return memory.u32[(node + nodeKeyBytes) >>> 2] === keyBytes && keyCompare(memory, node + nodeKey, keyBytes, key, keyBytes, 0) === 0
}

/** The same with a key whose table's id is given as a word of its key. */
export function keyEqualsNodeInTable(memory: LinearMemory, node: Pointer, tableWord: number, key: Pointer, keyBytes: number): boolean {
  const { u32 } = memory
  return u32[(node + nodeKeyBytes) >>> 2] === keyBytes + 4 && u32[(node + nodeKey) >>> 2] === tableWord && keyCompare(memory, node + nodeKey + 4, keyBytes, key, keyBytes, 0) === 0
}

/** Four bytes of a key from `at` on as a big-endian number, zeros past its end. */
export function keyWord({ u8, view }: LinearMemory, key: Pointer, keyBytes: number, at: number): number {
  if (at + 4 <= keyBytes) return view.getUint32(key + at)
  let word = 0
  for (let i = 0; i < 4; i++) word = (word << 8) | (at + i < keyBytes ? u8[key + at + i]! : 0)
  return word >>> 0
}

export const keyShared = (memory: LinearMemory, a: Pointer, b: Pointer): number => keySharedWith(memory, a, b + nodeKey, memory.u32[(b + nodeKeyBytes) >>> 2]!)

export function keySharedWith({ u8, u32 }: LinearMemory, node: Pointer, key: Pointer, keyBytes: number): number {
  const limit = Math.min(u32[(node + nodeKeyBytes) >>> 2]!, keyBytes)
  let at = 0
  while (at < limit && u8[node + nodeKey + at] === u8[key + at]) at++
  return at
}

export function keyIsAbove({ u8, u32 }: LinearMemory, node: Pointer, key: Pointer, keyBytes: number, shared: number): boolean {
  if (shared === keyBytes) return false
  return shared === u32[(node + nodeKeyBytes) >>> 2] || u8[key + shared]! > u8[node + nodeKey + shared]!
}

const hashSeed = 0x9747b28c | 0

/** MurmurHash3 (Austin Appleby), 32 bits. */
export const keyHash = (memory: LinearMemory, key: Pointer, keyBytes: number): number => hashedFrom(memory, hashSeed, key, keyBytes, keyBytes)

/** The same of a key whose table's id is given as a word of its key. */
export const keyHashInTable = (memory: LinearMemory, tableWord: number, key: Pointer, keyBytes: number): number =>
  hashedFrom(memory, hashStep(hashSeed, tableWord), key, keyBytes, keyBytes + 4)

/** Of a key of `keyBytes` bytes whose last `restBytes` stand at `rest`, and whose others are in `before`. */
function hashedFrom({ u8, view }: LinearMemory, before: number, rest: Pointer, restBytes: number, keyBytes: number): number {
  let hash = before
  const end = rest + restBytes
  let at = rest
  for (; at + 4 <= end; at += 4) hash = hashStep(hash, view.getInt32(at, true))
  let tail = 0
  for (let shift = 0; at < end; at++, shift += 8) tail |= u8[at]! << shift
  hash ^= scramble(tail) ^ keyBytes
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function hashStep(before: number, word: number): number {
  const hash = before ^ scramble(word)
  return (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
}

function scramble(word: number): number {
  const mixed = Math.imul(word, 0xcc9e2d51)
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593)
}

/** Short runs byte by byte: `copyWithin` costs more than it copies. */
export function keyCopy({ u8 }: LinearMemory, to: Pointer, from: Pointer, byteLength: number): void {
  if (byteLength > 48) {
    u8.copyWithin(to, from, from + byteLength)
    return
  }
  for (let i = 0; i < byteLength; i++) u8[to + i] = u8[from + i]!
}
