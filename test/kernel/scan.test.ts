import { describe, expect, it } from 'vitest'
import { scanKind } from '../../src/kernel/scan.ts'
import { comparison } from '../../src/kernel/zone-map.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { fullTests, kinds, openTestKernel, putBits, takeBits, takeBytes } from './both-kinds.ts'
import { allComparisons, randomNulls, rowCounts, satisfies, shapes } from './random-columns.ts'
import { aggregateDifference, columnKinds, constantsFor, naiveAggregate, putChunk, putConstant, putVector, randomColumn, readAccumulator } from './scan-columns.ts'
import type { Aggregate, Column, Value } from './scan-columns.ts'

const counts = [0, 1, 7, 8, 1023, 1024, 1025, 5000]
const MiB = 1024 * 1024

function selectionOf(kernel: Kernel, bits: readonly boolean[]): number {
  return putBits(kernel, bits)
}

const largestCount = 65_535

/** Every comparison with several constants over a vector and over its chunk, each against the naive answer. */
function checkFilters(kernel: Kernel, column: Column, constants: readonly Value[], selected: readonly boolean[], where: string): void {
  const { exports, heap } = kernel, { kind, rows } = column
  const vector = putVector(kernel, column), chunk = putChunk(kernel, column)
  const scratch = heap.allocate(exports.scanScratchBytes(chunk))
  for (const constant of constants) {
    const { address, byteLength } = putConstant(kernel, constant)
    for (const op of allComparisons) {
      const expected = rows.map((value, row) => selected[row]! && satisfies(value, op, constant))
      const number = comparison[op], overVector = selectionOf(kernel, selected), overChunk = selectionOf(kernel, selected)
      const fromVector = kind === 'bytes'
        ? exports.scanFilterBytes(vector.values, vector.nulls, rows.length, number, address, byteLength, overVector)
        : exports[kind === 'i64' ? 'scanFilterI64' : 'scanFilterF64'](vector.values, vector.nulls, rows.length, number, address, overVector)
      const fromChunk = kind === 'bytes'
        ? exports.scanFilterChunkBytes(chunk, number, address, byteLength, overChunk, scratch)
        : exports[kind === 'i64' ? 'scanFilterChunkI64' : 'scanFilterChunkF64'](chunk, number, address, overChunk, scratch)
      const what = `${where}, encoding ${exports.columnEncoding(chunk)}, ${op} ${String(constant)}`
      const padded = [...expected, ...Array.from({ length: Math.ceil(rows.length / 64) * 64 - rows.length }, () => false)]
      const hits = expected.filter(Boolean).length
      for (const [over, selection, count] of [['vector', overVector, fromVector], ['chunk', overChunk, fromChunk]] as const) {
        const bits = takeBits(kernel, selection, padded.length)
        if (count !== hits || bits.some((bit, i) => bit !== padded[i])) expect.fail(`${over}: ${what}: ${count} rows, expected ${hits}`)
      }
      heap.free(overVector)
      heap.free(overChunk)
    }
  }
}

