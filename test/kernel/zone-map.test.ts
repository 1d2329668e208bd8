import { describe, expect, it } from 'vitest'
import { comparison, readDoubleDouble, readI128, textPrefix } from '../../src/kernel/zone-map.ts'
import type { Comparison } from '../../src/kernel/zone-map.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { fullTests, kinds, openTestKernel, putBits, putBytes, putF64, putI64, putRefs, takeBytes } from './both-kinds.ts'
import { allComparisons, compareValues, randomF64, randomI64, randomNulls, randomText, rowCounts, satisfies, shapes } from './random-columns.ts'

type Value = bigint | number | Uint8Array
type Column = readonly (Value | null)[]
type Kind = 'i64' | 'f64' | 'bytes'
const kindNumbers: Record<Kind, number> = { i64: 1, f64: 2, bytes: 3 }

/** Writes the vector and computes its 48 bytes of statistics. */
function compute(kernel: Kernel, kind: Kind, column: Column): number {
  const { heap, exports } = kernel
  const out = heap.allocate(48), count = column.length
  const nulls = column.includes(null) ? putBits(kernel, column.map((value) => value === null)) : 0
  if (kind === 'i64') exports.zoneMapComputeI64(putI64(kernel, column.map((value) => (value ?? 0n) as bigint)), nulls, count, out)
  else if (kind === 'f64') exports.zoneMapComputeF64(putF64(kernel, column.map((value) => (value ?? 0) as number)), nulls, count, out)
  else exports.zoneMapComputeBytes(putRefs(kernel, column.map((value) => (value ?? new Uint8Array(0)) as Uint8Array)), nulls, count, out)
  return out
}

function extremes(column: Column): { min: Value; max: Value } | undefined {
  const present = column.filter((value): value is Value => value !== null)
  if (present.length === 0) return undefined
  return { min: present.reduce((a, b) => (compareValues(b, a) < 0 ? b : a)), max: present.reduce((a, b) => (compareValues(b, a) > 0 ? b : a)) }
}

function randomColumn(random: Random, kind: Kind, count: number): Column {
  const shape = shapes[random.below(shapes.length)]!
  const nulls = randomNulls(random, count, [0, 0, 20, 90, 100][random.below(5)]!)
  const value = { i64: randomI64, f64: randomF64, bytes: randomText }[kind](random, shape)
  return Array.from({ length: count }, (_, row) => (nulls[row] ? null : value(row)))
}

/** Lays statistics of several row groups out as a footer has them. */
function layOut({ heap, memory }: Kernel, statistics: readonly number[]): number {
  const n = statistics.length, padded = Math.ceil(n / 2) * 8
  const map = heap.allocate(32 * n + padded)
  statistics.forEach((from, i) => {
    memory.u8.copyWithin(map + 8 * i, from, from + 8)
    memory.u8.copyWithin(map + 8 * (n + i), from + 8, from + 16)
    memory.u8.copyWithin(map + 16 * n + 4 * i, from + 16, from + 20)
    memory.u8.copyWithin(map + 16 * n + padded + 16 * i, from + 24, from + 40)
  })
  return map
}

interface Term {
  readonly map: number
  readonly kind: Kind
  readonly op: Comparison
  readonly constant: Value
}

function prune({ heap, memory, exports }: Kernel, terms: readonly Term[], rows: readonly number[]): { kept: number; states: number[] } {
  const records = heap.allocate(32 * Math.max(1, terms.length)), counts = heap.allocate(4 * rows.length), out = heap.allocate(rows.length)
  memory.u32.set(rows, counts / 4)
  terms.forEach(({ map, kind, op, constant }, i) => {
    const at = records + 32 * i
    memory.u32.set([map, kindNumbers[kind], comparison[op], constant instanceof Uint8Array && constant.length > 8 ? 1 : 0], at / 4)
    if (constant instanceof Uint8Array) memory.u64[at / 8 + 2] = textPrefix(constant)
    else if (typeof constant === 'bigint') memory.i64[at / 8 + 2] = constant
    else memory.f64[at / 8 + 2] = constant
  })
  const kept = exports.zoneMapPrune(records, terms.length, counts, rows.length, out)
  return { kept, states: [...takeBytes({ memory } as Kernel, out, rows.length)] }
}

