/** Rows by number give what decoding the whole chunk gives for them. */
import { describe, expect, it } from 'vitest'
import { scanKind } from '../../src/kernel/scan.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { kinds, openTestKernel, takeBits, takeBytes } from './both-kinds.ts'
import { randomNulls, shapes } from './random-columns.ts'
import { columnKinds, putChunk, randomColumn } from './scan-columns.ts'

const MiB = 1024 * 1024
const decoders = { i64: 'columnDecodeI64', f64: 'columnDecodeF64', bytes: 'columnDecodeBytes' } as const

describe.each(kinds)('rows of a chunk by number (%s)', (kind) => {
  it.each(columnKinds)('are the %s that decoding gives', (columnKind) => {
    const encodings = new Set<number>()
    for (const shape of shapes) {
      for (const nullPercent of [0, 40]) {
        const random = seededRandom(shape.length + nullPercent), kernel = openTestKernel(kind, 8 * MiB), { exports, heap, memory } = kernel
        const count = 2500, chunk = putChunk(kernel, randomColumn(random, columnKind, shape, count, nullPercent))
        if (columnKind === 'bytes' && exports.columnDecodeScratchBytes(chunk) !== 0) continue
        encodings.add(exports.columnEncoding(chunk))
        const [values, nulls] = [heap.allocate(8 * count), heap.allocate(8 * Math.ceil(count / 64))]
        memory.u8.fill(0, nulls, nulls + 8 * Math.ceil(count / 64))
        exports[decoders[columnKind]](chunk, 0, count, values, nulls, 0)
        const wanted = randomNulls(random, count, 4).flatMap((bit, row) => (bit ? [row] : []))
        const rows = heap.allocate(4 * wanted.length + 4), found = heap.allocate(8 * wanted.length + 8), foundNulls = heap.allocate(8 * Math.ceil(wanted.length / 64) + 8)
        memory.u32.set(wanted, rows / 4)
        const all = takeBits(kernel, nulls, count), isNull = wanted.map((row) => all[row]!)
        const where = `${shape}, ${nullPercent} % null, encoding ${exports.columnEncoding(chunk)}`
        expect(exports.columnGather(chunk, scanKind[columnKind], rows, wanted.length, found, foundNulls), where).toBe(isNull.includes(true) ? 1 : 0)
        expect(takeBits(kernel, foundNulls, wanted.length), where).toEqual(isNull)
        expect(wanted.map((_, i) => Buffer.from(takeBytes(kernel, found + 8 * i, 8)).toString('hex')), where).toEqual(wanted.map((row) => Buffer.from(takeBytes(kernel, values + 8 * row, 8)).toString('hex')))
        memory.u32[rows / 4] = count
        expect(exports.columnGather(chunk, scanKind[columnKind], rows, 1, found, 0), where).toBe(-1)
      }
    }
    expect(encodings.size).toBeGreaterThan(1)
  })
})
