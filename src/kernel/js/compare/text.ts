/** Texts compared as unsigned bytes, a prefix before what it starts; twin of assembly/compare/text.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'

export interface TextOrder {
  /** Below, at or above 0. */
  compare(a: Pointer, aBytes: number, b: Pointer, bBytes: number): number
  /** First 4 bytes from byte `from` on, zero-padded, as an unsigned number that orders as the text does. */
  prefix4(address: Pointer, byteLength: number, from: number): number
}

export function createTextOrder({ u8, view, buffer }: LinearMemory): TextOrder {
  const prefix4 = (address: Pointer, byteLength: number, from: number): number => {
    if (byteLength >= from + 4) return view.getUint32(address + from, false)
    let prefix = 0
    for (let i = from; i < from + 4; i++) prefix = (prefix << 8) | (i < byteLength ? u8[address + i]! : 0)
    return prefix >>> 0
  }
  const compare = (a: Pointer, aBytes: number, b: Pointer, bBytes: number): number => {
    const common = Math.min(aBytes, bBytes)
    if (common > 64) return buffer.compare(buffer, b, b + bBytes, a, a + aBytes)
    for (let i = 0; i < common; i++) {
      const difference = u8[a + i]! - u8[b + i]!
      if (difference !== 0) return difference
    }
    return aBytes - bBytes
  }
  return { compare, prefix4 }
}
