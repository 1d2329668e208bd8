import { createGroupAccumulators } from '../../src/kernel/grouping/accumulators.ts'
import { createGrouping } from '../../src/kernel/grouping/grouping.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { Pointer } from '../../src/kernel/linear-memory.ts'
import { scanKind } from '../../src/kernel/scan.ts'
import { comparison } from '../../src/kernel/zone-map.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { BenchCase } from '../harness.ts'

/** As many rows as a chunk of 65,535 holds, without the last partial block. */
const rowCount = 64_512
const cities = Array.from({ length: 50 }, (_, i) => `city number ${i}`)

type NumberShape = 'amounts' | 'prices'

/** Amounts: integers of 20 bits; prices: decimals of two digits. */
function putNumbers({ heap, memory }: Kernel, shape: NumberShape): Pointer {
  const random = seededRandom(9), values = heap.allocate(8 * rowCount)
  for (let i = 0; i < rowCount; i++) {
    if (shape === 'amounts') memory.i64[values / 8 + i] = BigInt(1_000_000 + random.below(1 << 20))
    else memory.f64[values / 8 + i] = random.below(1_000_000) / 100
  }
  return values
}

/** Texts of `distinct` kinds as refs, the bytes of each kept once. */
function putTexts({ heap, memory }: Kernel, texts: readonly string[]): Pointer {
  const random = seededRandom(10), refs = heap.allocate(8 * rowCount)
  const places = texts.map((text) => {
    const address = heap.allocate(text.length)
    return [address, memory.buffer.write(text, address)] as const
  })
  for (let i = 0; i < rowCount; i++) memory.u32.set(places[random.below(texts.length)]!, refs / 4 + 2 * i)
  return refs
}

function encode({ heap, exports }: Kernel, kind: keyof typeof scanKind, vector: Pointer): Pointer {
  const dataBytes = kind === 'bytes' ? rowCount * 32 : 0
  const chunk = heap.allocate(exports.columnEncodeBound(rowCount, dataBytes)), scratch = heap.allocate(exports.columnScratchBytes(rowCount, dataBytes))
  const columnEncode = { i64: exports.columnEncodeI64, f64: exports.columnEncodeF64, bytes: exports.columnEncodeBytes }[kind]
  columnEncode(vector, 0, rowCount, chunk, scratch)
  heap.free(scratch)
  return chunk
}

function filterCase(name: string, filter: (kernel: Kernel) => (selection: Pointer) => void): BenchCase {
  return {
    name,
    operations: rowCount,
    prepare(kernel) {
      const selection = kernel.heap.allocate(rowCount / 8), apply = filter(kernel)
      return {
        run() {
          kernel.exports.scanSelectAll(selection, rowCount)
          apply(selection)
        },
        answer: () => kernel.memory.buffer.toString('hex', selection, selection + rowCount / 8),
      }
    },
  }
}

function aggregateCase(name: string, kind: 'i64' | 'f64', selectedPercent: number): BenchCase {
  return {
    name,
    operations: rowCount,
    prepare(kernel) {
      const { heap, exports, memory } = kernel, random = seededRandom(11)
      const chunk = encode(kernel, kind, putNumbers(kernel, kind === 'i64' ? 'amounts' : 'prices'))
      const scratch = heap.allocate(exports.scanScratchBytes(chunk)), accumulator = heap.allocate(48), bitmap = heap.allocate(rowCount / 8)
      for (let i = 0; i < rowCount / 8; i++) memory.u8[bitmap + i] = Array.from({ length: 8 }, (_, bit) => (random.below(100) < selectedPercent ? 1 << bit : 0)).reduce((a, b) => a | b)
      const selection = selectedPercent === 100 ? 0 : bitmap, aggregate = kind === 'i64' ? exports.scanAggregateChunkI64 : exports.scanAggregateChunkF64
      return {
        run() {
          exports.scanAccumulatorInit(accumulator, scanKind[kind])
          aggregate(chunk, selection, accumulator, scratch)
        },
        answer: () => memory.buffer.toString('hex', accumulator, accumulator + 48),
      }
    },
  }
}