describe.each(kinds)('scan kernels, %s', (kind) => {
  it.each(columnKinds)('filters %s vectors and chunks', (columnKind) => {
    const seen = new Set<number>()
    for (const count of counts) {
      for (const shape of shapes) {
        const kernel = openTestKernel(kind, 16 * MiB)
        for (const nullPercent of count > 2000 && !fullTests ? [15] : [0, 15, 100]) {
          const random = seededRandom(count * 100 + nullPercent)
          const column = randomColumn(random, columnKind, shape, count, nullPercent)
          const selected = randomNulls(random, count, [100, 60, 2][random.below(3)]!)
          checkFilters(kernel, column, constantsFor(random, column), selected, `${columnKind} ${shape} × ${count}, ${nullPercent} % null`)
          seen.add(kernel.exports.columnEncoding(putChunk(kernel, column)))
        }
      }
    }
    expect(seen.size, `encodings met: ${[...seen].join(', ')}`).toBeGreaterThanOrEqual(3)
  })

  it('filters decimals with exceptions, wide codes and compressed texts', () => {
    const random = seededRandom(8), count = 3000
    const kernel = openTestKernel(kind, 32 * MiB)
    const columns: Column[] = [
      { kind: 'f64', rows: Array.from({ length: count }, (_, i) => (i % 97 === 0 ? [Number.NaN, Infinity, -0, 1 / 3, -Infinity][i % 5]! : random.below(20_000) / 100 - 50)) },
      { kind: 'f64', rows: Array.from({ length: count }, () => random.below(2 ** 31) * 1000 + random.below(1000) / 8) },
      { kind: 'f64', rows: Array.from({ length: count }, (_, i) => (i % 9 === 0 ? null : random.below(1000) * 1e6)) },
      { kind: 'i64', rows: Array.from({ length: count }, () => BigInt(random.below(2 ** 31)) * 1024n - 5n) },
      { kind: 'i64', rows: Array.from({ length: count }, (_, i) => 5n + BigInt(i % 1000 === 0 ? (i === 0 ? 0 : 2 ** 32 - 1) : random.nextU32())) },
      { kind: 'i64', rows: Array.from({ length: count }, (_, i) => BigInt(i * 1000) + BigInt(random.below(50))) },
      { kind: 'i64', rows: Array.from({ length: count }, (_, i) => (i % 10 === 3 ? null : -(2n ** 63n) + BigInt(random.below(7)))) },
      { kind: 'bytes', rows: Array.from({ length: count }, (_, i) => Buffer.from(`${i % 5 === 0 ? 'error' : 'info'}: request ${random.below(1_000_000)} took ${random.below(1000)} ms, Zürich`)) },
      { kind: 'bytes', rows: Array.from({ length: count }, (_, i) => (i % 7 === 0 ? null : Buffer.from(['b', 'c', 'e'][Math.floor(i / 500) % 3]!))) },
    ]
    for (const [index, column] of columns.entries()) {
      const selected = randomNulls(random, count, 70)
      const more: Value[] = column.kind === 'f64' ? [0, -0, Number.NaN, 12.34, -50, Infinity, -Infinity, 1e300] : column.kind === 'i64' ? [2n ** 63n - 1n, -(2n ** 63n), 2n ** 32n + 5n, 2n ** 32n + 2n ** 31n, 2n ** 31n + 5n] : [Buffer.from('a'), Buffer.from('d'), Buffer.from('z')]
      checkFilters(kernel, column, [...constantsFor(random, column), ...more], selected, `column ${index}`)
    }
  })

  it('filters and aggregates chunks of the most rows there can be', () => {
    const random = seededRandom(99)
    for (const columnKind of columnKinds) {
      const kernel = openTestKernel(kind, 64 * MiB), { exports, heap } = kernel
      const column = randomColumn(random, columnKind, 'small', largestCount, 5), chunk = putChunk(kernel, column)
      const constant = column.rows.find((value) => value !== null)!, { address, byteLength } = putConstant(kernel, constant)
      const selection = heap.allocate(8192), scratch = heap.allocate(exports.scanScratchBytes(chunk)), accumulator = heap.allocate(48)
      const kept = column.rows.map((value) => (satisfies(value, 'ge', constant) ? value : null)), hits = kept.filter((value) => value !== null).length
      exports.scanSelectAll(selection, largestCount)
      if (columnKind === 'bytes') {
        expect(exports.scanFilterChunkBytes(chunk, comparison.ge, address, byteLength, selection, scratch)).toBe(hits)
        continue
      }
      const into = columnKind === 'i64' ? 'I64' : 'F64'
      expect(exports[`scanFilterChunk${into}`](chunk, comparison.ge, address, selection, scratch)).toBe(hits)
      exports.scanAccumulatorInit(accumulator, scanKind[columnKind])
      exports[`scanAggregateChunk${into}`](chunk, selection, accumulator, scratch)
      expectAggregate(readAccumulator(kernel, accumulator, columnKind), naiveAggregate(columnKind, kept), columnKind)
    }
  })

  it('sums a million extremes exactly', () => {
    const count = 2 ** 20 + 5, kernel = openTestKernel(kind, 16 * MiB), { exports, heap, memory } = kernel
    const values = heap.allocate(8 * count), accumulator = heap.allocate(48)
    for (const value of [2n ** 63n - 1n, -(2n ** 63n), -1n]) {
      memory.i64.fill(value, values / 8, values / 8 + count)
      exports.scanAccumulatorInit(accumulator, scanKind.i64)
      exports.scanAggregateI64(values, 0, count, 0, accumulator)
      expect(readAccumulator(kernel, accumulator, 'i64')).toEqual({ count, min: value, max: value, sum: value * BigInt(count) })
    }
  })

  it('refuses chunks of another kind', () => {
    const kernel = openTestKernel(kind, 4 * MiB), { exports, heap } = kernel
    const chunk = putChunk(kernel, { kind: 'i64', rows: [1n, 2n] }), texts = putChunk(kernel, { kind: 'bytes', rows: [Buffer.from('a')] })
    const selection = selectionOf(kernel, [true, true]), constant = heap.allocate(8), scratch = heap.allocate(exports.scanScratchBytes(chunk)), accumulator = heap.allocate(48)
    expect(exports.scanFilterChunkF64(chunk, comparison.eq, constant, selection, scratch)).toBe(-1)
    expect(exports.scanFilterChunkBytes(chunk, comparison.eq, constant, 1, selection, scratch)).toBe(-1)
    expect(exports.scanFilterChunkI64(texts, comparison.eq, constant, selection, scratch)).toBe(-1)
    expect(exports.scanAggregateChunkF64(chunk, 0, accumulator, scratch)).toBe(-1)
    expect(exports.scanAggregateChunkI64(texts, 0, accumulator, scratch)).toBe(-1)
  })

  it('selects all, counts and lists rows', () => {
    const random = seededRandom(2)
    for (const count of rowCounts) {
      const kernel = openTestKernel(kind, MiB), { exports, heap, memory } = kernel
      const bytes = Math.ceil(count / 64) * 8, all = heap.allocate(bytes + 8), rows = heap.allocate(4 * count)
      memory.u8.fill(0xff, all, all + bytes + 8)
      exports.scanSelectAll(all, count)
      expect(takeBits(kernel, all, 8 * bytes)).toEqual(Array.from({ length: 8 * bytes }, (_, i) => i < count))
      expect(takeBytes(kernel, all + bytes, 8)).toEqual(new Uint8Array(8).fill(255))
      const bits = randomNulls(random, count, 30), some = selectionOf(kernel, bits)
      const expected = bits.flatMap((bit, row) => (bit ? [row] : []))
      expect([exports.scanSelectedCount(all, count), exports.scanSelectedCount(0, count), exports.scanSelectedCount(some, count)]).toEqual([count, count, expected.length])
      expect(exports.scanSelectedRows(some, count, rows)).toBe(expected.length)
      expect([...memory.u32.subarray(rows / 4, rows / 4 + expected.length)]).toEqual(expected)
      for (const selection of [0, all]) {
        expect(exports.scanSelectedRows(selection, count, rows)).toBe(count)
        expect([...memory.u32.subarray(rows / 4, rows / 4 + count)]).toEqual(Array.from({ length: count }, (_, i) => i))
      }
    }
  })

  it.each(['i64', 'f64'] as const)('aggregates %s vectors and chunks, and merges accumulators', (columnKind) => {
    for (const count of counts) {
      for (const shape of shapes) {
        const kernel = openTestKernel(kind, 16 * MiB), { exports, heap, memory } = kernel
        for (const nullPercent of [0, 30, 100]) {
          const random = seededRandom(count + nullPercent)
          const column = randomColumn(random, columnKind, shape, count, nullPercent)
          const vector = putVector(kernel, column), chunk = putChunk(kernel, column)
          const scratch = heap.allocate(exports.scanScratchBytes(chunk)), accumulators = heap.allocate(3 * 48)
          const number = scanKind[columnKind], into = columnKind === 'i64' ? 'I64' : 'F64'
          for (const percent of [100, 50, 3, 0]) {
            const selected = randomNulls(random, count, percent), selection = percent === 100 ? 0 : selectionOf(kernel, selected)
            const expected = naiveAggregate(columnKind, column.rows.map((value, row) => (selected[row] ? value : null)))
            const [overVector, overChunk, merged] = [accumulators, accumulators + 48, accumulators + 96] as const
            for (const each of [overVector, overChunk, merged]) exports.scanAccumulatorInit(each, number)
            exports[`scanAggregate${into}`](vector.values, vector.nulls, count, selection, overVector)
            expect(exports[`scanAggregateChunk${into}`](chunk, selection, overChunk, scratch)).toBe(0)
            const where = `${columnKind} ${shape} × ${count}, ${nullPercent} % null, ${percent} % selected, encoding ${exports.columnEncoding(chunk)}`
            expectAggregate(readAccumulator(kernel, overVector, columnKind), expected, `vector: ${where}`)
            expectAggregate(readAccumulator(kernel, overChunk, columnKind), expected, `chunk: ${where}`)
            exports.scanAccumulatorMerge(merged, overVector, number)
            exports.scanAccumulatorMerge(merged, overChunk, number)
            const twice = readAccumulator(kernel, merged, columnKind)
            expectAggregate(twice, { ...expected, count: 2 * expected.count, sum: typeof expected.sum === 'bigint' ? 2n * expected.sum : 2 * expected.sum }, `merged: ${where}`)
            expect(memory.f64[merged / 8 + 5]).toBe(0)
          }
        }
      }
    }
  })
})