describe.each(kinds)('zone map kernels, %s', (kind) => {
  it('computes extremes, null counts and exact sums', () => {
    const random = seededRandom(31)
    for (const count of rowCounts) {
      for (const shape of shapes) {
        const kernel = openTestKernel(kind, 4 * 1024 * 1024), { memory } = kernel
        for (const percent of [0, 10, 95, 100]) {
          const where = `${shape} × ${count}, ${percent} % null`
          const nulls = randomNulls(random, count, percent)
          const make = randomI64(random, shape)
          const column = Array.from({ length: count }, (_, row) => (nulls[row] ? null : make(row)))
          const out = compute(kernel, 'i64', column)
          const expected = extremes(column)
          expect([memory.i64[out / 8], memory.i64[out / 8 + 1]], where).toEqual([expected?.min ?? 0n, expected?.max ?? 0n])
          expect([memory.u32[out / 4 + 4], memory.u32[out / 4 + 5]]).toEqual([column.filter((value) => value === null).length, 0])
          expect(readI128(memory, out + 24), where).toBe(column.reduce<bigint>((sum, value) => sum + (value ?? 0n), 0n))

          const texts = Array.from({ length: count }, (_, row) => (nulls[row] ? null : randomText(random, shape)(row)))
          const textOut = compute(kernel, 'bytes', texts)
          const ends = extremes(texts) as { min: Uint8Array; max: Uint8Array } | undefined
          expect([memory.u64[textOut / 8], memory.u64[textOut / 8 + 1]], where).toEqual([textPrefix(ends?.min ?? new Uint8Array(0)), textPrefix(ends?.max ?? new Uint8Array(0))])
          const row = (value: Uint8Array | undefined): number => (value === undefined ? 0xffffffff : texts.findIndex((each) => each !== null && Buffer.compare(each, value) === 0))
          expect([memory.u32[textOut / 4 + 10], memory.u32[textOut / 4 + 11]], where).toEqual([row(ends?.min), row(ends?.max)])
        }
      }
    }
  })

  it('orders NaN above all numbers, keeps zero positive and sums doubles without losing their low bits', () => {
    const kernel = openTestKernel(kind), { memory } = kernel
    const statistics = (column: Column): number[] => {
      const out = compute(kernel, 'f64', column)
      return [memory.f64[out / 8]!, memory.f64[out / 8 + 1]!, memory.u32[out / 4 + 4]!, readDoubleDouble(memory, out + 24)]
    }
    expect(statistics([1, Number.NaN, -2, null])).toEqual([-2, Number.NaN, 1, Number.NaN])
    expect(statistics([Number.NaN, Number.NaN])).toEqual([Number.NaN, Number.NaN, 0, Number.NaN])
    expect(statistics([-0, -0])).toEqual([0, 0, 0, 0])
    expect(statistics([null, null])).toEqual([0, 0, 2, 0])
    expect(statistics([Infinity, 5, 7])).toEqual([5, Infinity, 0, Infinity])
    expect(statistics([Infinity, -Infinity])).toEqual([-Infinity, Infinity, 0, Number.NaN])
    expect(statistics([1e100, 1, -1e100])).toEqual([-1e100, 1e100, 0, 1])
    expect(statistics(Array.from({ length: 1000 }, () => 0.1))).toEqual([0.1, 0.1, 0, 100])
    const cents = Array.from({ length: 100_000 }, (_, i) => (i % 1000) / 100)
    expect(statistics(cents)[3]).toBe(499_500)
  })

  it('prunes conjunctions rightly: never a wrong 0, never a wrong 2, and exactly for numbers', () => {
    const rounds = fullTests ? 3000 : 250
    for (let seed = 0; seed < rounds; seed++) {
      const random = seededRandom(seed), kernel = openTestKernel(kind, 2 * 1024 * 1024)
      const columnKinds: readonly Kind[] = (['i64', 'f64', 'bytes'] as const).filter(() => random.below(2) === 0)
      const groups = Array.from({ length: 1 + random.below(6) }, () => {
        const count = random.below(8) === 0 ? 0 : 1 + random.below(random.below(2) === 0 ? 3 : 80)
        return { count, columns: columnKinds.map((each) => randomColumn(random, each, count)) }
      })
      const predicate = columnKinds.map((each, i) => {
        const constants = groups.flatMap((group) => group.columns[i]!).filter((value) => value !== null)
        const own = { i64: randomI64(random, 'extreme'), f64: randomF64(random, 'extreme'), bytes: randomText(random, 'extreme') }[each](0)
        const constant = constants.length > 0 && random.below(3) > 0 ? constants[random.below(constants.length)]! : own
        return { kind: each, op: allComparisons[random.below(allComparisons.length)]!, constant, map: layOut(kernel, groups.map((group) => compute(kernel, each, group.columns[i]!))) }
      })
      const { kept, states } = prune(kernel, predicate, groups.map((group) => group.count))
      expect(kept).toBe(states.filter((state) => state > 0).length)
      groups.forEach(({ count, columns }, g) => {
        const matches = Array.from({ length: count }, (_, row) => predicate.every(({ op, constant }, i) => satisfies(columns[i]![row]!, op, constant)))
        const where = `seed ${seed}, row group ${g}`
        if (states[g] === 0) expect(matches, where).not.toContain(true)
        if (states[g] === 2) expect(matches, where).not.toContain(false)
        if (count === 0) expect(states[g], where).toBe(0)
        if (predicate.length === 1 && columnKinds[0] !== 'bytes' && count > 0) {
          const { op, constant } = predicate[0]!, ends = extremes(columns[0]!)
          const outside = ends !== undefined && (compareValues(constant, ends.min) < 0 || compareValues(constant, ends.max) > 0)
          if (op === 'eq' && outside) expect(states[g], where).toBe(0)
          if (op !== 'eq' && op !== 'ne' && !matches.includes(true)) expect(states[g], where).toBe(0)
          if (op !== 'eq' && op !== 'ne' && !matches.includes(false)) expect(states[g], where).toBe(2)
        }
      })
    }
  })

  it('takes a column that the file does not have as null in every row, and no terms as true', () => {
    const kernel = openTestKernel(kind, 1024 * 1024)
    const term = (op: Comparison): Term => ({ map: 0, kind: 'i64', op, constant: 1n })
    expect(prune(kernel, [term('isNull')], [5, 0])).toEqual({ kept: 1, states: [2, 0] })
    expect(prune(kernel, [term('isNotNull')], [5]).states).toEqual([0])
    expect(prune(kernel, [term('ne')], [5]).states).toEqual([0])
    expect(prune(kernel, [], [5, 0, 3]).states).toEqual([2, 0, 2])
  })

  it('decides texts by different prefixes, and keeps those of equal ones', () => {
    const kernel = openTestKernel(kind, 1024 * 1024)
    const text = (value: string): Uint8Array => new TextEncoder().encode(value)
    const map = layOut(kernel, [compute(kernel, 'bytes', [text('abcdefghZZ'), text('miller')])])
    const state = (op: Comparison, constant: string): number => prune(kernel, [{ map, kind: 'bytes', op, constant: text(constant) }], [2]).states[0]!
    expect([state('eq', 'zz'), state('eq', 'miller'), state('eq', 'a')]).toEqual([0, 1, 0])
    expect([state('ne', 'zz'), state('ne', 'miller')]).toEqual([2, 1])
    expect([state('lt', 'abcdefgh'), state('lt', 'abcdefghZZ'), state('lt', 'n')]).toEqual([0, 1, 2])
    expect([state('ge', 'abcdefgh'), state('ge', 'abcdefghZ'), state('ge', 'miller'), state('ge', 'millez')]).toEqual([2, 1, 1, 0])
    const short = layOut(kernel, [compute(kernel, 'bytes', [text('abc'), text('abc')])])
    const shortState = (op: Comparison): number => prune(kernel, [{ map: short, kind: 'bytes', op, constant: text('abc\0') }], [2]).states[0]!
    expect([shortState('lt'), shortState('ge'), shortState('eq'), shortState('ne')]).toEqual([1, 1, 1, 1])
    expect([state('gt', 'abcd'), state('gt', 'abcdefgh'), state('le', 'abcdefg'), state('le', 'n')]).toEqual([2, 1, 0, 2])
  })
})

