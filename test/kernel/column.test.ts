/** Conformance of i64 and f64 chunks, over both kernel kinds: every bit comes back, by range and by row, from equal bytes. */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { fullTests, kinds, openTestKernel, putI64 } from './both-kinds.ts'
import { decodeNumbers, encodeNumbers, scoped, withChunk } from './column-chunks.ts'
import type { NumberKind } from './column-chunks.ts'
import { ascending, countMax, counts, doubleShapes, integerShapes, nullShapes } from './column-data.ts'

const kernels = kinds.map((kind) => openTestKernel(kind))
const encodings = { constant: 1, plain: 2, frame: 3, linear: 4, delta: 5, decimal: 6, steppedDelta: 7 }
const headerBytes = 48

function checkColumn(kernel: Kernel, kind: NumberKind, chunk: Uint8Array, values: readonly bigint[], nulls: readonly boolean[], label: string): void {
  withChunk(kernel, chunk, (address) => {
    const { exports, memory } = kernel
    const count = values.length
    const expected = values.map((value, i) => (nulls[i]! ? 0n : value))
    expect([exports.columnCount(address), exports.columnKind(address), exports.columnHasNulls(address)], label).toEqual([count, kind === 'I64' ? 1 : 2, nulls.some(Boolean) ? 1 : 0])
    expect(decodeNumbers(kernel, kind, address, 0, count), label).toEqual({ values: expected, nulls })
    for (const [first, end] of [[8, 9], [120, 137], [128, 256], [1016, 1040], [1024, 2000], [countMax - 15, countMax]] as const) {
      if (end > count) continue
      expect(decodeNumbers(kernel, kind, address, first, end - first), `${label} [${first}, ${end})`).toEqual({ values: expected.slice(first, end), nulls: nulls.slice(first, end) })
    }
    scoped(kernel, (inner) => {
      const out = inner.heap.allocate(8)
      const wrong = expected.findIndex((value, row) => exports[`columnGet${kind}`](address, row, out) !== (nulls[row]! ? 0 : 1) || memory.i64[out / 8] !== value)
      expect(wrong, `${label}: get of row`).toBe(-1)
    })
  })
}

function checkShape(kind: NumberKind, values: readonly bigint[], nulls: readonly boolean[], label: string): void {
  const chunks = kernels.map((kernel) => encodeNumbers(kernel, kind, values, nulls))
  expect(Buffer.from(chunks[0]!).equals(chunks[1]!), `${label}: equal bytes`).toBe(true)
  const plainBytes = headerBytes + (nulls.some(Boolean) ? Math.ceil(values.length / 64) * 8 : 0) + Math.max(values.length, 1) * 8
  expect(chunks[0]!.length, `${label}: at most plain`).toBeLessThanOrEqual(plainBytes)
  for (const kernel of kernels) checkColumn(kernel, kind, chunks[0]!, values, nulls, `${kernel.kind} ${label}`)
}

for (const [kind, shapes] of [['I64', integerShapes], ['F64', doubleShapes]] as const) {
  describe(`${kind} chunks`, () => {
    for (const [shape, generate] of Object.entries(shapes)) {
      it(`bring back ${shape}`, () => {
        for (const count of counts) {
          for (const [nullShape, isNull] of Object.entries(nullShapes)) {
            const random = seededRandom(count + 17)
            const values = generate(random, count)
            checkShape(kind, values, values.map((_, row) => isNull(random, row)), `${shape} × ${count}, nulls ${nullShape}`)
          }
        }
      })
    }

    it('hold 65,535 rows', () => {
      const chosen = fullTests ? Object.keys(shapes) : ['sortedKeys', 'pricesWithSpecials', 'randomBits']
      for (const [shape, generate] of Object.entries(shapes).filter(([shape]) => chosen.includes(shape))) {
        const random = seededRandom(1)
        const values = generate(random, countMax)
        checkShape(kind, values, values.map(() => random.below(50) === 0), `${shape} × ${countMax}`)
      }
    })
  })
}

