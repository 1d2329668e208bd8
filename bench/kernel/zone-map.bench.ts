import { comparison } from '../../src/kernel/zone-map.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { BenchCase } from '../harness.ts'

const rowCount = 65_536
const rowGroupCount = 1000

function computeCase(name: string, kind: 'i64' | 'f64', nullPercent: number): BenchCase {
  return {
    name,
    operations: rowCount,
    prepare({ heap, memory, exports }) {
      const random = seededRandom(4)
      const values = heap.allocate(8 * rowCount), bitmap = heap.allocate(rowCount / 8), out = heap.allocate(48)
      memory.u8.fill(0, bitmap, bitmap + rowCount / 8)
      for (let i = 0; i < rowCount; i++) {
        if (kind === 'i64') memory.i64[values / 8 + i] = BigInt(random.nextU32()) * 1_000_003n
        else memory.f64[values / 8 + i] = random.below(1_000_000) / 100
        if (random.below(100) < nullPercent) memory.u8[bitmap + (i >> 3)]! |= 1 << (i & 7)
      }
      const nulls = nullPercent === 0 ? 0 : bitmap
      const compute = kind === 'i64' ? exports.zoneMapComputeI64 : exports.zoneMapComputeF64
      return { run: () => compute(values, nulls, rowCount, out), answer: () => memory.buffer.toString('hex', out, out + 40) }
    },
  }
}

const computeText: BenchCase = {
  name: 'compute text',
  operations: rowCount,
  prepare({ heap, memory, exports }) {
    const random = seededRandom(6)
    const refs = heap.allocate(8 * rowCount), texts = heap.allocate(16 * rowCount), out = heap.allocate(48)
    for (let i = 0; i < rowCount; i++) {
      const byteLength = memory.buffer.write(`user ${random.below(100_000)}`, texts + 16 * i)
      memory.u32.set([texts + 16 * i, byteLength], refs / 4 + 2 * i)
    }
    return { run: () => exports.zoneMapComputeBytes(refs, 0, rowCount, out), answer: () => memory.buffer.toString('hex', out, out + 48) }
  },
}

const prune: BenchCase = {
  name: 'prune by two terms',
  operations: rowGroupCount,
  prepare({ heap, memory, exports }) {
    const random = seededRandom(5)
    const maps = [heap.allocate(40 * rowGroupCount), heap.allocate(40 * rowGroupCount)] as const
    const terms = heap.allocate(64), counts = heap.allocate(4 * rowGroupCount), out = heap.allocate(rowGroupCount)
    memory.u32.fill(1000, counts / 4, counts / 4 + rowGroupCount)
    for (const map of maps) memory.u8.fill(0, map, map + 40 * rowGroupCount)
    for (let i = 0; i < rowGroupCount; i++) {
      const low = random.below(1_000_000)
      memory.i64[maps[0] / 8 + i] = BigInt(low)
      memory.i64[maps[0] / 8 + rowGroupCount + i] = BigInt(low + 1000)
      memory.f64[maps[1] / 8 + i] = i / 10
      memory.f64[maps[1] / 8 + rowGroupCount + i] = i / 10 + 5
    }
    memory.u32.set([maps[0], 1, comparison.ge, 0], terms / 4)
    memory.i64[terms / 8 + 2] = 500_000n
    memory.u32.set([maps[1], 2, comparison.lt, 0], terms / 4 + 8)
    memory.f64[terms / 8 + 6] = 60
    return { run: () => void exports.zoneMapPrune(terms, 2, counts, rowGroupCount, out), answer: () => memory.buffer.toString('hex', out, out + rowGroupCount) }
  },
}

export function bench(): readonly BenchCase[] {
  return [computeCase('compute i64', 'i64', 0), computeCase('compute i64, a fifth null', 'i64', 20), computeCase('compute f64', 'f64', 0), computeText, prune]
}
