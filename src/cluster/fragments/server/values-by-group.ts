/** The values of DISTINCT in the order of their groups. Their table has them in the order in which they were met. */
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import type { PhysicalKind } from '../../../lsm/layout.ts'
import type { Vector } from '../../../lsm/page.ts'
import type { Pace } from '../../../runtime/pace.ts'
import { groupRowsMax } from '../wire/groups-format.ts'

export interface ValuesByGroup {
  readonly count: number
  /** Some values from `first` on, and their groups; good until it is called again. */
  read(first: number): ValuesPart
  free(): void
}

export interface ValuesPart {
  readonly count: number
  readonly vector: Vector
  groupOf(row: number): number
}

interface Scratch {
  readonly values: Pointer
  readonly nulls: Pointer
  readonly parents: Pointer
}

/** Of the table of one input; a group's value has the group as its parent. */
export async function valuesByGroup(kernel: Kernel, table: Pointer, groupCount: number, kind: PhysicalKind, pace: Pace): Promise<ValuesByGroup> {
  const { heap, exports, memory: { u32 } } = kernel
  const count = exports.scanGroupsCount(table)
  const scratch: Scratch = { values: heap.allocate(8 * groupRowsMax), nulls: heap.allocate(groupRowsMax / 8), parents: heap.allocate(4 * groupRowsMax) }
  const order = heap.allocate(4 * count)
  const free = (): void => {
    for (const pointer of [scratch.values, scratch.nulls, scratch.parents, order]) heap.free(pointer)
  }
  try {
    await sortByParent(kernel, table, count, groupCount, scratch, order, pace)
  } catch (error) {
    free()
    throw error
  }
  return {
    count,
    read(first) {
      const rows = Math.min(groupRowsMax, count - first)
      exports.scanGroupsKeys(table, order + 4 * first, 0, rows, scratch.values, scratch.nulls, scratch.parents)
      const vector: Vector = kind === 'bytes' ? { kind, refs: scratch.values, nulls: scratch.nulls } : { kind, values: scratch.values, nulls: scratch.nulls }
      return { count: rows, vector, groupOf: (row) => u32[(scratch.parents >>> 2) + row]! }
    },
    free,
  }
}

/** Counting sort: twice over the parents. */
async function sortByParent({ exports, memory: { u32 } }: Kernel, table: Pointer, count: number, groupCount: number, { values, nulls, parents }: Scratch, order: Pointer, pace: Pace): Promise<void> {
  const ends = new Uint32Array(groupCount + 1)
  async function eachParent(visit: (value: number, parent: number) => void): Promise<void> {
    for (let first = 0; first < count; first += groupRowsMax) {
      const pause = pace.turn()
      if (pause !== undefined) await pause
      const rows = Math.min(groupRowsMax, count - first)
      exports.scanGroupsKeys(table, 0, first, rows, values, nulls, parents)
      for (let row = 0; row < rows; row++) visit(first + row, u32[(parents >>> 2) + row]!)
    }
  }
  await eachParent((_, parent) => void ends[parent + 1]!++)
  for (let group = 0; group < groupCount; group++) ends[group + 1]! += ends[group]!
  await eachParent((value, parent) => void (u32[(order >>> 2) + ends[parent]!++] = value))
}