describe('encodings', () => {
  const encodingOf = (kernel: Kernel, kind: NumberKind, values: readonly bigint[]): { encoding: number; bytes: number } => {
    const chunk = encodeNumbers(kernel, kind, values, values.map(() => false))
    return withChunk(kernel, chunk, (address) => ({ encoding: kernel.exports.columnEncoding(address), bytes: chunk.length }))
  }
  const cases: readonly [NumberKind, string, number, number][] = [
    ['I64', 'constant', encodings.constant, 56],
    ['I64', 'sequential', encodings.linear, 48 + 5 * 32],
    ['I64', 'smallDomain', encodings.frame, 48 + 5 * (32 + 400)],
    ['I64', 'strictKeys', encodings.delta, 48 + 5 * (32 + 64 + 272)],
    ['I64', 'timestamps', encodings.delta, 48 + 5 * (32 + 64 + 784)],
    ['I64', 'seconds', encodings.steppedDelta, 48 + 5 * (32 + 64 + 656)],
    ['I64', 'fallingBySevens', encodings.steppedDelta, 48 + 5 * (32 + 64 + 528)],
    ['I64', 'largeSteps', encodings.steppedDelta, 48 + 5 * (32 + 64 + 144)],
    ['I64', 'steppedAndWide', encodings.steppedDelta, 48 + 5 * (32 + 64 + 4480)],
    ['I64', 'gridWithJitter', encodings.linear, 48 + 5 * (32 + 656)],
    ['I64', 'randomBits', encodings.plain, 48 + 40_000],
    ['F64', 'constant', encodings.constant, 56],
    ['F64', 'prices', encodings.decimal, 48 + 5 * (32 + 20 * 128)],
    ['F64', 'thousands', encodings.decimal, 48 + 5 * (32 + 17 * 128)],
    ['F64', 'randomBits', encodings.plain, 48 + 40_000],
  ]
  for (const [kind, shape, encoding, bytesMax] of cases) {
    it(`choose ${encoding} for ${kind} ${shape} and need at most ${bytesMax} bytes for 5,000 values`, () => {
      const values = (kind === 'I64' ? integerShapes : doubleShapes)[shape]!(seededRandom(3), 5000)
      for (const kernel of kernels) {
        const chosen = encodingOf(kernel, kind, values)
        expect(chosen.encoding).toBe(encoding)
        expect(chosen.bytes).toBeLessThanOrEqual(bytesMax)
      }
    })
  }
})

describe('lower bound', () => {
  for (const [shape, generate] of Object.entries(integerShapes)) {
    it(`finds the place of a value in sorted ${shape}`, () => {
      for (const count of counts) {
        const random = seededRandom(count)
        const values = generate(random, count).sort(ascending)
        const probes = [-(2n ** 63n), 2n ** 63n - 1n, 0n, ...Array.from({ length: 60 }, () => values[random.below(Math.max(count, 1))] ?? 0n).flatMap((value) => [value, value - 1n, value + 1n])].map((value) => BigInt.asIntN(64, value))
        const chunk = encodeNumbers(kernels[0]!, 'I64', values, values.map(() => false))
        for (const kernel of kernels) {
          withChunk(kernel, chunk, (address) => scoped(kernel, (inner) => {
            for (const probe of probes) {
              const first = values.findIndex((value) => value >= probe)
              expect(kernel.exports.columnLowerBoundI64(address, putI64(inner, [probe])), `${kernel.kind} ${shape} × ${count}, ${probe}`).toBe(first < 0 ? count : first)
            }
          }))
        }
      }
    })
  }
})

describe('another kind', () => {
  it('is refused without writing', () => {
    for (const kernel of kernels) {
      const chunk = encodeNumbers(kernel, 'I64', [1n, 2n, 4n], [false, false, false])
      withChunk(kernel, chunk, (address) => scoped(kernel, (inner) => {
        const out = putI64(inner, [77n, 77n, 77n, 77n])
        expect(kernel.exports.columnDecodeF64(address, 0, 3, out, 0)).toBe(-1)
        expect(kernel.exports.columnDecodeBytes(address, 0, 3, out, 0, 0)).toBe(-1)
        expect(kernel.exports.columnDecodeI64(address, 0, 4, out, 0)).toBe(-1)
        expect(kernel.exports.columnGetF64(address, 0, out)).toBe(-1)
        expect(kernel.exports.columnGetBytes(address, 0, out, 0)).toBe(-1)
        expect(kernel.exports.columnGetI64(address, 3, out)).toBe(-1)
        expect(kernel.exports.columnLowerBoundBytes(address, out, 8, 0)).toBe(-1)
        expect(kernel.memory.i64[out / 8]).toBe(77n)
      }))
    }
  })
})