/** First keys of row groups as a footer has them. */
function layOutFirstKeys(kernel: Kernel, keys: readonly Uint8Array[]): { readonly prefixes: number; readonly refs: number; readonly texts: number; readonly shared: number } {
  const { heap, memory } = kernel, texts = putBytes(kernel, Buffer.concat(keys)), prefixes = heap.allocate(8 * keys.length), refs = heap.allocate(8 * keys.length)
  const first = keys[0]!
  const shared = first.findIndex((byte, i) => keys.some((key) => key[i] !== byte)), sharedBytes = shared < 0 ? first.length : shared
  let offset = 0
  for (const [i, key] of keys.entries()) {
    const behind = Buffer.alloc(8)
    behind.set(key.subarray(sharedBytes, sharedBytes + 8))
    memory.u32.set([behind.readUInt32BE(0), behind.readUInt32BE(4)], prefixes / 4 + 2 * i)
    memory.u32.set([offset, key.length], refs / 4 + 2 * i)
    offset += key.length
  }
  return { prefixes, refs, texts, shared: sharedBytes }
}

it.each(kinds)('finds the row group that a key would be in (%s)', (kind) => {
  for (let seed = 0; seed < (fullTests ? 2000 : 200); seed++) {
    const random = seededRandom(seed), kernel = openTestKernel(kind, 1 << 20)
    const begin = Buffer.from(['', 'all', 'all keys begin alike', '\0\0'][random.below(4)]!)
    const randomKey = (): Buffer => Buffer.concat([random.below(8) === 0 ? begin.subarray(0, random.below(begin.length + 1)) : begin, Buffer.from(Array.from({ length: random.below(12) }, () => [0, 1, 97, 255][random.below(random.below(3) === 0 ? 4 : 1)]!))])
    const keys = [...new Map(Array.from({ length: 1 + random.below(30) }, () => randomKey()).map((key) => [key.toString('hex'), key])).values()].sort((a, b) => Buffer.compare(a, b))
    const { prefixes, refs, texts, shared } = layOutFirstKeys(kernel, keys)
    for (const key of [...keys, ...Array.from({ length: 20 }, randomKey), Buffer.alloc(0), Buffer.alloc(30, 255)]) {
      const expected = keys.filter((first) => Buffer.compare(first, key) <= 0).length - 1
      expect(kernel.exports.zoneMapRowGroupOf(prefixes, refs, texts, keys.length, shared, putBytes(kernel, key), key.length), `seed ${seed}, ${key.toString('hex')}`).toBe(expected)
      expect(kernel.exports.zoneMapRowGroupOf(prefixes, refs, texts, 0, 0, putBytes(kernel, key), key.length), 'of no row groups').toBe(-1)
    }
  }
})

it('computes the same bytes under both kinds', () => {
  for (let seed = 0; seed < 60; seed++) {
    const bytes = kinds.map((kind) => {
      const random = seededRandom(seed), kernel = openTestKernel(kind, 4 * 1024 * 1024)
      return (['i64', 'f64', 'bytes'] as const).map((each) => {
        const out = compute(kernel, each, randomColumn(random, each, rowCounts[random.below(rowCounts.length)]!))
        return Buffer.from(takeBytes(kernel, out, each === 'bytes' ? 48 : 40)).toString('hex')
      })
    })
    expect(bytes[0], `seed ${seed}`).toEqual(bytes[1])
  }
})
