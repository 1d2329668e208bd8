import { describe, expect, it } from 'vitest'
import { createGrouping } from '../../../src/kernel/grouping/grouping.ts'
import { accumulatorBytes, groupSumsBytes, scanKind } from '../../../src/kernel/scan.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { fullTests, kinds, openTestKernel, putBits, takeBits } from '../both-kinds.ts'
import { randomNulls, shapes } from '../random-columns.ts'
import { putVector, randomColumn } from '../scan-columns.ts'

const MiB = 1024 * 1024
const streams: Readonly<Record<string, (page: number, random: ReturnType<typeof seededRandom>) => bigint>> = {
  'close together': (_, random) => BigInt(random.below(3000)),
  'ever wider': (page, random) => BigInt(random.below(1000 * 3 ** page) - 500 * 3 ** page),
  'too far apart': (page, random) => BigInt(random.below(10)) * 2n ** 40n + BigInt(page),
  'at the end of the safe integers': (_, random) => 2n ** 53n - BigInt(random.below(2000)),
  'at both ends of all': (page, random) => (page % 2 === 0 ? 2n ** 63n - 1n : -(2n ** 63n)) - BigInt(random.below(3)) * (page % 2 === 0 ? 1n : -1n),
}

describe.each(kinds)('groups of integers, %s', (kind) => {
  it.each(Object.entries(streams))('%s, with nulls and selections, are those of their values', (_, value) => {
    for (let seed = 0; seed < (fullTests ? 20 : 3); seed++) {
      const kernel = openTestKernel(kind, 32 * MiB), random = seededRandom(seed), { heap, memory } = kernel
      const before = heap.usedBytes
      const grouping = createGrouping(kernel, ['i64']), groupOf = new Map<bigint | null, number>()
      for (let page = 0; page < 9; page++) {
        const count = [0, 1, 63, 64, 65, 1000, 1024][random.below(7)]!
        const rows = Array.from({ length: count }, () => (random.below(9) === 0 && page % 3 > 0 ? null : value(page, random)))
        const selected = random.below(2) === 0 ? undefined : randomNulls(random, count, 50)
        const groups = heap.allocate(4 * count), vector = putVector(kernel, { kind: 'i64', rows }), selection = selected === undefined ? 0 : putBits(kernel, selected)
        grouping.assign([vector], selection, count, groups)
        rows.forEach((each, row) => {
          if (selected !== undefined && !selected[row]) return
          const group = memory.u32[groups / 4 + row]!
          if ((groupOf.get(each) ?? group) !== group) expect.fail(`seed ${seed}, page ${page}: ${each} is in group ${group} and ${groupOf.get(each)}`)
          groupOf.set(each, group)
        })
        if (new Set(groupOf.values()).size !== groupOf.size) expect.fail(`seed ${seed}, page ${page}: two values in one group`)
        expect(grouping.groupCount, `seed ${seed}`).toBe(groupOf.size)
        for (const pointer of [groups, vector.values, vector.nulls, selection]) if (pointer !== 0) heap.free(pointer)
      }
      grouping.close()
      expect(heap.usedBytes - before).toBe(0)
    }
  })

  it('finds what it was taught, and tells of the rest', () => {
    const kernel = openTestKernel(kind, MiB), { exports, heap, memory } = kernel
    const rows = [10n, null, 9n, 13n, 14n, 11n, 10n, -(2n ** 63n), 2n ** 63n - 1n, ...Array.from({ length: 61 }, (_, i) => 10n + BigInt(i % 4))]
    const count = rows.length, groups = heap.allocate(4 * count), index = heap.allocate(4 * 6), missed = heap.allocate(16)
    memory.u8.fill(0, index, index + 24)
    const { values, nulls } = putVector(kernel, { kind: 'i64', rows })
    expect(exports.scanGroupsDense(index, 10, 4, values, nulls, 0, count, groups, missed)).toBe(count)
    const taught = putBits(kernel, rows.map((_, row) => row !== 0 && row < 6))
    for (let row = 0; row < count; row++) memory.u32[groups / 4 + row] = 100 + row
    exports.scanGroupsDenseLearn(index, 10, 4, values, nulls, taught, count, groups)
    expect([...memory.u32.subarray(index / 4, index / 4 + 6)]).toEqual([0, 106, 0, 104, 102, 0])
    const known = new Map<bigint | null, number>([[11n, 105], [13n, 103], [null, 101]])
    expect(exports.scanGroupsDense(index, 10, 4, values, nulls, 0, count, groups, missed)).toBe(rows.filter((row) => !known.has(row)).length)
    expect(takeBits(kernel, missed, count)).toEqual(rows.map((row) => !known.has(row)))
    rows.forEach((row, i) => known.has(row) && expect(memory.u32[groups / 4 + i]).toBe(known.get(row)))
    // The same without nulls, whole words at once.
    const plain = putVector(kernel, { kind: 'i64', rows: rows.map((row) => row ?? 0n) })
    expect(exports.scanGroupsDense(index, 10, 4, plain.values, 0, 0, count, groups, missed)).toBe(rows.filter((row) => row === null || !known.has(row)).length)
    expect(takeBits(kernel, missed, count)).toEqual(rows.map((row) => row === null || !known.has(row)))
  })

  it.each(['i64', 'f64'] as const)('sums of %s are those of whole accumulators', (valueKind) => {
    for (let seed = 0; seed < 3 * shapes.length; seed++) {
      const kernel = openTestKernel(kind, 4 * MiB), random = seededRandom(seed), { exports, heap, memory } = kernel
      const count = [64, 130, 1000][seed % 3]!, groupCount = 5
      const { values, nulls } = putVector(kernel, randomColumn(random, valueKind, shapes[seed % shapes.length]!, count, (seed % 2) * 20))
      const selection = random.below(2) === 0 ? 0 : putBits(kernel, randomNulls(random, count, 60))
      const groups = heap.allocate(4 * count), whole = heap.allocate(accumulatorBytes * groupCount), sums = heap.allocate(groupSumsBytes * groupCount)
      for (let row = 0; row < count; row++) memory.u32[groups / 4 + row] = random.below(groupCount)
      exports.scanGroupedInit(whole, 0, groupCount, scanKind[valueKind])
      memory.u8.fill(0, sums, sums + groupSumsBytes * groupCount)
      exports[valueKind === 'i64' ? 'scanGroupedI64' : 'scanGroupedF64'](groups, values, nulls, count, selection, whole)
      exports[valueKind === 'i64' ? 'scanGroupedSumsI64' : 'scanGroupedSumsF64'](groups, values, nulls, count, selection, sums)
      const words = (address: number, from: number, to: number): bigint[] => [...memory.u64.subarray(address / 8 + from, address / 8 + to)]
      for (let group = 0; group < groupCount; group++) {
        const full = whole + accumulatorBytes * group
        expect(words(sums + groupSumsBytes * group, 0, 3), `seed ${seed}`).toEqual([...words(full, 0, 1), ...words(full, 3, 5)])
      }
      // Merged into themselves in another order, with a carry from the low half of an integer's sum.
      const map = heap.allocate(4 * groupCount)
      memory.u32.set([3, 0, 4, 1, 2], map / 4)
      const [wholeFrom, sumsFrom] = [heap.allocate(accumulatorBytes * groupCount), heap.allocate(groupSumsBytes * groupCount)]
      memory.u8.copyWithin(wholeFrom, whole, whole + accumulatorBytes * groupCount)
      memory.u8.copyWithin(sumsFrom, sums, sums + groupSumsBytes * groupCount)
      for (const mapped of [map, 0]) {
        exports.scanGroupedMerge(whole, wholeFrom, mapped, groupCount, scanKind[valueKind])
        exports.scanGroupedSumsMerge(sums, sumsFrom, mapped, groupCount, scanKind[valueKind])
      }
      for (let group = 0; group < groupCount; group++) {
        const full = whole + accumulatorBytes * group
        expect(words(sums + groupSumsBytes * group, 0, 3), `seed ${seed}, merged`).toEqual([...words(full, 0, 1), ...words(full, 3, 5)])
      }
    }
  })
})
