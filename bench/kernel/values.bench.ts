/** VALUES text of 1,000 rows (three integers, a double, two texts) to columns, and these to keys and operations of eight shards. */
import type { BenchCase } from '../harness.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { Pointer } from '../../src/kernel/linear-memory.ts'
import { valuesColumnBytes, valuesPlanBytes, valuesShardBytes, valuesTextMargin, valuesType } from '../../src/kernel/values.ts'
import { seededRandom } from '../../src/runtime/random.ts'

const rowCount = 1000
const shards = 8
const types = [valuesType.integer, valuesType.integer, valuesType.integer, valuesType.text, valuesType.double, valuesType.text]
const kinds = [1, 1, 1, 3, 2, 3]

function valuesText(): string {
  const random = seededRandom(1)
  const tuple = (i: number): string => `(${i}, ${1_700_000_000_000 + 37 * i}, ${random.below(100_000)}, 'region-${random.below(50)}', ${(random.below(1_000_000) / 100).toFixed(2)}, 'status-${random.below(5)}')`
  return Array.from({ length: rowCount }, (_, i) => tuple(i)).join(', ')
}

interface Placed {
  readonly plan: Pointer
  readonly text: Pointer
  readonly textBytes: number
  readonly vectors: Pointer
}

function place({ heap, memory }: Kernel): Placed {
  const source = Buffer.from(valuesText())
  const text = heap.allocate(source.length + valuesTextMargin)
  memory.u8.fill(0, text, text + source.length + valuesTextMargin)
  memory.u8.set(source, text)
  const plan = heap.allocate(valuesPlanBytes + valuesColumnBytes * types.length), lists = heap.allocate(64)
  const vectors = heap.allocate(8 * rowCount * types.length), nulls = heap.allocate(128 * types.length)
  memory.u32.set([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5], lists >>> 2)
  memory.u32.set([6, lists, 1, lists + 24, 1, 5, lists + 28, 4 + 1 + 8 + 8 + 4 + 8 + 4, 16, shards, 0, 0, 0], plan >>> 2)
  types.forEach((type, i) => {
    const at = plan + valuesPlanBytes + valuesColumnBytes * i
    memory.u32.set([type, 0, vectors + 8 * rowCount * i, nulls + 128 * i, 0xffff_ffff, kinds[i]!], at >>> 2)
    memory.view.setBigInt64(at + 24, -(2n ** 63n), true)
    memory.view.setBigInt64(at + 32, 2n ** 63n - 1n, true)
  })
  return { plan, text, textBytes: source.length, vectors }
}

export function bench(): readonly BenchCase[] {
  return [
    {
      name: 'text to columns',
      operations: rowCount,
      prepare(kernel) {
        const { memory, exports, heap } = kernel
        const { plan, text, textBytes, vectors } = place(kernel), out = heap.allocate(8)
        let rows = 0
        return {
          run() { rows = exports.valuesScan(text, textBytes, plan, 0, rowCount, out) },
          answer: () => `${rows} ${memory.u32[out >>> 2]} ${memory.buffer.toString('base64', vectors, vectors + 24 * rowCount)}`,
        }
      },
    },
    {
      name: 'columns to operations',
      operations: rowCount,
      prepare(kernel) {
        const { memory, exports, heap } = kernel
        const { plan, text, textBytes } = place(kernel), out = heap.allocate(8)
        const keys = heap.allocate(8 * rowCount), refs = heap.allocate(8 * rowCount), hashes = heap.allocate(8 * rowCount)
        const sizes = heap.allocate(valuesShardBytes * shards), cursors = heap.allocate(4 * shards), operations = heap.allocate(256 * rowCount)
        exports.valuesScan(text, textBytes, plan, 0, rowCount, out)
        return {
          run() {
            exports.valuesKeys(plan, rowCount, keys, 8 * rowCount, refs, hashes)
            exports.valuesMeasure(plan, rowCount, refs, hashes, sizes)
            let at = operations
            for (let shard = 0; shard < shards; shard++) {
              memory.u32[(cursors >>> 2) + shard] = at
              at += memory.u32[(sizes + valuesShardBytes * shard) >>> 2]!
            }
            exports.valuesEncode(plan, rowCount, refs, hashes, cursors)
          },
          answer: () => memory.buffer.toString('base64', operations, memory.u32[(cursors >>> 2) + shards - 1]),
        }
      },
    },
  ]
}
