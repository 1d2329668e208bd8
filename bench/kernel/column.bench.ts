/** Encoding, decoding, single rows and searches of column chunks, at the sizes that row groups have. */
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { Pointer } from '../../src/kernel/linear-memory.ts'
import type { BenchCase, PreparedCase } from '../harness.ts'

const rows = 8192
const probes = 256

type Shape = (random: Random, row: number) => number | string

const integers: Record<string, Shape> = {
  'frame of 12 bits': (random) => random.below(4000),
  'frame of 40 bits': (random) => random.below(2 ** 32) * 200,
  'linear ids': (_, row) => 1e9 + row,
  // Drifts about its line by far more than from row to row.
  'delta timestamps': (random, row) => 1.7e15 + 33_000 * row + Math.round(200_000 * Math.sin(row / 50)) + random.below(100),
}
const doubles: Record<string, Shape> = {
  'decimal prices': (random) => random.below(1_000_000) / 100,
  'plain doubles': (random) => random.nextFloat(),
}
const texts: Record<string, Shape> = {
  'dictionary of 50': (random) => `city number ${random.below(50)}`,
  'plain words': (random) => random.nextU32().toString(36) + random.nextU32().toString(36),
  'lz urls': (random) => `https://example.org/shop/item?id=${random.below(2 ** 31)}&page=${random.below(9)}`,
}

interface Column {
  readonly encode: () => number
  readonly chunk: Pointer
  readonly chunkBytes: number
  readonly decode: () => number
  readonly get: (row: number) => number
  readonly out: Pointer
}

function prepareNumbers(kernel: Kernel, kind: 'I64' | 'F64', shape: Shape): Column {
  const { heap, memory, exports } = kernel
  const random = seededRandom(1)
  const values = heap.allocate(rows * 8), chunk = heap.allocate(exports.columnEncodeBound(rows, 0)), scratch = heap.allocate(exports.columnScratchBytes(rows, 0)), out = heap.allocate(rows * 8)
  for (let row = 0; row < rows; row++) {
    const value = Number(shape(random, row))
    if (kind === 'I64') memory.i64[values / 8 + row] = BigInt(value)
    else memory.f64[values / 8 + row] = value
  }
  const encodeColumn = exports[`columnEncode${kind}`], decodeColumn = exports[`columnDecode${kind}`], getRow = exports[`columnGet${kind}`]
  const encode = (): number => encodeColumn(values, 0, rows, chunk, scratch)
  return { encode, chunk, chunkBytes: encode(), decode: () => decodeColumn(chunk, 0, rows, out, 0), get: (row) => getRow(chunk, row, out), out }
}

function prepareTexts({ heap, memory, exports }: Kernel, shape: Shape): Column {
  const random = seededRandom(1)
  const parts = Array.from({ length: rows }, (_, row) => Buffer.from(String(shape(random, row))))
  const dataBytes = parts.reduce((bytes, part) => bytes + part.length, 0)
  const data = heap.allocate(dataBytes), refs = heap.allocate(rows * 8), chunk = heap.allocate(exports.columnEncodeBound(rows, dataBytes)), scratch = heap.allocate(exports.columnScratchBytes(rows, dataBytes)), out = heap.allocate(rows * 8)
  let at = data
  parts.forEach((part, row) => {
    memory.u8.set(part, at)
    memory.u32[refs / 4 + 2 * row] = at
    memory.u32[refs / 4 + 2 * row + 1] = part.length
    at += part.length
  })
  const { columnEncodeBytes, columnDecodeBytes, columnGetBytes } = exports
  const encode = (): number => columnEncodeBytes(refs, 0, rows, chunk, scratch)
  return { encode, chunk, chunkBytes: encode(), decode: () => columnDecodeBytes(chunk, 0, rows, out, 0, scratch), get: (row) => columnGetBytes(chunk, row, out, scratch), out }
}

function columnCases(name: string, prepare: (kernel: Kernel) => Column): BenchCase[] {
  const prepared = (work: (column: Column, kernel: Kernel) => PreparedCase) => (kernel: Kernel): PreparedCase => work(prepare(kernel), kernel)
  const picked = Array.from({ length: probes }, (_, i) => (i * 7919) % rows)
  return [
    {
      name: `encode ${name}`,
      operations: rows,
      prepare: prepared(({ encode, chunk, chunkBytes }, { memory }) => ({ run: () => void encode(), answer: () => memory.buffer.subarray(chunk, chunk + chunkBytes).toString('base64') })),
    },
    {
      name: `decode ${name}`,
      operations: rows,
      prepare: prepared(({ decode, out, chunkBytes }, { memory }) => ({ run: () => void decode(), answer: () => `${chunkBytes} ${memory.buffer.subarray(out, out + rows * 8).toString('base64')}` })),
    },
    {
      name: `get ${name}`,
      operations: probes,
      prepare: prepared(({ get, out }, { memory }) => ({ run: () => { for (const row of picked) get(row) }, answer: () => picked.map((row) => `${get(row)} ${memory.u32[out / 4 + 1]!}`).join() })),
    },
  ]
}

