/** DISTINCT without groups: values that are marked in a bitmap, in a table, or some here and some there, held against a set. */
import { describe, expect, it } from 'vitest'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { createGroups } from '../../../src/lsm/groups/groups.ts'
import type { Groups } from '../../../src/lsm/groups/group-rows.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { kinds, openTestKernel } from '../../kernel/both-kinds.ts'
import { columns, randomPage, rowsOf, streams } from './group-streams.ts'

const MiB = 1024 * 1024

const open = (kernel: Kernel, isSummed: boolean): Groups =>
  createGroups({ kernel, columns, groupBy: [], aggregates: [{ function: 'count', ordinal: 0, distinct: true }, ...(isSummed ? [{ function: 'sum', ordinal: 0, distinct: true } as const] : [])], budget: { bytesMax: 64 * MiB, usedBytes: 0 } })

describe.each(kinds)('distinct integers (%s)', (kind) => {
  it.each(Object.entries(streams))('%s are those of a set', (name, stream) => {
    for (let seed = 0; seed < 4; seed++) {
      const kernel = openTestKernel(kind, 64 * MiB), random = seededRandom(seed), values = new Set<bigint>(), isSummed = seed % 2 === 1
      const [groups, others] = [open(kernel, isSummed), open(kernel, isSummed)]
      for (let page = 0; page < 8; page++) {
        const rows = randomPage(page, stream, random)
        rows.keys.forEach((key, row) => key !== null && rows.selected?.[row] !== false && values.add(key));
        (page % 3 === 2 ? others : groups).add(rowsOf(kernel, rows))
      }
      groups.merge(seed < 2 ? others.sharedPart() : others.part())
      const again = open(kernel, isSummed)
      // What goes to another node is all in the table; reading it does not end the adding.
      if (seed === 3) again.merge(groups.part())
      for (const each of seed === 3 ? [groups, again] : [groups]) {
        const [count, sum] = each.results().map((read) => read(0))
        expect(count, `${name}, seed ${seed}`).toBe(values.size)
        if (isSummed) expect(BigInt(sum as number | bigint), `${name}, seed ${seed}`).toBe([...values].reduce((total, value) => total + value, 0n))
      }
    }
  })

  it('close together take no table', () => {
    const kernel = openTestKernel(kind, 64 * MiB), groups = open(kernel, false), random = seededRandom(1)
    for (let page = 0; page < 4; page++) groups.add(rowsOf(kernel, randomPage(page, streams['close together']!, random)))
    expect(groups.entryCount).toBeLessThan(10)
    expect(groups.results()[0]!(0)).toBeGreaterThan(2000)
  })
})