function expectAggregate(actual: Aggregate, expected: Aggregate, where: string): void {
  const difference = aggregateDifference(actual, expected)
  if (difference !== undefined) expect.fail(`${where}: ${difference}`)
}

it('gives the same bytes under both kinds: selections and accumulators', () => {
  for (let seed = 0; seed < (fullTests ? 400 : 40); seed++) {
    const outcomes = kinds.map((kind) => {
      const random = seededRandom(seed), kernel = openTestKernel(kind, 8 * MiB), { exports, heap } = kernel
      const columnKind = (['i64', 'f64'] as const)[random.below(2)]!, into = columnKind === 'i64' ? 'I64' : 'F64'
      const column = randomColumn(random, columnKind, shapes[random.below(shapes.length)]!, counts[random.below(counts.length)]!, random.below(60))
      const chunk = putChunk(kernel, column), selection = selectionOf(kernel, randomNulls(random, column.rows.length, 80))
      const { address } = putConstant(kernel, constantsFor(random, column)[0]!)
      const scratch = heap.allocate(exports.scanScratchBytes(chunk)), accumulator = heap.allocate(48)
      const selected = exports[`scanFilterChunk${into}`](chunk, random.below(6), address, selection, scratch)
      exports.scanAccumulatorInit(accumulator, scanKind[columnKind])
      exports[`scanAggregateChunk${into}`](chunk, selection, accumulator, scratch)
      return [selected, Buffer.from(takeBytes(kernel, accumulator, 48)).toString('hex')]
    })
    expect(outcomes[0], `seed ${seed}`).toEqual(outcomes[1])
  }
})
