import { describe, expect, it } from 'vitest'
import { createGroupAccumulators } from '../../src/kernel/grouping/accumulators.ts'
import { createGrouping } from '../../src/kernel/grouping/grouping.ts'
import type { GroupAccumulators } from '../../src/kernel/grouping/accumulators.ts'
import type { Grouping } from '../../src/kernel/grouping/grouping.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { accumulatorBytes, scanKind } from '../../src/kernel/scan.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { fullTests, kinds, openTestKernel, putBits, takeBits, takeBytes } from './both-kinds.ts'
import { randomNulls, shapes } from './random-columns.ts'
import { aggregateDifference, naiveAggregate, putChunk, putVector, randomColumn, readAccumulator } from './scan-columns.ts'
import type { Column, ColumnKind, Value } from './scan-columns.ts'

const MiB = 1024 * 1024

/** One form for keys that GROUP BY holds equal. */
function keyText(value: Value | null): string {
  if (value === null) return 'NULL'
  if (value instanceof Uint8Array) return `'${Buffer.from(value).toString('hex')}'`
  return typeof value === 'number' ? `f${value + 0}` : `i${value}`
}

interface Page {
  readonly keys: readonly Column[]
  readonly value: Column
  readonly selected: readonly boolean[] | undefined
}

/** Values of each group, with NULLs, by key. */
function naiveGroups(pages: readonly Page[]): Map<string, (Value | null)[]> {
  const groups = new Map<string, (Value | null)[]>()
  for (const { keys, value, selected } of pages) {
    value.rows.forEach((each, row) => {
      if (selected !== undefined && !selected[row]) return
      const key = keys.map((column) => keyText(column.rows[row]!)).join('|')
      const rows = groups.get(key) ?? []
      rows.push(each)
      groups.set(key, rows)
    })
  }
  return groups
}

interface Sums {
  readonly rows: GroupAccumulators
  readonly values: GroupAccumulators
}

/** Adds a page: groups its rows, counts them, aggregates the value column. */
function addPage(kernel: Kernel, grouping: Grouping, sums: Sums, page: Page): void {
  const { exports, heap } = kernel, count = page.value.rows.length
  const selection = page.selected === undefined ? 0 : putBits(kernel, page.selected), groups = heap.allocate(4 * count)
  grouping.assign(page.keys.map((column) => putVector(kernel, column)), selection, count, groups)
  for (const each of [sums.rows, sums.values]) each.ensure(grouping.groupCount)
  const value = putVector(kernel, page.value)
  exports.scanGroupedCount(groups, 0, count, selection, sums.rows.address)
  exports[sums.values.kind === 'i64' ? 'scanGroupedI64' : 'scanGroupedF64'](groups, value.values, value.nulls, count, selection, sums.values.address)
}

function readKey({ memory }: Kernel, kind: ColumnKind, values: number, group: number): Value {
  if (kind === 'i64') return memory.i64[values / 8 + group]!
  if (kind === 'f64') return memory.f64[values / 8 + group]!
  const address = memory.u32[values / 4 + 2 * group] ?? 0
  return memory.u8.slice(address, address + (memory.u32[values / 4 + 2 * group + 1] ?? 0))
}

function expectGroups(kernel: Kernel, grouping: Grouping, sums: Sums, expected: Map<string, (Value | null)[]>, where: string): void {
  const count = grouping.groupCount
  const keys = grouping.keys(0, count)
  const nulls = keys.vectors.map((vector) => takeBits(kernel, vector.nulls, count))
  const seen = new Set<string>()
  for (let group = 0; group < count; group++) {
    const key = keys.vectors.map((vector, column) => keyText(nulls[column]![group] ? null : readKey(kernel, grouping.kinds[column]!, vector.values, group))).join('|')
    const rows = expected.get(key) ?? []
    const actual = readAccumulator(kernel, sums.values.address + accumulatorBytes * group, sums.values.kind)
    const counted = kernel.memory.f64[(sums.rows.address + accumulatorBytes * group) / 8]
    // Thousands of groups: the assertion library is only asked where something differs.
    if (counted !== rows.length) expect(counted, `${where}: COUNT(*) of ${key}`).toBe(rows.length)
    const difference = aggregateDifference(actual, naiveAggregate(sums.values.kind, rows))
    if (difference !== undefined) expect.fail(`${where}: ${key}: ${difference}`)
    seen.add(key)
  }
  expect(seen.size, where).toBe(expected.size)
  keys.free()
}

function openSums(kernel: Kernel, kind: 'i64' | 'f64'): Sums {
  return { rows: createGroupAccumulators(kernel, 'i64'), values: createGroupAccumulators(kernel, kind) }
}

function randomPage(seed: number, keyKinds: readonly ColumnKind[], valueKind: 'i64' | 'f64'): Page {
  const random = seededRandom(seed), count = [0, 1, 7, 8, 1023, 1024, 1025, fullTests ? 5000 : 1500][random.below(8)]!
  const shape = (): (typeof shapes)[number] => shapes[random.below(shapes.length)]!
  return {
    keys: keyKinds.map((kind) => randomColumn(random, kind, shape(), count, random.below(3) * 20)),
    value: randomColumn(random, valueKind, shape(), count, random.below(3) * 20),
    selected: random.below(2) === 0 ? undefined : randomNulls(random, count, 70),
  }
}

