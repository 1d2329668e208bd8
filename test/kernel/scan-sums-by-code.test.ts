/** Counts and sums by dictionary codes, in one call over two chunks, against sums rounded once. */
import { describe, expect, it } from 'vitest'
import { groupedCodesScratchBytes, groupSumsBytes } from '../../src/kernel/scan.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { readDoubleDouble } from '../../src/kernel/zone-map.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { kinds, openTestKernel, putBits, takeBytes } from './both-kinds.ts'
import { exactSum, putChunk } from './scan-columns.ts'

interface Rows {
  readonly texts: readonly (string | null)[]
  readonly values: readonly (number | null)[]
}

/** Decimals of `digits` after the point, of either sign, whose magnitudes differ much; their integers are below `limit`. */
function randomRows(count: number, entries: number, digits: number, limit = wideLimit): Rows {
  const random = seededRandom(count + entries + digits)
  const value = (): number => Math.round((random.nextFloat() - 0.3) * Math.min(limit, 10 ** random.below(10))) / 10 ** digits
  return { texts: Array.from({ length: count }, () => `entry ${random.below(entries)}`), values: Array.from({ length: count }, () => value() + 0) }
}

const rowCounts = [100, 1023, 2151, 9001]

/** Integers of so few bits are summed in another way than others. */
const narrowLimit = 2 ** 20, wideLimit = 10 ** 8
const limits = [narrowLimit, wideLimit]

/** Adds them twice, so that sums are continued; entry i of the dictionary is group i / 2. */
function sumTwice(kernel: Kernel, { texts, values }: Rows, selected?: readonly boolean[]): { readonly status: number; readonly sums: number; readonly groupCount: number; readonly bytes: string } {
  const { exports, heap, memory } = kernel
  const keys = putChunk(kernel, { kind: 'bytes', rows: texts.map((text) => (text === null ? null : Buffer.from(text))) }), chunk = putChunk(kernel, { kind: 'f64', rows: values })
  const entries = Math.max(1, exports.scanGroupsEntryCount(keys)), groupCount = (entries >> 1) + 1
  const map = heap.allocate(4 * entries), sums = heap.allocate(groupSumsBytes * groupCount), scratch = heap.allocate(groupedCodesScratchBytes)
  for (let code = 0; code < entries; code++) memory.u32[map / 4 + code] = code >> 1
  memory.u8.fill(0, sums, sums + groupSumsBytes * groupCount)
  const selection = selected === undefined ? 0 : putBits(kernel, selected)
  const statuses = [0, 1].map(() => exports.scanGroupedSumsCodes(keys, map, chunk, selection, sums, scratch))
  return { status: Math.min(...statuses), sums, groupCount, bytes: Buffer.from(takeBytes(kernel, sums, groupSumsBytes * groupCount)).toString('hex') }
}

describe.each(kinds)('sums by dictionary codes (%s)', (kind) => {
  it.each([1, 2, 3, 4, 5].flatMap((digits) => limits.map((limit) => [digits, [2, 50, 250][digits % 3]!, limit] as const)))('are exact before they are rounded (%i digits, %i entries, integers below %i)', (digits, entries, limit) => {
    // Fewer rows an entry would not get a dictionary.
    for (const count of rowCounts.filter((each) => each >= 8 * entries)) {
      const rows = randomRows(count, entries, digits, limit), kernel = openTestKernel(kind)
      const { status, sums, groupCount } = sumTwice(kernel, rows)
      expect(status).toBe(0)
      const dictionary = [...new Set(rows.texts as string[])].toSorted()
      for (let group = 0; group < groupCount; group++) {
        const own = rows.values.filter((_, row) => dictionary.indexOf(rows.texts[row]!) >> 1 === group) as number[]
        expect(kernel.memory.f64[(sums + groupSumsBytes * group) / 8]).toBe(2 * own.length)
        expect(readDoubleDouble(kernel.memory, sums + groupSumsBytes * group + 8), `${count} rows, group ${group}`).toBe(2 * exactSum(own))
      }
    }
  })

  it('leaves out rows that are not selected, unless these are the most', () => {
    for (const count of rowCounts) {
      const rows = randomRows(count, 5, 2), kernel = openTestKernel(kind), selected = rows.texts.map((_, row) => row % 7 !== 3 && row !== count - 1)
      const { status, sums, groupCount } = sumTwice(kernel, rows, selected)
      expect(status).toBe(0)
      const dictionary = [...new Set(rows.texts as string[])].toSorted()
      for (let group = 0; group < groupCount; group++) {
        const own = rows.values.filter((_, row) => selected[row]! && dictionary.indexOf(rows.texts[row]!) >> 1 === group) as number[]
        expect(kernel.memory.f64[(sums + groupSumsBytes * group) / 8]).toBe(2 * own.length)
        expect(readDoubleDouble(kernel.memory, sums + groupSumsBytes * group + 8), `${count} rows, group ${group}`).toBe(2 * exactSum(own))
      }
      expect(sumTwice(openTestKernel(kind), rows, selected.map((_, row) => row % 3 === 0)).status).toBe(-1)
    }
  })

  it.each([
    ['nulls among the values', ({ texts, values }: Rows): Rows => ({ texts, values: values.with(7, null) })],
    ['nulls among the texts', ({ texts, values }: Rows): Rows => ({ texts: texts.with(7, null), values })],
    ['a value that is no decimal', ({ texts, values }: Rows): Rows => ({ texts, values: values.with(7, Math.PI) })],
    ['numbers of more digits', ({ texts, values }: Rows): Rows => ({ texts, values: values.with(7, 2 ** 30) })],
    ['texts without a dictionary', ({ texts, values }: Rows): Rows => ({ texts: texts.map((_, row) => `text ${row}`), values })],
  ])('refuses %s and adds nothing', (_, change) => {
    const { status, bytes } = sumTwice(openTestKernel(kind), change(randomRows(3000, 5, 2)))
    expect([status, /^0+$/.test(bytes)]).toEqual([-1, true])
  })
})

function expectSameBytes(rows: Rows, selected?: readonly boolean[]): void {
  const [wasm, js] = kinds.map((kind) => sumTwice(openTestKernel(kind), rows, selected).bytes)
  expect(wasm).toBe(js)
}

it('gives the same bytes under both kinds', () => {
  for (const count of rowCounts) {
    for (const selected of [undefined, Array.from({ length: count }, (_, row) => row % 5 > 0)]) {
      for (const limit of limits) expectSameBytes(randomRows(count, 20, 2, limit), selected)
    }
  }
})

it.each([0, 1, 2, 3, 4, 5])('multiplies as if it divided by 10^%i', (digits) => {
  const count = 2 ** 15, step = 7
  const texts = Array.from({ length: count }, (_, row) => `entry ${row & 1}`)
  for (let first = digits; first + step * count < narrowLimit + step * count; first += step * count) {
    expectSameBytes({ texts, values: texts.map((_, row) => ((first + step * row) % narrowLimit) / 10 ** digits) })
  }
})
