/** Places of integers in a window, of vectors and of chunks as they are encoded. */
import { describe, expect, it } from 'vitest'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { kinds, openTestKernel, putBits } from './both-kinds.ts'
import { putChunk, putVector } from './scan-columns.ts'

const untouched = 0xdead_beef

function placesOf(kernel: Kernel, count: number, write: (places: number) => number): { readonly status: number; readonly places: readonly number[] } {
  const places = kernel.heap.allocate(4 * (count + 3))
  kernel.memory.u32.fill(untouched, places / 4, places / 4 + count)
  const status = write(places)
  return { status, places: [...kernel.memory.u32.subarray(places / 4, places / 4 + count)] }
}

const bases = [0n, -7n, 2n ** 53n - 5000n, -(2n ** 53n) + 1n]

describe.each(kinds)('places in a window (%s)', (kind) => {
  it.each(bases)('are distances from %s, of a chunk in one call', (base) => {
    for (const [seed, count] of [1, 63, 1024, 1025, 2150].entries()) {
      const random = seededRandom(seed), kernel = openTestKernel(kind), { exports } = kernel
      const rows = Array.from({ length: count }, () => base + BigInt(random.below(3000))), least = rows.reduce((a, b) => (a < b ? a : b)), greatest = rows.reduce((a, b) => (a > b ? a : b))
      const chunk = putChunk(kernel, { kind: 'i64', rows }), { values } = putVector(kernel, { kind: 'i64', rows }), wide = Number(greatest - base) + 1
      const expected = rows.map((row) => Number(row - base))
      const calls = [(places: number, first: number, capacity: number) => exports.scanPlaces(values, 0, 0, count, first, capacity, places)]
      // One row is a chunk of another encoding.
      if (count > 1) calls.push((places, first, capacity) => exports.scanPlacesChunk(chunk, first, capacity, places))
      for (const call of calls) {
        expect(placesOf(kernel, count, (places) => call(places, Number(base), wide))).toEqual({ status: 0, places: expected })
        expect(placesOf(kernel, count, (places) => call(places, Number(base), wide - 1)).status, 'the greatest lies behind the window').toBe(-1)
        expect(placesOf(kernel, count, (places) => call(places, Number(least) + 1, 2 ** 20)).status, 'the least lies before the window').toBe(-1)
      }
    }
  })

  it('give NULL the place behind the window, and leave rows that are not selected alone', () => {
    const kernel = openTestKernel(kind), count = 130, { exports } = kernel
    const rows = Array.from({ length: count }, (_, row) => (row % 7 === 0 ? null : row % 11 === 0 ? 2n ** 63n - 1n : BigInt(row)))
    const selected = rows.map((_, row) => row % 11 !== 0 && row % 3 !== 1)
    const { values, nulls } = putVector(kernel, { kind: 'i64', rows }), selection = putBits(kernel, selected)
    const { status, places } = placesOf(kernel, count, (at) => exports.scanPlaces(values, nulls, selection, count, 0, 500, at))
    expect(status).toBe(0)
    expect(places).toEqual(rows.map((row, i) => (!selected[i] ? untouched : row === null ? 500 : Number(row))))
    expect(exports.scanPlaces(values, nulls, 0, count, 0, 500, kernel.heap.allocate(4 * count)), 'all rows').toBe(-1)
  })

  it.each([
    ['nulls', Array.from({ length: 2000 }, (_, row) => (row === 1500 ? null : BigInt((row * 7919) % 1000)))],
    ['one value alone', Array.from({ length: 2000 }, () => 5n)],
    ['sums of differences', Array.from({ length: 2000 }, (_, row) => BigInt(row * row))],
    ['values far apart', Array.from({ length: 2000 }, (_, row) => BigInt(row % 3) * 2n ** 40n + BigInt((row * 7919) % 1000))],
  ])('are not told of a chunk with %s', (_, rows) => {
    const kernel = openTestKernel(kind), chunk = putChunk(kernel, { kind: 'i64', rows })
    expect(kernel.exports.scanPlacesChunk(chunk, 0, 2 ** 20, kernel.heap.allocate(4 * 2048))).toBe(-1)
  })

  it.each([8, 24, 48])('with rows are told, of accumulators of %i bytes', (stride) => {
    const kernel = openTestKernel(kind), { exports, heap, memory: { f64, u32 } } = kernel, random = seededRandom(stride)
    for (const placeCount of [0, 1, 64, 1001]) {
      const accumulators = heap.allocate(stride * placeCount), used = heap.allocate(4 * placeCount)
      // What stands beside the counts says nothing.
      f64.fill(3, accumulators / 8, (accumulators + stride * placeCount) / 8)
      const expected = Array.from({ length: placeCount }, (_, place) => place).filter((place) => {
        const hasRows = random.below(3) > 0
        f64[(accumulators + stride * place) / 8] = hasRows ? 1 + random.below(1000) : 0
        return hasRows
      })
      expect(exports.scanPlacesUsed(accumulators, stride, placeCount, used)).toBe(expected.length)
      expect([...u32.subarray(used / 4, used / 4 + expected.length)]).toEqual(expected)
    }
  })

  it('are not told of a chunk of another kind', () => {
    const kernel = openTestKernel(kind), chunk = putChunk(kernel, { kind: 'f64', rows: Array.from({ length: 2000 }, (_, row) => row % 100) })
    expect(kernel.exports.scanPlacesChunk(chunk, 0, 2 ** 20, kernel.heap.allocate(4 * 2048))).toBe(-1)
  })
})