const keySets: readonly (readonly ColumnKind[])[] = [['i64'], ['f64'], ['bytes'], ['i64', 'bytes'], ['bytes', 'f64', 'i64']]

describe.each(kinds)('grouped aggregation, %s', (kind) => {
  it.each(keySets.map((keys) => ({ keys })))('groups by $keys over pages, growing as needed, and merges partial results', ({ keys }) => {
    for (let seed = 0; seed < (fullTests ? 60 : 6); seed++) {
      const valueKind = seed % 2 === 0 ? 'i64' : 'f64'
      const kernel = openTestKernel(kind, 64 * MiB), { exports, heap } = kernel
      const pages = Array.from({ length: 4 }, (_, page) => randomPage(1000 * seed + page, keys, valueKind))
      const parts = [pages.slice(0, 3), pages.slice(3)].map((some) => {
        const grouping = createGrouping(kernel, keys), sums = openSums(kernel, valueKind)
        for (const page of some) addPage(kernel, grouping, sums, page)
        expectGroups(kernel, grouping, sums, naiveGroups(some), `seed ${seed}`)
        return { grouping, sums }
      })
      const [into, from] = [parts[0]!, parts[1]!]
      const map = into.grouping.merge(from.grouping.tables())
      for (const name of ['rows', 'values'] as const) {
        into.sums[name].ensure(into.grouping.groupCount)
        exports.scanGroupedMerge(into.sums[name].address, from.sums[name].address, map, from.grouping.groupCount, scanKind[into.sums[name].kind])
      }
      heap.free(map)
      expectGroups(kernel, into.grouping, into.sums, naiveGroups(pages), `seed ${seed}, merged`)
      for (const { grouping, sums } of parts) for (const each of [grouping, sums.rows, sums.values]) each.close()
    }
  })

  it('fills rows with one number, and no others', () => {
    const kernel = openTestKernel(kind, MiB), { exports, heap, memory } = kernel
    for (const count of [0, 1, 3, 4, 5, 64, 1027]) {
      const at = heap.allocate(4 * count + 8)
      memory.u32.fill(7, at / 4, at / 4 + count + 2)
      exports.scanGroupsFill(at + 4, count, 0x8000_0001)
      expect([...memory.u32.subarray(at / 4, at / 4 + count + 2)]).toEqual([7, ...Array.from({ length: count }, () => 0x8000_0001), 7])
    }
  })

  it('groups a dictionary chunk by its codes, hashing entries instead of rows', () => {
    const random = seededRandom(12)
    for (const shape of ['small', 'runs', 'constant'] as const) {
      for (const nullPercent of [0, 20]) {
        const kernel = openTestKernel(kind, 8 * MiB), { exports, heap, memory } = kernel
        const column = randomColumn(random, 'bytes', shape, 3000, nullPercent), chunk = putChunk(kernel, column)
        const codes = heap.allocate(4 * 3000)
        for (const [first, count] of [[0, 3000], [1024, 1024], [2048, 952], [8, 3]] as const) {
          const entries = exports.scanGroupsCodes(chunk, first, count, codes)
          expect(entries, shape).toBeGreaterThan(0)
          const refs = heap.allocate(8 * (entries + 1)), nulls = heap.allocate(Math.ceil((entries + 1) / 64) * 8)
          expect(exports.scanGroupsEntries(chunk, refs, nulls)).toBe(entries)
          const selected = randomNulls(random, count, 60), selection = putBits(kernel, selected)
          const used = heap.allocate(Math.ceil((entries + 1) / 64) * 8)
          memory.u8.fill(0, used, used + Math.ceil((entries + 1) / 64) * 8)
          exports.scanGroupsUsed(codes, selection, count, used)
          const grouping = createGrouping(kernel, ['bytes']), map = heap.allocate(4 * (entries + 1))
          grouping.assign([{ values: refs, nulls }], used, entries + 1, map)
          exports.scanGroupsMap(codes, selection, count, map)
          const keys = grouping.keys(0, grouping.groupCount), nullKeys = takeBits(kernel, keys.vectors[0]!.nulls, grouping.groupCount)
          const rows = column.rows.slice(first, first + count)
          expect(grouping.groupCount).toBe(new Set(rows.filter((_, row) => selected[row]).map((value) => keyText(value))).size)
          rows.forEach((value, row) => {
            if (!selected[row]) return
            const group = memory.u32[codes / 4 + row]!
            expect(keyText(nullKeys[group] ? null : readKey(kernel, 'bytes', keys.vectors[0]!.values, group))).toBe(keyText(value))
          })
          grouping.close()
        }
        expect(exports.scanGroupsCodes(chunk, 4, 8, codes)).toBe(-1)
        expect(exports.scanGroupsCodes(chunk, 2992, 16, codes)).toBe(-1)
      }
    }
    const kernel = openTestKernel(kind, MiB)
    const numbers = putChunk(kernel, { kind: 'i64', rows: [1n, 2n] })
    expect([kernel.exports.scanGroupsCodes(numbers, 0, 2, 64_000), kernel.exports.scanGroupsEntries(numbers, 64_000, 64_000)]).toEqual([-1, -1])
  })

  it('leaves the heap as it was when memory runs out, and when it is closed', () => {
    const kernel = openTestKernel(kind, 2 * MiB), { heap } = kernel
    const rows = 20_000, { values } = putVector(kernel, { kind: 'i64', rows: Array.from({ length: rows }, (_, i) => BigInt(i)) })
    const groups = heap.allocate(4 * rows), before = heap.usedBytes
    const grouping = createGrouping(kernel, ['i64', 'bytes'])
    const [numbers, texts] = [{ values, nulls: 0 }, putVector(kernel, { kind: 'bytes', rows: [Buffer.from('a')] })]
    grouping.assign([numbers, texts], 0, 1, groups)
    expect(() => grouping.assign([numbers, numbers], 0, rows, groups)).toThrow(expect.objectContaining({ code: '53200' }))
    expect(grouping.keys(0, 1).vectors).toHaveLength(2)
    grouping.close()
    expect(heap.usedBytes - before).toBeLessThan(1024)
  })

  it('stops at the row that finds the table full, having written nothing past its memory', () => {
    const kernel = openTestKernel(kind, MiB), { exports, heap, memory } = kernel
    const bytes = exports.scanGroupsBytes(3, 10), table = heap.allocate(bytes + 32), groups = heap.allocate(4 * 6)
    memory.u8.fill(0x5a, table + bytes, table + bytes + 32)
    exports.scanGroupsCreate(table, scanKind.bytes, 3, 10)
    const texts = (...values: string[]): Column => ({ kind: 'bytes', rows: values.map((value) => Buffer.from(value)) })
    const assign = (column: Column, from = 0): number => {
      const { values, nulls, count } = putVector(kernel, column)
      return exports.scanGroupsAssign(table, values, nulls, 0, 0, from, count, groups)
    }
    expect(assign(texts('abcd', 'abcd', '0123456', 'x'))).toBe(2)
    expect(exports.scanGroupsCount(table)).toBe(1)
    expect(assign(texts('abcd', 'efghij', '', 'k'))).toBe(3)
    expect(exports.scanGroupsCount(table)).toBe(3)
    expect([...memory.u32.subarray(groups / 4, groups / 4 + 3)]).toEqual([0, 1, 2])
    expect(takeBytes(kernel, table + bytes, 32)).toEqual(new Uint8Array(32).fill(0x5a))
    const small = heap.allocate(exports.scanGroupsBytes(2, 10))
    exports.scanGroupsCreate(small, scanKind.bytes, 2, 10)
    expect(exports.scanGroupsCopy(table, small)).toBe(-1)
    const larger = heap.allocate(exports.scanGroupsBytes(8, 100))
    exports.scanGroupsCreate(larger, scanKind.bytes, 8, 100)
    expect(exports.scanGroupsCopy(table, larger)).toBe(0)
    const { values, count } = putVector(kernel, texts('abcd', 'efghij', '', 'k'))
    expect(exports.scanGroupsAssign(larger, values, 0, 0, 0, 3, count, groups)).toBe(4)
    expect([...memory.u32.subarray(groups / 4, groups / 4 + 4)]).toEqual([0, 1, 2, 3])
  })
})