function groupCase(name: string, kind: 'i64' | 'bytes', groups: number): BenchCase {
  return {
    name,
    operations: rowCount,
    prepare(kernel) {
      const { heap, exports, memory } = kernel, random = seededRandom(12)
      const values = putNumbers(kernel, 'amounts'), ids = heap.allocate(4 * rowCount)
      const keys = kind === 'bytes' ? putTexts(kernel, cities) : heap.allocate(8 * rowCount)
      if (kind === 'i64') for (let i = 0; i < rowCount; i++) memory.i64[keys / 8 + i] = BigInt(random.below(groups) * 7919)
      let bytes = ''
      return {
        run() {
          const grouping = createGrouping(kernel, [kind]), sums = createGroupAccumulators(kernel, 'i64')
          grouping.assign([{ values: keys, nulls: 0 }], 0, rowCount, ids)
          sums.ensure(grouping.groupCount)
          exports.scanGroupedI64(ids, values, 0, rowCount, 0, sums.address)
          bytes = `${grouping.groupCount} ${memory.f64[sums.address / 8]} ${memory.i64[sums.address / 8 + 3]}`
          sums.close()
          grouping.close()
        },
        answer: () => `${bytes} ${memory.buffer.toString('base64', ids, ids + 4 * rowCount)}`,
      }
    },
  }
}

const groupByCodes: BenchCase = {
  name: 'group by codes of 50 texts, sum',
  operations: rowCount,
  prepare(kernel) {
    const { heap, exports, memory } = kernel
    const chunk = encode(kernel, 'bytes', putTexts(kernel, cities)), values = putNumbers(kernel, 'amounts')
    const codes = heap.allocate(4 * rowCount), sums = heap.allocate(48 * 64)
    return {
      run() {
        const entries = exports.scanGroupsCodes(chunk, 0, rowCount, codes)
        exports.scanGroupedInit(sums, 0, entries, scanKind.i64)
        exports.scanGroupedI64(codes, values, 0, rowCount, 0, sums)
      },
      answer: () => memory.buffer.toString('hex', sums, sums + 48 * cities.length),
    }
  },
}

function putConstantI64({ heap, memory }: Kernel, value: bigint): Pointer {
  const address = heap.allocate(8)
  memory.i64[address / 8] = value
  return address
}

function putConstantF64({ heap, memory }: Kernel, value: number): Pointer {
  const address = heap.allocate(8)
  memory.f64[address / 8] = value
  return address
}

export function bench(): readonly BenchCase[] {
  return [
    filterCase('filter i64 vector', (kernel) => {
      const values = putNumbers(kernel, 'amounts'), constant = putConstantI64(kernel, 1_010_000n)
      return (selection) => kernel.exports.scanFilterI64(values, 0, rowCount, comparison.lt, constant, selection)
    }),
    filterCase('filter i64 chunk, packed', (kernel) => {
      const chunk = encode(kernel, 'i64', putNumbers(kernel, 'amounts')), constant = putConstantI64(kernel, 1_010_000n), scratch = kernel.heap.allocate(kernel.exports.scanScratchBytes(chunk))
      return (selection) => kernel.exports.scanFilterChunkI64(chunk, comparison.lt, constant, selection, scratch)
    }),
    filterCase('filter f64 vector', (kernel) => {
      const values = putNumbers(kernel, 'prices'), constant = putConstantF64(kernel, 99.5)
      return (selection) => kernel.exports.scanFilterF64(values, 0, rowCount, comparison.le, constant, selection)
    }),
    filterCase('filter f64 chunk, decimals', (kernel) => {
      const chunk = encode(kernel, 'f64', putNumbers(kernel, 'prices')), constant = putConstantF64(kernel, 99.5), scratch = kernel.heap.allocate(kernel.exports.scanScratchBytes(chunk))
      return (selection) => kernel.exports.scanFilterChunkF64(chunk, comparison.le, constant, selection, scratch)
    }),
    filterCase('filter text chunk, dictionary', (kernel) => {
      const chunk = encode(kernel, 'bytes', putTexts(kernel, cities)), constant = kernel.heap.allocate(32), scratch = kernel.heap.allocate(kernel.exports.scanScratchBytes(chunk))
      const constantBytes = kernel.memory.buffer.write(cities[7]!, constant)
      return (selection) => kernel.exports.scanFilterChunkBytes(chunk, comparison.eq, constant, constantBytes, selection, scratch)
    }),
    aggregateCase('aggregate i64 chunk', 'i64', 100),
    aggregateCase('aggregate i64 chunk, half selected', 'i64', 50),
    aggregateCase('aggregate i64 chunk, 1 % selected', 'i64', 1),
    aggregateCase('aggregate f64 chunk', 'f64', 100),
    groupByCodes,
    groupCase('group by 50 texts by hash, sum', 'bytes', 50),
    groupCase('group by 100 integers, sum', 'i64', 100),
    groupCase('group by 20,000 integers, sum', 'i64', 20_000),
  ]
}