function lowerBoundCase(name: string, shape: Shape): BenchCase {
  return {
    name: `lower bound ${name}`,
    operations: probes,
    prepare(kernel) {
      const { chunk } = prepareNumbers(kernel, 'I64', shape)
      const wanted = kernel.heap.allocate(probes * 8)
      for (let i = 0; i < probes; i++) kernel.exports.columnGetI64(chunk, (i * 7919) % rows, wanted + i * 8)
      const { columnLowerBoundI64 } = kernel.exports
      const found = new Uint32Array(probes)
      const run = (): void => { for (let i = 0; i < probes; i++) found[i] = columnLowerBoundI64(chunk, wanted + i * 8) }
      return { run, answer: () => found.join() }
    },
  }
}

type KeySearch = (exports: Kernel['exports'], chunk: Pointer, key: Pointer, keyBytes: number, work: Pointer) => number

const keyBytes = 16

function prepareKeys({ heap, memory, exports }: Kernel): { readonly keys: Pointer; readonly chunk: Pointer } {
  const keys = heap.allocate(rows * keyBytes), refs = heap.allocate(rows * 8)
  for (let row = 0; row < rows; row++) {
    memory.buffer.write(String(row * 3).padStart(keyBytes, '0'), keys + row * keyBytes, 'latin1')
    memory.u32.set([keys + row * keyBytes, keyBytes], refs / 4 + 2 * row)
  }
  const chunk = heap.allocate(exports.columnEncodeBound(rows, rows * keyBytes)), scratch = heap.allocate(exports.columnScratchBytes(rows, rows * keyBytes))
  exports.columnEncodeKeys(refs, rows, chunk, scratch)
  return { keys, chunk }
}

/** Keys as a table has them: digits that ascend, in a key chunk, which is searched for some of them. */
const keySearchCase = (name: string, search: KeySearch): BenchCase => ({
  name,
  operations: probes,
  prepare(kernel) {
    const { exports } = kernel
    const { keys, chunk } = prepareKeys(kernel), work = kernel.heap.allocate(8)
    const found = new Int32Array(probes)
    const run = (): void => { for (let i = 0; i < probes; i++) found[i] = search(exports, chunk, keys + ((i * 7919) % rows) * keyBytes, keyBytes, work) }
    return { run, answer: () => found.join() }
  },
})

/** The same keys, found by an index of them. */
const keyIndexCase: BenchCase = {
  name: 'find indexed text keys',
  operations: probes,
  prepare(kernel) {
    const { heap, exports } = kernel
    const { keys, chunk } = prepareKeys(kernel)
    const index = heap.allocate(exports.columnKeyIndexBytes(chunk)), work = heap.allocate(16), hash = work + 8
    exports.columnIndexKeys(chunk, index, work)
    const found = new Int32Array(probes)
    const run = (): void => {
      for (let i = 0; i < probes; i++) {
        const key = keys + ((i * 7919) % rows) * keyBytes
        exports.bloomHash(key, keyBytes, hash)
        found[i] = exports.columnFindIndexed(chunk, index, hash, key, keyBytes, work)
      }
    }
    return { run, answer: () => found.join() }
  },
}

/** Texts that are compressed, as a plain chunk. */
const expandCase: BenchCase = {
  name: 'expand compressed text',
  operations: rows,
  prepare(kernel) {
    const { heap, memory, exports } = kernel
    const { chunk } = prepareTexts(kernel, (random, row) => `text ${row} of ${random.nextU32()} abcdefghijklmnopqrstuvwxyz`)
    const out = heap.allocate(exports.columnExpandedBytes(chunk))
    let byteLength = 0
    return { run: () => { byteLength = exports.columnExpand(chunk, out) }, answer: () => memory.buffer.subarray(out, out + byteLength).toString('base64') }
  },
}

export function bench(): readonly BenchCase[] {
  const sorted: Shape = (random, row) => row * 1000 + random.below(1000)
  return [
    ...Object.entries(integers).flatMap(([name, shape]) => columnCases(name, (kernel) => prepareNumbers(kernel, 'I64', shape))),
    ...Object.entries(doubles).flatMap(([name, shape]) => columnCases(name, (kernel) => prepareNumbers(kernel, 'F64', shape))),
    ...Object.entries(texts).flatMap(([name, shape]) => columnCases(name, (kernel) => prepareTexts(kernel, shape))),
    lowerBoundCase('linear ids', integers['linear ids']!),
    lowerBoundCase('sorted keys', sorted),
    keySearchCase('lower bound text keys', ({ columnLowerBoundBytes }, chunk, key, keyBytes) => columnLowerBoundBytes(chunk, key, keyBytes, 0)),
    keySearchCase('find text keys', ({ columnFindKey }, chunk, key, keyBytes, work) => columnFindKey(chunk, key, keyBytes, work, 0)),
    keyIndexCase,
    expandCase,
  ]
}
