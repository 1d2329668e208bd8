/** Decimals as chunks keep them: decoded to the very doubles of a division, and summed exactly, whichever rows are selected. */
import { describe, expect, it } from 'vitest'
import { readDoubleDouble } from '../../src/kernel/zone-map.ts'
import { accumulatorBytes, scanKind } from '../../src/kernel/scan.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { kinds, openTestKernel, putBits, takeBytes } from './both-kinds.ts'
import { exactSum, putChunk } from './scan-columns.ts'

const MiB = 1024 * 1024
const count = 1300

/** Integers of `width` bits from `least` on, some of them the last ones there are, under `digits` decimals. */
function decimals(width: number, least: number, digits: number): readonly number[] {
  const random = seededRandom(width + digits)
  return Array.from({ length: count }, (_, row) => (least + (row % 5 === 0 ? 2 ** width - 1 - random.below(2 ** Math.min(width, 6)) : Math.floor(random.nextFloat() * 2 ** width))) / 10 ** digits)
}

const shapes = [1, 17, 29, 30, 31, 32, 33].flatMap((width) => [0, 2, 5, 6].flatMap((digits) => [0, -(2 ** (width - 1)), 2 ** 31 - 1, -(2 ** 32) + 1].map((least) => ({ width, digits, least }))))

function sumOf(kind: (typeof kinds)[number], rows: readonly (number | null)[], chosen: readonly boolean[] | undefined): { readonly bytes: Uint8Array; readonly sum: number } {
  const kernel = openTestKernel(kind, MiB), { exports, heap } = kernel
  const chunk = putChunk(kernel, { kind: 'f64', rows }), accumulator = heap.allocate(accumulatorBytes)
  exports.scanAccumulatorInit(accumulator, scanKind.f64)
  expect(exports.scanAggregateChunkF64(chunk, chosen === undefined ? 0 : putBits(kernel, chosen), accumulator, heap.allocate(exports.scanScratchBytes(chunk)))).toBe(0)
  return { bytes: takeBytes(kernel, accumulator, accumulatorBytes), sum: readDoubleDouble(kernel.memory, accumulator + 24) }
}

describe.each(kinds)('decimals of chunks (%s)', (kind) => {
  it('are decoded to what dividing gives', () => {
    for (const { width, digits, least } of shapes) {
      const kernel = openTestKernel(kind, MiB), { exports, heap, memory } = kernel
      const rows = decimals(width, least, digits), chunk = putChunk(kernel, { kind: 'f64', rows }), out = heap.allocate(8 * count)
      expect(exports.columnDecodeF64(chunk, 0, count, out, 0)).toBeGreaterThanOrEqual(0)
      expect(memory.f64.slice(out / 8, out / 8 + count), `${width} bits from ${least}, ${digits} digits`).toEqual(Float64Array.from(rows))
    }
  })
})

describe('sums of decimals', () => {
  it('are exact before they are rounded, and of the same bytes under both kinds', () => {
    for (const { width, digits, least } of shapes.filter((shape) => shape.width <= 30 && shape.width % 2 === 1)) {
      const rows = decimals(width, least, digits).map((value, row) => (row % 97 === 3 ? null : value))
      for (const share of [undefined, 0.01, 0.3, 0.9]) {
        const random = seededRandom(digits), chosen = share === undefined ? undefined : rows.map((_, row) => row < 700 && random.nextFloat() < share)
        const own = rows.filter((value, row) => value !== null && chosen?.[row] !== false) as number[]
        const [first, second] = kinds.map((kind) => sumOf(kind, rows, chosen))
        expect(first!.sum, `${width} bits from ${least}, ${digits} digits, ${share}`).toBe(exactSum(own))
        expect(first!.bytes).toEqual(second!.bytes)
      }
    }
  })
})
