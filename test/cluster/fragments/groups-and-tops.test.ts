/** Groups and first rows of a tree on another node are what the tree itself gives. `LSMT_SEED=n` replays a history. */
import { describe, expect, it } from 'vitest'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import { valueReader } from '../../../src/lsm/read/top/read-values.ts'
import { createGroups } from '../../../src/lsm/groups/groups.ts'
import type { GroupWork, Groups } from '../../../src/lsm/groups/group-rows.ts'
import type { PhysicalKind, TableLayout } from '../../../src/lsm/layout.ts'
import { createTopRows } from '../../../src/lsm/top/top-rows.ts'
import type { ScanRequest, Snapshot, Tree } from '../../../src/lsm/tree.ts'
import { scanKinds } from '../../../src/lsm/vector/scan-columns.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { fullTests, kinds } from '../../kernel/both-kinds.ts'
import { encodeKey, encodeRow, layouts } from '../../lsm/tree/tree-rows.ts'
import { outcomeOf, plain, rounded } from './outcome.ts'
import { fill, startPair } from './remote-pair.ts'
import { randomGroupedAggregates, randomScan } from './random-requests.ts'

const seeds = process.env['LSMT_SEED'] === undefined ? Array.from({ length: fullTests ? 40 : 2 }, (_, i) => 200 + i) : [Number(process.env['LSMT_SEED'])]
const budget = { bytesMax: 16 * 1024 * 1024, usedBytes: 0 }

interface Asked {
  readonly kernel: Kernel
  readonly tree: Pick<Tree, 'groupedAggregate' | 'topRows'>
  readonly snapshot: Snapshot
}

async function grouped({ kernel, tree, snapshot }: Asked, request: ScanRequest, work: GroupWork): Promise<unknown> {
  const groups = createGroups({ kernel, ...work, budget })
  try {
    await tree.groupedAggregate(snapshot, request, groups)
    return rowsOf(kernel, groups, work).map((row) => plain(row.map((value) => (typeof value === 'number' ? rounded(value) : value)))).toSorted()
  } finally {
    groups.free()
  }
}

function rowsOf({ memory }: Kernel, groups: Groups, { columns, groupBy }: GroupWork): readonly (readonly unknown[])[] {
  const results = groups.results(), keys = groups.keys(0, groups.groupCount)
  const readers = keys?.vectors.map(({ values, nulls }, i) => {
    const kind = columns[groupBy[i]!]!
    return valueReader(memory, kind === 'bytes' ? { kind, refs: values, nulls } : { kind, values, nulls }, true)
  }) ?? []
  const rows = Array.from({ length: groups.groupCount }, (_, group) => [...readers.map((read) => read(group)), ...results.map((read) => read(group))])
  keys?.free()
  return rows
}

function randomWork(random: Random, columns: readonly PhysicalKind[]): GroupWork {
  const groupBy = [...new Set(Array.from({ length: random.below(4) }, () => random.below(columns.length)))]
  return { columns, groupBy, aggregates: groupBy.length > 0 && random.below(6) === 0 ? [] : randomGroupedAggregates(random, columns) }
}

async function first({ tree, snapshot }: Asked, request: ScanRequest, order: Parameters<typeof createTopRows>[0], limit: number): Promise<unknown> {
  const top = createTopRows(order, request.columns, limit)
  await tree.topRows(snapshot, request, top)
  return await top.rows()
}

