/** Compressed text of which head and one part are enough to read a row: the same places and judgements from both kinds, damage noticed. */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { Pointer } from '../../src/kernel/linear-memory.ts'
import { kinds, openTestKernel, putBytes, takeBytes } from './both-kinds.ts'
import { encodeTexts, scoped } from './column-chunks.ts'
import { nullShapes, textShapes } from './column-data.ts'

const kernels = kinds.map((kind) => openTestKernel(kind))
const lzEncoding = 20, headerBytes = 48

/** What all kernels say alike of a chunk, of which not even a head need be good. */
function same<T>(chunk: Uint8Array, label: string, ask: (kernel: Kernel, address: Pointer) => T): T {
  const answers = kernels.map((outer) => scoped(outer, (kernel) => ask(kernel, putBytes(kernel, chunk))))
  expect(answers[1], label).toEqual(answers[0])
  return answers[0]!
}

const headBytesOf = (chunk: Uint8Array, label: string, byteLength = chunk.length): number => same(chunk, label, ({ exports }, address) => exports.columnHeadBytes(address, byteLength))
const isGoodHead = (chunk: Uint8Array, label: string): boolean => same(chunk, label, ({ exports, heap }, address) => exports.columnHeadIsGood(address, heap.allocate(8))) === 1
const isGoodPart = (chunk: Uint8Array, part: number, label: string): boolean => same(chunk, label, ({ exports, heap }, address) => exports.columnPartIsGood(address, part, heap.allocate(8))) === 1

function partOf(chunk: Uint8Array, row: number, label: string): { readonly part: number; readonly from: number; readonly to: number } {
  return same(chunk, label, ({ exports, heap, memory }, address) => {
    const out = heap.allocate(8), part = exports.columnPart(address, row, out), from = memory.u32[out / 4]!
    return { part, from, to: from + memory.u32[out / 4 + 1]! }
  })
}

function textAt(chunk: Uint8Array, row: number, label: string): string | null {
  return same(chunk, label, (kernel, address) => {
    const { exports, heap, memory } = kernel, out = heap.allocate(8)
    const got = exports.columnGetBytes(address, row, out, heap.allocate(exports.columnDecodeScratchBytes(address) + 16))
    expect(got, label).toBeGreaterThanOrEqual(0)
    return got === 0 ? null : Buffer.from(takeBytes(kernel, memory.u32[out / 4]!, memory.u32[out / 4 + 1]!)).toString('hex')
  })
}

/** Chunks of text of several shapes, those that were compressed with a head. */
function chunks(): readonly { readonly label: string; readonly chunk: Uint8Array; readonly values: readonly Uint8Array[]; readonly nulls: readonly boolean[] }[] {
  return Object.entries(textShapes).flatMap(([shape, generate]) => Object.entries(nullShapes).flatMap(([nullShape, isNull]) => [300, 2100].map((count) => {
    const random = seededRandom(count), values = generate(random, count), nulls = values.map((_, row) => isNull(random, row))
    return { label: `${shape} × ${count}, nulls ${nullShape}`, chunk: encodeTexts(kernels[0]!, values, nulls), values, nulls }
  })))
}

describe('parts of compressed text', () => {
  it('are read without the others', () => {
    let compressed = 0
    for (const { label, chunk, values, nulls } of chunks()) {
      const head = headBytesOf(chunk, label), random = seededRandom(chunk.length)
      expect(head > 0, label).toBe(chunk[0] === lzEncoding)
      if (head === 0) continue
      compressed++
      for (let look = 0; look < 10; look++) {
        const row = random.below(values.length), { part, from, to } = partOf(chunk, row, label)
        expect(from >= head && to <= chunk.length, label).toBe(true)
        // All else is what stood in memory before.
        const sparse = new Uint8Array(chunk.length).fill(0xa5)
        sparse.set(chunk.subarray(0, head))
        expect(isGoodHead(sparse, label), label).toBe(true)
        expect(same(sparse, label, ({ exports }, address) => exports.columnValidate(address, chunk.length)), label).toBe(0)
        sparse.set(chunk.subarray(from, to), from)
        expect(isGoodPart(sparse, part, label), label).toBe(true)
        expect(textAt(sparse, row, label), label).toBe(nulls[row]! ? null : Buffer.from(values[row]!).toString('hex'))
      }
    }
    expect(compressed).toBeGreaterThan(5)
  })

  it('are known to be damaged, whatever the damage', () => {
    for (const { label, chunk, values } of chunks().filter(({ chunk }) => chunk[0] === lzEncoding).slice(0, 4)) {
      const head = headBytesOf(chunk, label), random = seededRandom(7)
      for (let round = 0; round < 40; round++) {
        const damaged = Uint8Array.from(chunk), at = random.below(chunk.length)
        damaged[at]! ^= 1 + random.below(255)
        if (at < head) {
          const found = headBytesOf(damaged, label)
          expect(found <= chunk.length, label).toBe(true)
          // Between the last sum and the text there are zeros, which nothing reads.
          if (found !== 0 && at < head - 8) expect(isGoodHead(damaged, `${label}, byte ${at}`), `${label}, byte ${at}`).toBe(false)
        } else {
          const places = values.map((_, row) => partOf(chunk, row, label)).filter(({ from, to }) => at >= from && at < to)
          if (places.length > 0) expect(isGoodPart(damaged, places[0]!.part, label), `${label}, byte ${at}`).toBe(false)
        }
      }
    }
  })

  it('are not looked for in chunks that have none, of other sizes, or without sums', () => {
    const { label, chunk } = chunks().find((each) => each.chunk[0] === lzEncoding)!
    expect(headBytesOf(chunk, label, chunk.length + 8)).toBe(0)
    const without = Uint8Array.from(chunk)
    new DataView(without.buffer).setUint32(44, 0, true)
    expect(headBytesOf(without, label)).toBe(0)
    // Forged headers: never more than the chunk.
    const random = seededRandom(3)
    for (let round = 0; round < 2_000; round++) {
      const forged = Uint8Array.from(chunk)
      for (const field of [24, 32, 44]) if (random.below(2) === 0) new DataView(forged.buffer).setUint32(field, random.below(3) === 0 ? random.nextU32() : random.below(chunk.length + 64), true)
      expect(headBytesOf(forged, `round ${round}`) <= chunk.length).toBe(true)
    }
    expect(headerBytes).toBeLessThan(headBytesOf(chunk, label))
  })
})
