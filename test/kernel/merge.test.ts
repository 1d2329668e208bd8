import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { fullTests, kinds, openTestKernel, putBits, putI64, putRefs, takeBits } from './both-kinds.ts'

type Key = bigint | Uint8Array
type Winner = readonly [run: number, row: number]

interface Run {
  readonly keys: readonly Key[]
  readonly final: boolean
  readonly start?: number
}

const compareKeys = (left: Key, right: Key): number =>
  typeof left === 'bigint' ? (left < (right as bigint) ? -1 : left > (right as bigint) ? 1 : 0) : Buffer.compare(left, right as Uint8Array)

/** What the contract says, as plainly as can be. */
function expectedMerge(runs: readonly Run[], limit: number, descending: boolean): { readonly winners: Winner[]; readonly positions: number[] } {
  const positions = runs.map((run) => run.start ?? 0)
  const winners: Winner[] = []
  const isOpen = (): boolean => runs.every((run, i) => run.final || positions[i]! < run.keys.length)
  while (isOpen() && winners.length < limit) {
    let best = -1
    for (const [i, run] of runs.entries()) {
      if (positions[i]! >= run.keys.length) continue
      const order = best < 0 ? -1 : compareKeys(run.keys[positions[i]!]!, runs[best]!.keys[positions[best]!]!)
      if (best < 0 || (descending ? order > 0 : order < 0)) best = i
    }
    if (best < 0) break
    const key = runs[best]!.keys[positions[best]!]!
    winners.push([best, positions[best]!])
    for (const [i, run] of runs.entries()) if (positions[i]! < run.keys.length && compareKeys(run.keys[positions[i]!]!, key) === 0) positions[i]!++
  }
  return { winners, positions }
}

function putKeys(kernel: Kernel, keys: readonly Key[]): number {
  return typeof keys[0] === 'bigint' ? putI64(kernel, keys as bigint[]) : putRefs(kernel, keys as Uint8Array[])
}

function merge(kernel: Kernel, runs: readonly Run[], limit: number, descending: boolean, i64: boolean): ReturnType<typeof expectedMerge> {
  const { heap, memory, exports } = kernel
  const records = heap.allocate(Math.max(1, 32 * runs.length)), out = heap.allocate(8 * limit + 8)
  memory.u32.fill(0xdeadbeef, out / 4, out / 4 + 2 * limit + 2)
  for (const [i, run] of runs.entries()) {
    memory.u32.set([putKeys(kernel, run.keys), run.start ?? 0, run.keys.length, (run.final ? 1 : 0) | (descending ? 2 : 0)], records / 4 + 8 * i)
  }
  const count = (i64 ? exports.mergeI64 : exports.mergeRefs)(records, runs.length, out, limit)
  expect(memory.u32[out / 4 + 2 * count], 'writes nothing after the winners').toBe(0xdeadbeef)
  return {
    winners: Array.from({ length: count }, (_, i): Winner => [memory.u32[out / 4 + 2 * i]!, memory.u32[out / 4 + 2 * i + 1]!]),
    positions: runs.map((_, i) => memory.u32[records / 4 + 8 * i + 1]!),
  }
}

/** `begin`: what all keys begin with, where that is to be so. */
function randomKey(random: Random, i64: boolean, begin: string): Key {
  if (i64) return (BigInt(random.below(60)) - 30n) * (random.below(4) === 0 ? 1n << 40n : random.below(8) === 0 ? 0x3_ffff_ffff_ffff_ffn : 1n)
  const shared = ['', 'shared prefix of some length ', '\0\0'][random.below(3)]!
  return Buffer.concat([Buffer.from(begin), Buffer.from(shared), Buffer.from(Array.from({ length: random.below(4) }, () => [0, 1, 97, 255][random.below(4)]!))])
}

