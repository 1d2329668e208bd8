import { seededRandom } from '../../src/runtime/random.ts'
import type { BenchCase } from '../harness.ts'

export function bench(): readonly BenchCase[] {
  return [4096, 65_536].map((byteLength) => ({
    name: `xxh64 of ${byteLength} bytes`,
    operations: byteLength,
    prepare({ memory, heap, exports }) {
      const bytes = heap.allocate(byteLength), out = heap.allocate(8)
      const random = seededRandom(1)
      for (let i = 0; i < byteLength; i += 4) memory.u32[(bytes + i) / 4] = random.nextU32()
      return { run: () => exports.checksumXxh64(bytes, byteLength, out), answer: () => memory.u64[out / 8]!.toString(16) }
    },
  }))
}