describe.each(kinds)('over a tree on another node (%s)', (kind) => {
  it.each(seeds)('groups and first rows are the same, seed %i', async (seed) => {
    const random = seededRandom(seed)
    const pair = await startPair(kind)
    await fill(pair.tree, random)
    const near: Asked = { kernel: pair.kernel, tree: pair.tree, snapshot: pair.tree.snapshot() }
    const far: Asked = { kernel: pair.farKernel, tree: pair.far, snapshot: await pair.takeSnapshot() }
    const usedBefore = [near.kernel.heap.usedBytes, far.kernel.heap.usedBytes]
    for (let i = 0; i < 50; i++) {
      const layout = layouts[random.below(layouts.length)]!
      const request: ScanRequest = { ...randomScan(random, layout), keys: false }
      const columns = scanKinds(layout.columns, request.computed), work = randomWork(random, columns)
      const what = `${i} of seed ${seed}: ${JSON.stringify({ groupBy: work.groupBy, aggregates: work.aggregates })}`
      expect(await outcomeOf(() => grouped(far, request, work)), what).toBe(await outcomeOf(() => grouped(near, request, work)))
      if (request.computed !== undefined) continue
      // Of equal rows either may come first, or be the last one: then only what they are ordered by is looked at.
      const ordinals = Array.from({ length: 1 + random.below(2) }, () => random.below(columns.length)), isTotal = random.below(2) === 0
      const order = [...ordinals, ...(isTotal ? layout.key : [])].map((ordinal) => ({ ordinal, descending: random.below(2) === 0, nullsFirst: random.below(2) === 0 }))
      const limit = 1 + random.below(random.below(2) === 0 ? 10 : 400), asked = isTotal ? request : { ...request, columns: ordinals }
      expect(await outcomeOf(() => first(far, asked, order, limit)), `${what} ${JSON.stringify(order)}`).toBe(await outcomeOf(() => first(near, asked, order, limit)))
    }
    near.snapshot.release()
    far.snapshot.release()
    expect(budget.usedBytes).toBe(0)
    expect(far.kernel.heap.usedBytes).toBe(usedBefore[1])
    expect(near.kernel.heap.usedBytes).toBeLessThanOrEqual(usedBefore[0]! + 2 * 1024 * 1024)
  })

  it('groups that take many messages merge with those that are here already', async () => {
    const pair = await startPair(kind)
    const layout: TableLayout = { tableId: 9, columns: ['i64', 'bytes', 'i64', 'f64'], key: [0] }
    const tables = createBatchBuilder(64)
    tables.defineTable(layout)
    await pair.tree.append(tables.finish()).applied
    for (let from = 0; from < 4_400; from += 2200) {
      const builder = createBatchBuilder(64)
      for (let i = from; i < from + 2200; i++) {
        const row = [BigInt(i), Buffer.from(`group ${i % 4300}`), BigInt(i % 7), i % 2 === 0 ? null : i / 3]
        builder.put(9, encodeKey(layout, row), encodeRow(layout, row))
      }
      await pair.tree.append(builder.finish()).applied
    }
    const work: GroupWork = { columns: layout.columns, groupBy: [1], aggregates: [{ function: 'count' }, { function: 'count', ordinal: 2, distinct: true }, { function: 'sum', ordinal: 3, distinct: true }, { function: 'sum', ordinal: 3 }, { function: 'max', ordinal: 1 }, { function: 'min', ordinal: 2 }] }
    const request: ScanRequest = { tableId: 9, columns: [], predicate: [], keys: false }
    const [near, far] = [pair.tree.snapshot(), await pair.takeSnapshot()]
    const twice = async (kernel: Kernel, both: (groups: Groups) => Promise<void>): Promise<unknown> => {
      const groups = createGroups({ kernel, ...work, budget })
      try {
        await both(groups)
        return rowsOf(kernel, groups, work)
      } finally {
        groups.free()
      }
    }
    const expected = await twice(pair.kernel, async (groups) => {
      await pair.tree.groupedAggregate(near, request, groups)
      await pair.tree.groupedAggregate(near, request, groups)
    })
    const actual = await twice(pair.farKernel, async (groups) => void (await Promise.all([pair.far.groupedAggregate(far, request, groups), pair.far.groupedAggregate(far, request, groups)])))
    expect(actual).toEqual(expected)
    expect(pair.asked.streams.get('fragment.group')).toBe(2)
    near.release()
    far.release()
  })
})
