/** Copies the texts that `count` refs name one after the other; returns their bytes. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'

export function packTexts({ u8, u32 }: LinearMemory, refs: Pointer, count: number, into: Pointer, ends: Pointer, endBefore: number): number {
  let at = into
  for (let row = 0; row < count; row++) {
    const from = u32[(refs >>> 2) + 2 * row]!, byteLength = u32[(refs >>> 2) + 2 * row + 1]!
    u8.copyWithin(at, from, from + byteLength)
    at += byteLength
    u32[(ends >>> 2) + row] = endBefore + at - into
  }
  return at - into
}
