import { bloomFilterBytes } from '../../src/kernel/bloom.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { BenchCase } from '../harness.ts'

const keyCount = 100_000

function prepareHashes({ heap, memory, exports }: Kernel): { values: number; hashes: number; filter: number; filterBytes: number } {
  const values = heap.allocate(8 * keyCount), hashes = heap.allocate(8 * keyCount)
  const random = seededRandom(2)
  for (let i = 0; i < 2 * keyCount; i++) memory.u32[values / 4 + i] = random.nextU32()
  exports.bloomHashI64(values, keyCount, hashes)
  const filterBytes = bloomFilterBytes(keyCount / 2, 12)
  const filter = heap.allocate(filterBytes)
  memory.u8.fill(0, filter, filter + filterBytes)
  exports.bloomBuild(hashes, keyCount / 2, filter, filterBytes)
  return { values, hashes, filter, filterBytes }
}

export function bench(): readonly BenchCase[] {
  return [
    {
      name: 'hash i64 keys',
      operations: keyCount,
      prepare(kernel) {
        const { values, hashes } = prepareHashes(kernel)
        return {
          run: () => kernel.exports.bloomHashI64(values, keyCount, hashes),
          answer: () => kernel.memory.buffer.subarray(hashes, hashes + 8 * keyCount).toString('base64'),
        }
      },
    },
    {
      name: 'build, 12 bits a key',
      operations: keyCount / 2,
      prepare(kernel) {
        const { hashes, filter, filterBytes } = prepareHashes(kernel)
        return {
          run: () => kernel.exports.bloomBuild(hashes, keyCount / 2, filter, filterBytes),
          answer: () => kernel.memory.buffer.subarray(filter, filter + filterBytes).toString('base64'),
        }
      },
    },
    {
      name: 'probe 16 filters with each key',
      operations: 16 * 1000,
      prepare({ heap, memory, exports, kind }) {
        const { hashes, filter, filterBytes } = prepareHashes({ heap, memory, exports, kind })
        const filters = heap.allocate(16 * 8), out = heap.allocate(16)
        for (let i = 0; i < 16; i++) memory.u32.set([filter + 32 * i, filterBytes - 32 * i], filters / 4 + 2 * i)
        let hits = 0
        return {
          run() {
            hits = 0
            for (let i = 0; i < 1000; i++) hits += exports.bloomProbe(hashes + 8 * (keyCount / 2 + i), filters, 16, out)
          },
          answer: () => String(hits),
        }
      },
    },
  ]
}
