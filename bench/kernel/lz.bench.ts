import { seededRandom } from '../../src/runtime/random.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { BenchCase } from '../harness.ts'

const byteLength = 65_536

/** Rows of comma-separated text, as a column of log lines would hold. */
function rowText(): Buffer {
  const random = seededRandom(3)
  let text = ''
  while (text.length < byteLength) text += `${random.below(100_000)},${['paris', 'lima', 'oslo', 'tunis'][random.below(4)]},${(random.below(10_000) / 100).toFixed(2)}\n`
  return Buffer.from(text).subarray(0, byteLength)
}

function prepareBlock({ heap, memory, exports }: Kernel): { source: number; block: number; blockBytes: number; compress(): number } {
  const source = heap.allocate(byteLength), bound = exports.lzBound(byteLength)
  const block = heap.allocate(bound), table = heap.allocate(exports.lzTableBytes())
  memory.u8.set(rowText(), source)
  const compress = (): number => exports.lzCompress(source, byteLength, block, bound, table)
  return { source, block, blockBytes: compress(), compress }
}

export function bench(): readonly BenchCase[] {
  return [
    {
      name: 'compress 64 KiB of text rows',
      operations: byteLength,
      prepare(kernel) {
        const { block, blockBytes, compress } = prepareBlock(kernel)
        return { run: () => void compress(), answer: () => kernel.memory.buffer.subarray(block, block + blockBytes).toString('base64') }
      },
    },
    {
      name: 'decompress 64 KiB of text rows',
      operations: byteLength,
      prepare(kernel) {
        const { block, blockBytes } = prepareBlock(kernel)
        const out = kernel.heap.allocate(byteLength)
        return {
          run: () => void kernel.exports.lzDecompress(block, blockBytes, out, byteLength),
          answer: () => kernel.memory.buffer.subarray(out, out + byteLength).toString('latin1'),
        }
      },
    },
  ]
}
