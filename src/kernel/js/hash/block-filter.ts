/** Twin of assembly/hash/block-filter.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { mulHigh } from './mul-high.ts'

const bitMultipliers = Int32Array.of(
  0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31,
)

/** The bit of a key in word `word` of its block, by its second hash. */
export function bitOf(second: number, word: number): number {
  return Math.imul(second, bitMultipliers[word]!) >>> 27
}

/** Whether a key may be in a filter, by its hash; in one without blocks any key may be. */
export function filterMayHave({ u32 }: LinearMemory, filter: Pointer, filterBytes: number, hash: Pointer): boolean {
  const blockCount = filterBytes >>> 5
  if (blockCount === 0) return true
  const block = (filter >>> 2) + (mulHigh(u32[hash >>> 2]!, blockCount) << 3), second = u32[(hash >>> 2) + 1]!
  for (let i = 0; i < 8; i++) {
    if (((u32[block + i]! >>> bitOf(second, i)) & 1) === 0) return false
  }
  return true
}
