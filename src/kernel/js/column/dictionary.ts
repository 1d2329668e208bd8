/** Twin of assembly/column/text/dictionary.ts. The hash is its own (it is never stored); entries, codes and order are the same. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { createCompareBytes } from './text.ts'

const probeRows = 4096

export interface Dictionary {
  readonly distinct: number
  readonly runs: number
  readonly textBytes: number
  /** Refs of the entries, address and length by turns, in order of first appearance. */
  readonly entries: Uint32Array
  /** Entry of each row. */
  readonly codes: Uint32Array
}

export type DictionaryBuilder = ReturnType<typeof createDictionaryBuilder>

export function slotCount(count: number): number {
  let slots = 16
  while (slots < count * 2) slots <<= 1
  return slots
}

export const dictionaryScratchBytes = (count: number): number => slotCount(count) * 4 + count * 32 + 64

export function createDictionaryBuilder(memory: LinearMemory) {
  const { u8, u32, view } = memory
  const compare = createCompareBytes(memory)

  const hashOf = (text: Pointer, byteLength: number): number => {
    let hash = byteLength ^ 0x2545f491, i = 0
    for (; i + 4 <= byteLength; i += 4) {
      hash = Math.imul(hash ^ view.getInt32(text + i, true), 0x9e3779b1)
      hash ^= hash >>> 15
    }
    for (; i < byteLength; i++) hash = Math.imul(hash ^ u8[text + i]!, 0x9e3779b1)
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca77)
    return (hash ^ (hash >>> 13)) >>> 0
  }

  const isEqual = (a: Pointer, b: Pointer, byteLength: number): boolean => compare(a, byteLength, b, byteLength) === 0

  /** Distinct texts of `refs`, or undefined when a dictionary would not pay. */
  const collect = (refs: Pointer, count: number): Dictionary | undefined => {
    const mask = slotCount(count) - 1
    const slots = new Uint32Array(mask + 1), hashes = new Uint32Array(count), entries = new Uint32Array(count * 2), codes = new Uint32Array(count)
    let distinct = 0, textBytes = 0, runs = 0
    for (let row = 0; row < count; row++) {
      if ((row & (probeRows - 1)) === 0 && row !== 0 && distinct > row - (row >> 3)) return undefined
      const text = u32[(refs >>> 2) + 2 * row]!, byteLength = u32[(refs >>> 2) + 2 * row + 1]!
      const hash = hashOf(text, byteLength)
      let slot = hash & mask, found = slots[slot]! - 1
      while (found >= 0 && !(hashes[found] === hash && entries[2 * found + 1] === byteLength && isEqual(entries[2 * found]!, text, byteLength))) {
        slot = (slot + 1) & mask
        found = slots[slot]! - 1
      }
      if (found < 0) {
        found = distinct++
        slots[slot] = distinct
        hashes[found] = hash
        entries[2 * found] = text
        entries[2 * found + 1] = byteLength
        textBytes += byteLength
      }
      codes[row] = found
      if (row === 0 || codes[row - 1] !== found) runs++
    }
    return { distinct, runs, textBytes, entries, codes }
  }

  const prefixOf = (text: Pointer, byteLength: number): number => {
    if (byteLength >= 4) return view.getUint32(text)
    let prefix = 0
    for (let i = 0; i < byteLength; i++) prefix += u8[text + i]! * 2 ** (24 - 8 * i)
    return prefix
  }

  /** Entry numbers in the order of their texts; turns codes into ranks. */
  const sort = ({ distinct, entries, codes }: Dictionary): Uint32Array => {
    const prefixes = Float64Array.from({ length: distinct }, (_, i) => prefixOf(entries[2 * i]!, entries[2 * i + 1]!))
    const order = Uint32Array.from({ length: distinct }, (_, i) => i).sort((a, b) =>
      prefixes[a]! - prefixes[b]! || compare(entries[2 * a]!, entries[2 * a + 1]!, entries[2 * b]!, entries[2 * b + 1]!))
    const ranks = new Uint32Array(distinct)
    order.forEach((entry, rank) => { ranks[entry] = rank })
    for (let row = 0; row < codes.length; row++) codes[row] = ranks[codes[row]!]!
    return order
  }

  return { collect, sort, isEqual }
}
