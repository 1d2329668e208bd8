/** Groups of integers, by place or in tables, whatever streams of values make of them: held against a map. */
import { describe, expect, it } from 'vitest'
import { isWithin, windowOver } from '../../../src/lsm/groups/dense/window.ts'
import { createGroups } from '../../../src/lsm/groups/groups.ts'
import type { GroupedValue, Groups } from '../../../src/lsm/groups/group-rows.ts'
import type { GroupedAggregateRequest } from '../../../src/lsm/groups/aggregate-request.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { kinds, openTestKernel } from '../../kernel/both-kinds.ts'
import { columns, randomPage, rowsOf, streams } from './group-streams.ts'
import type { Page } from './group-streams.ts'

const MiB = 1024 * 1024

interface Model {
  rows: number
  values: number
  sum: number
  least: number | null
}

function addToModel(model: Map<string, Model>, { keys, whole, decimals, selected }: Page): void {
  keys.forEach((key, row) => {
    if (selected?.[row] === false) return
    const group = model.get(String(key)) ?? { rows: 0, values: 0, sum: 0, least: null }
    model.set(String(key), group)
    const value = whole[row] === null ? null : Number(whole[row])
    group.rows++
    if (decimals[row] !== null) {
      group.values++
      group.sum += decimals[row]!
    }
    if (value !== null) group.least = group.least === null ? value : Math.min(group.least, value)
  })
}

const all: readonly GroupedAggregateRequest[] = [{ function: 'sum', ordinal: 2 }, { function: 'count', ordinal: 2 }, { function: 'min', ordinal: 1 }]
const open = (kernel: Kernel, isCounted: boolean): Groups => createGroups({ kernel, columns, groupBy: [0], aggregates: isCounted ? [...all, { function: 'count' }] : all, budget: { bytesMax: 64 * MiB, usedBytes: 0 } })

function expectGroups({ memory }: Kernel, groups: Groups, model: ReadonlyMap<string, Model>, isCounted: boolean, what: string): void {
  const readers = groups.results(), { groupCount } = groups
  expect(groupCount, what).toBe(model.size)
  for (let first = 0; first < groupCount; first += 1000) {
    const count = Math.min(1000, groupCount - first), keys = groups.keys(first, count)!, { values, nulls } = keys.vectors[0]!
    for (let i = 0; i < count; i++) {
      const isNull = ((memory.u8[nulls + (i >> 3)]! >> (i & 7)) & 1) === 1, key = isNull ? 'null' : String(memory.i64[values / 8 + i])
      const expected = model.get(key)
      if (expected === undefined) expect.fail(`${what}: there is no group ${key}`)
      const [sum, present, least, rows] = readers.map((read): GroupedValue => read(first + i))
      const found = { rows: isCounted ? rows : expected.rows, values: present, least, sum: Math.round(Number(sum) * 100) }
      const wanted = { rows: expected.rows, values: expected.values, least: expected.least, sum: Math.round(expected.sum * 100) }
      // An expectation takes longer than all else, and there are many groups.
      if (JSON.stringify(found) !== JSON.stringify(wanted)) expect(found, `${what}, group ${key}`).toEqual(wanted)
    }
    keys.free()
  }
}

describe.each(kinds)('groups of integers (%s)', (kind) => {
  it.each(Object.entries(streams))('%s are those of a map', (name, stream) => {
    for (let seed = 0; seed < 4; seed++) {
      const kernel = openTestKernel(kind, 128 * MiB), random = seededRandom(seed), model = new Map<string, Model>(), isCounted = seed % 2 === 0
      const before = kernel.heap.usedBytes, [groups, others] = [open(kernel, isCounted), open(kernel, isCounted)]
      const opened = kernel.heap.usedBytes
      let put = 0
      // What is expected changes when what is begun, and no group.
      if (seed === 1 || seed === 2) for (const each of [groups, others]) each.expect(seed * 1_000_000)
      for (let page = 0; page < 8; page++) {
        const rows = randomPage(page, stream, random), used = kernel.heap.usedBytes, given = rowsOf(kernel, rows)
        put += kernel.heap.usedBytes - used
        addToModel(model, rows);
        (page % 3 === 2 ? others : groups).add(given)
      }
      // Another thread's, or another node's.
      groups.merge(seed < 2 ? others.sharedPart() : others.part())
      expectGroups(kernel, groups, model, isCounted, `${name}, seed ${seed}`)
      const again = open(kernel, isCounted)
      again.merge(groups.part())
      expectGroups(kernel, again, model, isCounted, `${name}, seed ${seed}, in tables`)
      for (const each of [groups, others, again]) each.free()
      expect(kernel.heap.usedBytes - put, 'memory is given back').toBe(before)
      expect(opened).toBeGreaterThan(before)
    }
  })

  it('stand by place, in order, where there are enough rows; the last is NULL', () => {
    const kernel = openTestKernel(kind, 128 * MiB), groups = open(kernel, true)
    for (let page = 0; page < 4; page++) {
      const keys = Array.from({ length: 2150 }, (_, row) => (row === 7 ? null : BigInt((row * 7919) % 2000) - 10n))
      groups.add(rowsOf(kernel, { keys, whole: keys, decimals: keys.map(() => 1), selected: undefined, isEncoded: true }))
    }
    const { dense } = groups.sharedPart()
    expect(dense?.window.capacity).toBeLessThan(3000)
    groups.results()
    const { values, nulls } = groups.keys(0, groups.groupCount)!.vectors[0]!, last = groups.groupCount - 1
    const found = Array.from({ length: last }, (_, i) => Number(kernel.memory.i64[values / 8 + i]))
    expect(found).toEqual(Array.from({ length: 2000 }, (_, i) => i - 10))
    expect((kernel.memory.u8[nulls + (last >> 3)]! >> (last & 7)) & 1).toBe(1)
  })
})

it('windows over other values of one column are mostly the same, and have all that was there before', () => {
  const window = windowOver(17, 99_950)!
  for (const [least, greatest] of [[0, 99_999], [40, 99_800]] as const) expect(windowOver(least, greatest)).toEqual(window)
  const random = seededRandom(3)
  for (let i = 0; i < 1_000; i++) {
    const from = (random.nextFloat() - 0.5) * 2 ** (1 + random.below(40)), range = 2 ** (20 * random.nextFloat())
    const least = Math.floor(from), greatest = Math.floor(from + range) - 1, before = windowOver(least, greatest)!, wider = windowOver(least - 5, greatest + 90, before)
    expect(isWithin({ base: least, capacity: greatest - least + 1 }, before), `${least} to ${greatest}`).toBe(true)
    expect(before.capacity).toBeLessThanOrEqual(2 ** 20)
    if (wider !== undefined) expect(isWithin(before, wider) && wider.base <= least - 5 && wider.base + wider.capacity > greatest + 90).toBe(true)
  }
})
