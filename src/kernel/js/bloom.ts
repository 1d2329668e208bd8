/** Twin of assembly/bloom.ts, which explains the filter. */
import type { BloomExports } from '../bloom.ts'
import type { LinearMemory } from '../linear-memory.ts'
import { bitOf, filterMayHave } from './hash/block-filter.ts'
import { createKeyHash } from './hash/hash.ts'
import { mulHigh } from './hash/mul-high.ts'

export function createBloomJs(memory: LinearMemory): BloomExports {
  const { u8, u32, view } = memory
  const { hashBytes, hashWords } = createKeyHash(memory)

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
      let hits = 0
      for (let i = 0; i < count; i++) {
        const may = filterMayHave(memory, u32[(filters >>> 2) + 2 * i]!, u32[(filters >>> 2) + 2 * i + 1]!, hash)
        u8[out + i] = may ? 1 : 0
        if (may) hits++
      }
      return hits
    },
  }
}
