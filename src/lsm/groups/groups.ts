/**
 * Rows by group: group tables and accumulators in linear memory, to which row groups (their chunks as they are encoded)
 * and merged rows (vectors) are added. One object takes the rows of all shards: they are of one thread and one
 * memory, and adding is synchronous, so that each group has its one accumulator. What another thread adds to groups of its own is
 * merged with them at the end (src/lsm/readers/).
 *
 * NULL is a group of its own, NaN is one, and -0 is 0. Without a key column there is one group from the start.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import { createLimitedHeap } from '../../kernel/grouping/limited-heap.ts'
import type { HeapBudget } from '../../kernel/grouping/limited-heap.ts'
import { createArena } from '../state/arena.ts'
import { createDenseGroups } from './dense/dense-groups.ts'
import type { FinishedPlaces } from './dense/dense-groups.ts'
import type { GroupWork, Groups } from './group-rows.ts'
import { createHashedGroups } from './hashed-groups.ts'
import type { HashedGroups } from './hashed-groups.ts'

export interface GroupsOptions extends GroupWork {
  readonly kernel: Kernel
  readonly budget: HeapBudget
}

export function createGroups({ kernel: outer, columns, groupBy, aggregates, budget }: GroupsOptions): Groups {
  const heap = createLimitedHeap(outer.heap, budget, 'aggregation by group')
  try {
    return groupsWithin({ ...outer, heap }, { columns, groupBy, aggregates }, heap.freeAll)
  } catch (error) {
    heap.freeAll()
    throw error
  }
}

function groupsWithin(kernel: Kernel, work: GroupWork, free: () => void): Groups {
  let rowsExpected = 0
  const expected = (): number => rowsExpected
  const dense = createDenseGroups(kernel, work, expected)
  let hashed = createHashedGroups(kernel, work, expected)
  const arena = createArena(kernel.heap)
  let finished: FinishedPlaces | undefined

  /** Brings all groups into tables. */
  function settle(): HashedGroups {
    const part = dense?.part()
    if (part !== undefined) hashed.mergePlaces(part)
    dense?.clear()
    finished = undefined
    return hashed
  }

  /** Where all groups are: by place if they all can be, otherwise in tables. */
  function whole(): HashedGroups | FinishedPlaces {
    if (dense === undefined || dense.isEmpty) return hashed
    if (hashed.groupCount > 0) {
      if (!dense.mergeTable(hashed, arena)) return settle()
      hashed = createHashedGroups(kernel, work, expected)
    }
    return (finished ??= dense.finish())
  }

  return {
    work,
    ordinals: hashed.ordinals,
    get groupCount() {
      return whole().groupCount
    },
    expect(rowCount) {
      rowsExpected = Math.max(rowsExpected, rowCount)
    },
    add(rows) {
      arena.reset()
      finished = undefined
      if (dense?.add(rows, hashed.groupCount, arena) !== true) hashed.add(rows, arena)
    },
    get entryCount() {
      return hashed.entryCount + (dense?.entryCount ?? 0)
    },
    part: () => settle().part(false),
    sharedPart() {
      const part = dense?.part()
      return { ...hashed.part(true), ...(part !== undefined && { dense: part }) }
    },
    merge(part) {
      if (part.groupCount > 0) hashed.merge(part)
      if (part.dense !== undefined && dense?.merge(part.dense) !== true) hashed.mergePlaces(part.dense)
    },
    keys: (first, count) => whole().keys(first, count),
    results: () => whole().results(),
    doubles: (index, first, count, out) => whole().doubles(index, first, count, out),
    free,
  }
}