it('builds the same tables and accumulators under both kinds', () => {
  for (let seed = 0; seed < (fullTests ? 100 : 12); seed++) {
    const [wasm, js] = kinds.map((kind) => {
      const kernel = openTestKernel(kind, 32 * MiB), keys = keySets[seed % keySets.length]!, valueKind = seed % 2 === 0 ? 'i64' : 'f64'
      const grouping = createGrouping(kernel, keys), sums = openSums(kernel, valueKind)
      for (let page = 0; page < 2; page++) addPage(kernel, grouping, sums, randomPage(77 * seed + page, keys, valueKind))
      const accumulators = takeBytes(kernel, sums.values.address, accumulatorBytes * grouping.groupCount)
      const table = grouping.tables()[0]!, slots = kernel.memory.u32[table / 4 + 1]!, groups = kernel.exports.scanGroupsCount(table)
      return { groupCount: grouping.groupCount, accumulators: Buffer.from(accumulators), table: Buffer.from(takeBytes(kernel, table, 48 + 8 * slots + 24 * groups)) }
    })
    expect(wasm!.groupCount, `seed ${seed}`).toBe(js!.groupCount)
    expect(Buffer.compare(wasm!.accumulators, js!.accumulators), `seed ${seed}`).toBe(0)
    expect(Buffer.compare(wasm!.table, js!.table), `seed ${seed}`).toBe(0)
  }
})
