/** Conformance of bytes chunks, over both kernel kinds: every byte comes back, by range and by row, from equal bytes. */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { fullTests, kinds, openTestKernel, putBytes, takeBytes } from './both-kinds.ts'
import { decodeTexts, encodeTexts, guarded, scoped, withChunk } from './column-chunks.ts'
import { countMax, counts, nullShapes, textShapes } from './column-data.ts'

const kernels = kinds.map((kind) => openTestKernel(kind, 128 * 1024 * 1024))
const encodings = { constant: 16, plain: 17, dictionary: 18, runs: 19, lz: 20 }
const empty = new Uint8Array(0)
const joined = (values: readonly Uint8Array[]): string => values.map((value) => Buffer.from(value).toString('latin1')).join('\u{1f}')

function checkColumn(kernel: Kernel, chunk: Uint8Array, values: readonly Uint8Array[], nulls: readonly boolean[], label: string): void {
  withChunk(kernel, chunk, (address) => {
    const { exports } = kernel
    const count = values.length
    const expected = values.map((value, i) => (nulls[i]! ? empty : value))
    const checkRange = (first: number, end: number): void => {
      const decoded = decodeTexts(kernel, address, first, end - first)
      expect(decoded.nulls, `${label} [${first}, ${end})`).toEqual(nulls.slice(first, end))
      expect(joined(decoded.values) === joined(expected.slice(first, end)), `${label} [${first}, ${end})`).toBe(true)
    }
    expect([exports.columnCount(address), exports.columnKind(address), exports.columnHasNulls(address)], label).toEqual([count, 3, nulls.some(Boolean) ? 1 : 0])
    checkRange(0, count)
    for (const [first, end] of [[8, 9], [120, 137], [1016, 1040], [1024, 2000], [4000, 4999]] as const) if (end <= count) checkRange(first, end)
    scoped(kernel, (inner) => {
      const out = inner.heap.allocate(8), scratch = guarded(inner, exports.columnDecodeScratchBytes(address))
      // A row of an lz chunk costs a sub-block; a prime step meets all of them.
      const step = exports.columnEncoding(address) !== encodings.lz || (fullTests && count <= 5000) ? 1 : 31
      const wrong = expected.findIndex((value, row) => {
        if (row % step !== 0) return false
        if (exports.columnGetBytes(address, row, out, scratch.address) !== (nulls[row]! ? 0 : 1)) return true
        return Buffer.compare(value, takeBytes(inner, inner.memory.u32[out / 4]!, inner.memory.u32[out / 4 + 1]!)) !== 0
      })
      expect(wrong, `${label}: get of row`).toBe(-1)
      scratch.check('get')
    })
  })
}

function checkShape(values: readonly Uint8Array[], nulls: readonly boolean[], label: string): void {
  const chunks = kernels.map((kernel) => encodeTexts(kernel, values, nulls))
  expect(Buffer.from(chunks[0]!).equals(chunks[1]!), `${label}: equal bytes`).toBe(true)
  const dataBytes = values.reduce((bytes, value, row) => bytes + (nulls[row]! ? 0 : value.length), 0)
  const nullBytes = nulls.some(Boolean) ? Math.ceil(values.length / 64) * 8 : 0
  const plainBytes = 48 + nullBytes + Math.ceil(values.length / 1024) * (32 + 16) + values.length * 4 + dataBytes + 8
  expect(chunks[0]!.length, `${label}: at most plain`).toBeLessThanOrEqual(plainBytes)
  for (const kernel of kernels) checkColumn(kernel, chunks[0]!, values, nulls, `${kernel.kind} ${label}`)
}

describe('bytes chunks', () => {
  for (const [shape, generate] of Object.entries(textShapes)) {
    it(`bring back ${shape}`, () => {
      for (const count of counts) {
        for (const [nullShape, isNull] of Object.entries(nullShapes)) {
          const random = seededRandom(count + 5)
          const values = generate(random, count)
          checkShape(values, values.map((_, row) => isNull(random, row)), `${shape} × ${count}, nulls ${nullShape}`)
        }
      }
    })
  }

  it.each(fullTests ? Object.keys(textShapes) : ['numbered', 'clustered', 'randomBytes'])('hold 65,535 rows of %s', (shape) => {
    const random = seededRandom(1)
    const values = textShapes[shape]!(random, countMax)
    checkShape(values, values.map(() => random.below(50) === 0), `${shape} × ${countMax}`)
  })

  it('hold one text of 100 KB, and texts that share all but their last byte', () => {
    const long = Buffer.alloc(100_000, 'x')
    checkShape([long], [false], 'one long text')
    checkShape([long, Buffer.concat([long, Buffer.from('y')]), long.subarray(1), empty], [false, false, false, false], 'long texts')
  })
})

describe('encodings', () => {
  const dataBytes = (values: readonly Uint8Array[]): number => values.reduce((bytes, value) => bytes + value.length, 0)
  const cases: readonly [string, number, (values: readonly Uint8Array[]) => number][] = [
    ['constant', encodings.constant, () => 48 + 16],
    ['empty', encodings.constant, () => 48],
    ['smallDomain', encodings.dictionary, () => 48 + (5000 * 3) / 8 + 100],
    ['clustered', encodings.runs, () => 48 + 60 * (2 + 1 + 4 + 12)],
    ['numbered', encodings.lz, (values) => dataBytes(values) / 2],
    ['uuids', encodings.plain, (values) => dataBytes(values) + 48 + 5 * 32],
    ['randomLengths', encodings.plain, (values) => dataBytes(values) + 5000 * 1.5 + 48 + 5 * 48],
    ['randomBytes', encodings.plain, (values) => dataBytes(values) + 5000 * 1.5 + 48 + 5 * 48],
    ['prefixed', encodings.lz, (values) => dataBytes(values) * 0.6],
  ]
  for (const [shape, encoding, bytesMax] of cases) {
    it(`choose ${encoding} for ${shape}`, () => {
      const values = textShapes[shape]!(seededRandom(3), 5000)
      for (const kernel of kernels) {
        const chunk = encodeTexts(kernel, values, values.map(() => false))
        expect(withChunk(kernel, chunk, (address) => kernel.exports.columnEncoding(address))).toBe(encoding)
        expect(chunk.length).toBeLessThanOrEqual(bytesMax(values))
      }
    })
  }
})

describe('lower bound', () => {
  for (const [shape, generate] of Object.entries(textShapes)) {
    it(`finds the place of a key in sorted ${shape}`, () => {
      for (const count of counts) {
        const random = seededRandom(count)
        const values = generate(random, count).sort(Buffer.compare)
        const picked = Array.from({ length: 12 }, () => values[random.below(Math.max(count, 1))] ?? empty)
        const probes = [empty, Buffer.from('~'), Buffer.from([255]), ...picked.flatMap((value) => [value, Buffer.concat([value, Buffer.from([0])]), value.subarray(0, value.length - 1)])]
        const chunk = encodeTexts(kernels[0]!, values, values.map(() => false))
        for (const kernel of kernels) {
          withChunk(kernel, chunk, (address) => scoped(kernel, (inner) => {
            const scratch = guarded(inner, kernel.exports.columnDecodeScratchBytes(address))
            for (const probe of probes) {
              const first = values.findIndex((value) => Buffer.compare(value, probe) >= 0)
              expect(kernel.exports.columnLowerBoundBytes(address, putBytes(inner, probe), probe.length, scratch.address), `${kernel.kind} ${shape} × ${count}`).toBe(first < 0 ? count : first)
            }
            scratch.check('lower bound')
          }))
        }
      }
    })
  }
})
