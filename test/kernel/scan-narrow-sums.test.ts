/** Sums of decimals of few digits by group: what they come to in accumulators, against sums rounded once. */
import { describe, expect, it } from 'vitest'
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { Pointer } from '../../src/kernel/linear-memory.ts'
import { groupSumsBytes, narrowScratchBytes, narrowSumBytes } from '../../src/kernel/scan.ts'
import { readDoubleDouble } from '../../src/kernel/zone-map.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { kinds, openTestKernel, putBits, takeBytes } from './both-kinds.ts'
import { exactSum, putChunk } from './scan-columns.ts'

const groupCount = 37
const rowCounts = [100, 1023, 2151, 4099]

interface Rows {
  readonly groups: readonly number[]
  readonly values: readonly (number | null)[]
  readonly selected: readonly boolean[] | undefined
}

/** Integers of all sizes with their point `digits` from the right: below 2^20, or of either sign and below 2^18. */
function randomRows(count: number, digits: number, isSelected: boolean): Rows {
  const random = seededRandom(10 * count + digits), isSigned = random.below(2) === 0
  const value = (): number => (Math.floor(random.nextFloat() * 2 ** (1 + random.below(isSigned ? 18 : 20))) * (isSigned && random.below(3) === 0 ? -1 : 1)) / 10 ** digits + 0
  return {
    groups: Array.from({ length: count }, () => random.below(groupCount)),
    values: Array.from({ length: count }, value),
    selected: isSelected ? Array.from({ length: count }, (_, row) => row % 4 !== 1) : undefined,
  }
}

interface Opened {
  readonly narrow: Pointer
  readonly sums: Pointer
  readonly scratch: Pointer
}

function open({ heap, memory: { u8 } }: Kernel): Opened {
  const narrowLength = narrowSumBytes * (groupCount + 1), narrow = heap.allocate(narrowLength), sums = heap.allocate(groupSumsBytes * groupCount)
  u8.fill(0, narrow, narrow + narrowLength)
  u8.fill(0, sums, sums + groupSumsBytes * groupCount)
  return { narrow, sums, scratch: heap.allocate(narrowScratchBytes) }
}

function add(kernel: Kernel, { narrow, scratch }: Opened, { groups, values, selected }: Rows): number {
  const numbers = kernel.heap.allocate(4 * groups.length)
  kernel.memory.u32.set(groups, numbers / 4)
  const status = kernel.exports.scanGroupedNarrow(numbers, putChunk(kernel, { kind: 'f64', rows: values }), selected === undefined ? 0 : putBits(kernel, selected), groupCount, narrow, scratch)
  expect([...kernel.memory.u32.subarray(numbers / 4, numbers / 4 + groups.length)], 'groups are only read').toEqual(groups)
  return status
}

const bytesOf = (kernel: Kernel, { sums }: Opened): string => Buffer.from(takeBytes(kernel, sums, groupSumsBytes * groupCount)).toString('hex')

