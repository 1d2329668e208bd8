/** Twin of assembly/bloom.ts, which explains the filter. */
import type { BloomExports } from '../bloom.ts'
import type { LinearMemory, Pointer } from '../linear-memory.ts'
import { createKeyHash } from './hash/hash.ts'
import { mulHigh } from './hash/mul-high.ts'

const bitMultipliers = Int32Array.of(
  0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31,
)

export function createBloomJs(memory: LinearMemory): BloomExports {
  const { u8, u32, view } = memory
  const { hashBytes, hashWords } = createKeyHash(memory)

  const mayContain = (block: Pointer, second: number): boolean => {
    for (let i = 0; i < 8; i++) {
      if (((u32[(block >>> 2) + i]! >>> bitOf(second, i)) & 1) === 0) return false
    }
    return true
  }

  return {
    bloomHash: hashBytes,
    bloomHashRefs(refs, count, out) {
      for (let i = 0; i < count; i++) hashBytes(u32[(refs >>> 2) + 2 * i]!, u32[(refs >>> 2) + 2 * i + 1]!, out + 8 * i)
    },
    bloomHashI64(values, count, out) {
      for (let i = 0; i < count; i++) {
        // Read big-endian, a little-endian word is the key bytes' word; the sign bit is then in the lowest byte.
        hashWords(view.getInt32(values + 8 * i + 4, false) ^ 0x80, view.getInt32(values + 8 * i, false), out + 8 * i)
      }
    },
    bloomBuild(hashes, count, filter, filterBytes) {
      const blockCount = filterBytes >>> 5
      if (blockCount === 0) return
      for (let i = 0; i < count; i++) {
        const pair = (hashes >>> 2) + 2 * i
        const block = (filter >>> 2) + (mulHigh(u32[pair]!, blockCount) << 3)
        const second = u32[pair + 1]!
        for (let word = 0; word < 8; word++) u32[block + word]! |= 1 << bitOf(second, word)
      }
    },
    bloomProbe(hash, filters, count, out) {
      const first = u32[hash >>> 2]!, second = u32[(hash >>> 2) + 1]!
      let hits = 0
      for (let i = 0; i < count; i++) {
        const filter = u32[(filters >>> 2) + 2 * i]!, blockCount = u32[(filters >>> 2) + 2 * i + 1]! >>> 5
        const may = blockCount === 0 || mayContain(filter + (mulHigh(first, blockCount) << 5), second)
        u8[out + i] = may ? 1 : 0
        if (may) hits++
      }
      return hits
    },
  }
}

function bitOf(second: number, word: number): number {
  return Math.imul(second, bitMultipliers[word]!) >>> 27
}
