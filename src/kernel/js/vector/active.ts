/** Walks the rows that are to be computed. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { lowestBit } from '../scan/selection.ts'

/** The first active row for which `failed` says so, or `count`. */
export function firstActive({ u32 }: LinearMemory, active: Pointer, count: number, failed: (row: number) => boolean): number {
  for (let word = 0; 32 * word < count; word++) {
    for (let bits = u32[(active >>> 2) + word]!; bits !== 0; bits &= bits - 1) {
      const row = 32 * word + lowestBit(bits)
      if (row >= count || failed(row)) return Math.min(row, count)
    }
  }
  return count
}

/** Writes the bit of each row below `count`, and zeros up to a multiple of 64. */
export function writeBits({ u32 }: LinearMemory, count: number, out: Pointer, test: (row: number) => boolean): void {
  for (let word = 0; word < 2 * Math.ceil(count / 64); word++) {
    let bits = 0
    for (let row = 32 * word, end = Math.min(row + 32, count); row < end; row++) if (test(row)) bits |= 1 << (row & 31)
    u32[(out >>> 2) + word] = bits
  }
}