describe.each(kinds)('narrow sums (%s)', (kind) => {
  it.each([0, 1, 2, 3, 4, 5])('are exact before they are rounded (%i digits)', (digits) => {
    const kernel = openTestKernel(kind, 128 * 1024 * 1024), opened = open(kernel), all: Rows[] = []
    for (const count of rowCounts) {
      for (const isSelected of [false, true]) {
        const rows = randomRows(count, digits, isSelected)
        all.push(rows, rows)
        for (let time = 0; time < 2; time++) expect(add(kernel, opened, rows)).toBe(0)
      }
      // Some are brought, then more come.
      kernel.exports.scanGroupedNarrowTake(opened.narrow, groupCount, digits, opened.sums)
      for (let group = 0; group < groupCount; group++) {
        const own = all.flatMap(({ groups, values, selected }) => values.filter((_, row) => groups[row] === group && selected?.[row] !== false) as number[])
        expect(kernel.memory.f64[(opened.sums + groupSumsBytes * group) / 8]).toBe(own.length)
        expect(readDoubleDouble(kernel.memory, opened.sums + groupSumsBytes * group + 8), `up to ${count} rows, group ${group}`).toBe(exactSum(own))
      }
    }
  })

  it('hold of the most rows with the greatest values', () => {
    const kernel = openTestKernel(kind, 64 * 1024 * 1024), opened = open(kernel), count = 2 ** 13, rows = 2 ** 20
    for (const value of [10485.75, -10485.75]) {
      const numbers = kernel.heap.allocate(4 * count), chunk = putChunk(kernel, { kind: 'f64', rows: Array.from({ length: count }, (_, row) => (row === 0 ? value - Math.sign(value) / 100 : value)) })
      kernel.memory.u32.fill(3, numbers / 4, numbers / 4 + count)
      for (let added = 0; added < rows; added += count) expect(kernel.exports.scanGroupedNarrow(numbers, chunk, 0, groupCount, opened.narrow, opened.scratch)).toBe(0)
      const before = readDoubleDouble(kernel.memory, opened.sums + groupSumsBytes * 3 + 8)
      kernel.exports.scanGroupedNarrowTake(opened.narrow, groupCount, 2, opened.sums)
      // Doubles times a number of up to 20 bits are exact in two parts.
      const one = exactSum([...Array.from({ length: count - 1 }, () => value), value - Math.sign(value) / 100])
      expect(before + one * (rows / count)).toBe(readDoubleDouble(kernel.memory, opened.sums + groupSumsBytes * 3 + 8))
    }
    expect(kernel.memory.f64[(opened.sums + groupSumsBytes * 3) / 8]).toBe(2 * rows)
  })

  it.each([
    ['nulls', (rows: Rows): Rows => ({ ...rows, values: rows.values.with(7, null) })],
    ['a value that is no decimal', (rows: Rows): Rows => ({ ...rows, values: rows.values.with(7, Math.PI) })],
    ['an integer of 21 bits', (rows: Rows): Rows => ({ ...rows, values: rows.values.with(7, 2 ** 20 / 100) })],
    ['the least integer of 21 bits', (rows: Rows): Rows => ({ ...rows, values: rows.values.with(7, -(2 ** 20) / 100) })],
    ['six decimals', (rows: Rows): Rows => ({ ...rows, values: rows.values.map((_, row) => (row % 9) / 1e6) })],
    ['tens', (rows: Rows): Rows => ({ ...rows, values: rows.values.map((_, row) => 1e6 * (row % 9)) })],
    ['few selected rows', (rows: Rows): Rows => ({ ...rows, selected: rows.values.map((_, row) => row % 3 === 0) })],
  ])('refuse %s and take nothing', (_, change) => {
    const kernel = openTestKernel(kind), opened = open(kernel), rows = change(randomRows(3000, 2, false))
    expect(add(kernel, opened, rows)).toBe(-1)
    expect(kernel.exports.scanNarrowExponent(putChunk(kernel, { kind: 'f64', rows: rows.values }))).toBe(rows.selected === undefined ? -1 : 2)
    expect(takeBytes(kernel, opened.narrow, narrowSumBytes * groupCount).every((byte) => byte === 0)).toBe(true)
  })
})

it.each([0, 2, 5])('gives the same bytes under both kinds (%i digits)', (digits) => {
  const [wasm, js] = kinds.map((kind) => {
    const kernel = openTestKernel(kind), opened = open(kernel)
    for (const isSelected of [false, true]) add(kernel, opened, randomRows(2151, digits, isSelected))
    const narrow = Buffer.from(takeBytes(kernel, opened.narrow, narrowSumBytes * groupCount)).toString('hex')
    kernel.exports.scanGroupedNarrowTake(opened.narrow, groupCount, digits, opened.sums)
    return [narrow, bytesOf(kernel, opened)]
  })
  expect(wasm).toEqual(js)
})

it.each([
  ['nothing', []],
  ['finite sums', [1e-9, -12345.678, 7e300]],
  ['sums that are not finite', [Infinity, 5, -Infinity, NaN, 1, 2]],
])('come to the same bytes under both kinds, added to %s and of groups without rows', (_, sumsBefore) => {
  const [wasm, js] = kinds.map((kind) => {
    const kernel = openTestKernel(kind), opened = open(kernel), { f64 } = kernel.memory
    sumsBefore.forEach((sum, group) => f64.set([3, sum, Number.isFinite(sum) ? sum * 2 ** -60 : 0], (opened.sums + groupSumsBytes * group) / 8))
    const rows = randomRows(500, 2, false), withRows = [0, 2, 3, 4, 17, groupCount - 1]
    add(kernel, opened, { ...rows, groups: rows.groups.map((group) => withRows[group % withRows.length]!) })
    kernel.exports.scanGroupedNarrowTake(opened.narrow, groupCount, 2, opened.sums)
    for (let group = 0; group < groupCount; group++) expect(f64[(opened.sums + groupSumsBytes * group) / 8]! > 3, `group ${group} has rows`).toBe(withRows.includes(group))
    expect(takeBytes(kernel, opened.narrow, narrowSumBytes * groupCount).every((byte) => byte === 0), 'it starts anew').toBe(true)
    return bytesOf(kernel, opened)
  })
  expect(wasm).toBe(js)
})
