/** Row kernels: 1,000 rows (two numbers, two texts) to vectors of a number and of a text, as a memtable's page needs. */
import type { BenchCase } from '../harness.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { seededRandom } from '../../src/runtime/random.ts'

const rowCount = 1000

/** i64, f64 and two texts of 20 and 40 bytes; every tenth second text is null. */
function placeRows(kernel: Kernel): { rows: number; layout: number } {
  const random = seededRandom(1)
  const { memory, heap } = kernel
  const rows = heap.allocate(8 * rowCount), layout = heap.allocate(20)
  memory.u32.set([4, 1, 2, 3, 3], layout >>> 2)
  for (let i = 0; i < rowCount; i++) {
    const secondBytes = i % 10 === 0 ? 0 : 40
    const row = heap.allocate(5 + 24 + 20 + secondBytes)
    memory.u8.set([4, 0, 0, 0, secondBytes === 0 ? 8 : 0], row)
    memory.view.setBigInt64(row + 5, BigInt(random.nextU32()), true)
    memory.view.setFloat64(row + 13, random.nextFloat(), true)
    memory.view.setUint32(row + 21, 20, true)
    memory.view.setUint32(row + 25, 20 + secondBytes, true)
    memory.u8.fill(random.below(256), row + 29, row + 49 + secondBytes)
    memory.u32.set([row, 49 + secondBytes], (rows >>> 2) + 2 * i)
  }
  return { rows, layout }
}

function vectorCase(name: string, column: number): BenchCase {
  return {
    name,
    operations: rowCount,
    prepare(kernel) {
      const { rows, layout } = placeRows(kernel)
      const out = kernel.heap.allocate(8 * rowCount), nulls = kernel.heap.allocate(128)
      return {
        run() { kernel.exports.rowColumnVector(rows, rowCount, layout, column, out, nulls) },
        answer: () => Buffer.from(kernel.memory.u8.slice(out, out + 8 * rowCount)).toString('hex') + Buffer.from(kernel.memory.u8.slice(nulls, nulls + 128)).toString('hex'),
      }
    },
  }
}

export function bench(): readonly BenchCase[] {
  return [vectorCase('row to f64 vector', 1), vectorCase('row to text vector', 3)]
}
