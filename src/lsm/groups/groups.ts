/**
 * Rows by group: group tables and accumulators in linear memory, to which row groups (their chunks as they are encoded)
 * and merged rows (vectors) are added. One object takes the rows of all shards: they are of one thread and one
 * memory, and adding is synchronous, so that each group has its one accumulator. What another thread adds to groups of its own is
 * merged with them at the end (src/lsm/readers/).
 *
 * NULL is a group of its own, NaN is one, and -0 is 0. Without a key column there is one group from the start.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import { createGrouping } from '../../kernel/grouping/grouping.ts'
import type { Grouping } from '../../kernel/grouping/grouping.ts'
import { createKnownEntries } from '../../kernel/grouping/known-entries.ts'
import { createLimitedHeap } from '../../kernel/grouping/limited-heap.ts'
import type { HeapBudget } from '../../kernel/grouping/limited-heap.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { createArena } from '../state/arena.ts'
import type { Arena } from '../state/arena.ts'
import { groupsByEntries, groupsOfEntries, groupsOfRows } from './assign-groups.ts'
import type { KeyGroups } from './assign-groups.ts'
import { createGroupInputs } from './group-inputs.ts'
import type { GroupWork, Groups } from './group-rows.ts'

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
  const { columns, groupBy, aggregates } = work
  const grouping: Grouping | undefined = groupBy.length === 0 ? undefined : createGrouping(kernel, groupBy.map((ordinal) => columns[ordinal]!))
  const keys: KeyGroups = { grouping, groupBy, known: createKnownEntries(kernel, kernel.heap.allocate), zeros: createZeros(kernel) }
  const { inputs, ordinals, readers } = createGroupInputs(kernel, columns, aggregates, grouping !== undefined)
  const arena: Arena = createArena(kernel.heap)
  const groupCount = (): number => grouping?.groupCount ?? 1
  const ensure = (): void => inputs.forEach((input) => input.ensure(groupCount()))
  ensure()
  return {
    work,
    ordinals: [...new Set([...groupBy, ...ordinals])],
    get groupCount() {
      return groupCount()
    },
    add(rows) {
      arena.reset()
      const entries = groupsOfEntries(kernel, keys, rows, arena)
      let groups: Pointer = entries === undefined ? groupsOfRows(kernel, keys, rows, arena) : 0
      ensure()
      for (const input of inputs) {
        if (entries !== undefined && input.addByEntries?.(entries, rows, arena) === true) continue
        // Only for inputs that go row by row.
        if (groups === 0) groups = groupsByEntries(kernel, entries!, rows, arena)
        input.add(groups, rows, arena)
      }
    },
    get entryCount() {
      return inputs.reduce((sum, input) => sum + (input.entryCount?.() ?? 0), groupCount())
    },
    part: () => ({ groupCount: groupCount(), tables: grouping?.tables() ?? [], inputs: inputs.map((input) => input.part()) }),
    merge(part) {
      const map = grouping?.merge(part.tables) ?? 0
      ensure()
      inputs.forEach((input, i) => input.merge(part.inputs[i]!, map, part.groupCount))
      if (map !== 0) kernel.heap.free(map)
    },
    keys: (first, count) => grouping?.keys(first, count),
    results() {
      for (const input of inputs) input.finish(groupCount())
      return readers
    },
    free,
  }
}

/** u32 zeros, as many as were asked for at most. */
function createZeros({ heap, memory: { u8 } }: Kernel): (rowCount: number) => Pointer {
  let address: Pointer = 0, rows = 0
  return (rowCount) => {
    if (rowCount <= rows) return address
    const larger = heap.allocate(4 * rowCount)
    u8.fill(0, larger, larger + 4 * rowCount)
    if (address !== 0) heap.free(address)
    address = larger
    rows = rowCount
    return address
  }
}