/** Ascending, each once. */
function sortedKeys(random: Random, i64: boolean, countMax = 40, begin = ''): Key[] {
  const byText = new Map<string, Key>()
  for (let i = random.below(countMax); i > 0; i--) {
    const key = randomKey(random, i64, begin)
    byText.set(typeof key === 'bigint' ? String(key) : Buffer.from(key).toString('hex'), key)
  }
  return [...byText.values()].sort(compareKeys)
}

function randomRuns(random: Random, i64: boolean, descending: boolean): Run[] {
  const begin = ['', 'all', 'all keys begin so'][random.below(3)]!
  return Array.from({ length: random.below(random.below(4) === 0 ? 21 : 9) }, () => {
    const ascending = sortedKeys(random, i64, 30, begin), keys = descending ? ascending.reverse() : ascending
    return { keys, final: random.below(3) > 0, start: Math.min(keys.length, random.below(5) === 0 ? random.below(4) : 0) }
  })
}

describe.each(kinds)('merge (%s)', (kind) => {
  const text = (...keys: string[]): Uint8Array[] => keys.map((key) => Buffer.from(key))

  it('takes each key from the newest run that has it', () => {
    const runs = [{ keys: text('b', 'd'), final: true }, { keys: text('a', 'b', 'c', 'd', 'e'), final: true }]
    expect(merge(openTestKernel(kind), runs, 10, false, false)).toEqual({ winners: [[1, 0], [0, 0], [1, 2], [0, 1], [1, 4]], positions: [2, 5] })
  })

  it('stops when a run that is not final is exhausted, having passed over what its last row hides', () => {
    const runs = [{ keys: [1n, 3n], final: false }, { keys: [2n, 3n, 4n], final: true }, { keys: [3n, 9n], final: true }]
    expect(merge(openTestKernel(kind), runs, 10, false, true)).toEqual({ winners: [[0, 0], [1, 0], [0, 1]], positions: [2, 2, 1] })
  })

  it('merges nothing while a run that is not final has no rows', () => {
    const runs = [{ keys: [1n], final: true }, { keys: [], final: false }]
    expect(merge(openTestKernel(kind), runs, 10, false, true)).toEqual({ winners: [], positions: [0, 0] })
  })

  it('orders signed integers, and short keys before the keys that they begin', () => {
    const kernel = openTestKernel(kind)
    const integers = [{ keys: [-(2n ** 63n), -1n, 2n ** 63n - 1n], final: true }, { keys: [-2n, 0n, 1n << 32n], final: true }]
    expect(merge(kernel, integers, 10, false, true).winners).toEqual([[0, 0], [1, 0], [0, 1], [1, 1], [1, 2], [0, 2]])
    const texts = [{ keys: text('a', 'a\0\0', 'a\0\0\0\0\0\0\0b'), final: true }, { keys: text('', 'a\0', 'a\0\0\0\0\0\0\0'), final: true }]
    expect(merge(kernel, texts, 10, false, false).winners).toEqual([[1, 0], [0, 0], [1, 1], [0, 1], [1, 2], [0, 2]])
  })

  it.each([false, true])('tells the first and last keys there can be from runs that have none left (descending: %s)', (descending) => {
    const last = [Buffer.alloc(8, 0xff), Buffer.alloc(9, 0xff), Buffer.from('\xff'.repeat(7) + '\xfe', 'latin1'), Buffer.alloc(0), Buffer.alloc(3)], integers = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n - 2n, 0n, -(2n ** 63n) + 1n]
    for (const [keys, i64] of [[last, false], [integers, true]] as const) {
      for (let seed = 0; seed < 60; seed++) {
        const random = seededRandom(seed)
        const runs = Array.from({ length: 3 + random.below(6) }, () => {
          const some = (keys as readonly Key[]).filter(() => random.below(2) === 0).sort(compareKeys)
          return { keys: descending ? some.reverse() : some, final: random.below(8) > 0 }
        })
        expect(merge(openTestKernel(kind, 1 << 20), runs, 20, descending, i64), `seed ${seed}`).toEqual(expectedMerge(runs, 20, descending))
      }
    }
  })

  it.each([['i64', true], ['refs', false]] as const)('agrees with a plain merge over random runs of %s keys', (_, i64) => {
    for (let seed = 0; seed < (fullTests ? 3000 : 250); seed++) {
      const random = seededRandom(seed)
      const kernel = openTestKernel(kind, 1 << 20)
      const descending = random.below(2) === 1
      const runs = randomRuns(random, i64, descending)
      const limit = [0, 1, 5, 1000][random.below(4)]!
      expect(merge(kernel, runs, limit, descending, i64), `seed ${seed}`).toEqual(expectedMerge(runs, limit, descending))
    }
  })

  it.each([['i64', true], ['refs', false]] as const)('takes rows out of a selection whose %s keys a newer run has', (_, i64) => {
    for (let seed = 0; seed < (fullTests ? 3000 : 250); seed++) {
      const random = seededRandom(seed), kernel = openTestKernel(kind, 1 << 20)
      const { heap, memory, exports } = kernel
      const [newer, older] = [sortedKeys(random, i64), sortedKeys(random, i64)]
      const selected = older.map(() => random.below(4) > 0), start = Math.min(newer.length, random.below(3))
      const record = heap.allocate(32), selection = putBits(kernel, selected)
      memory.u32.set([putKeys(kernel, newer), start, newer.length, 1], record / 4)
      const isHit = older.map((key) => newer.slice(start).some((other) => compareKeys(other, key) === 0))
      const hidden = (i64 ? exports.mergeHideI64 : exports.mergeHideRefs)(record, putKeys(kernel, older), older.length, selection)
      expect(takeBits(kernel, selection, older.length), `seed ${seed}`).toEqual(selected.map((bit, row) => bit && !isHit[row]))
      expect(hidden).toBe(selected.filter((bit, row) => bit && isHit[row]).length)
      const last = older.at(-1), passed = last === undefined ? 0 : newer.filter((key) => compareKeys(key, last) <= 0).length
      expect(memory.u32[record / 4 + 1], `seed ${seed}`).toBe(Math.max(start, passed))
    }
  })

  it('gathers values and null bits by winner', () => {
    const kernel = openTestKernel(kind)
    const { heap, memory, exports } = kernel
    const random = seededRandom(7)
    const columns = Array.from({ length: 3 }, () => Array.from({ length: 100 }, () => BigInt(random.nextU32()) << 20n))
    const bits = Array.from({ length: 3 }, () => Array.from({ length: 100 }, () => random.below(2) === 1))
    const count = 131
    const picks = Array.from({ length: count }, (): Winner => [random.below(3), random.below(100)])
    const winners = heap.allocate(8 * count), sources = heap.allocate(16), bitmaps = heap.allocate(16)
    memory.u32.set(picks.flat(), winners / 4)
    memory.u32.set(columns.map((column) => putI64(kernel, column)), sources / 4)
    memory.u32.set([putBits(kernel, bits[0]!), 0, putBits(kernel, bits[2]!)], bitmaps / 4)
    const values = heap.allocate(8 * count), nulls = heap.allocate(24)
    exports.mergeGather8(winners, count, sources, values)
    expect(Array.from(memory.i64.subarray(values / 8, values / 8 + count))).toEqual(picks.map(([run, row]) => columns[run]![row]))
    const expected = picks.map(([run, row]) => run !== 1 && bits[run]![row]!)
    expect(exports.mergeGatherBits(winners, count, bitmaps, nulls)).toBe(1)
    expect(takeBits(kernel, nulls, count)).toEqual(expected)
    expect(takeBits(kernel, nulls, 192).slice(count), 'bits after the rows are 0').toEqual(Array.from({ length: 192 - count }, () => false))
    memory.u32.fill(0, bitmaps / 4, bitmaps / 4 + 3)
    expect(exports.mergeGatherBits(winners, count, bitmaps, nulls)).toBe(0)
  })
})
