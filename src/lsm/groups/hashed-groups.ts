/** Groups by group tables: keys of any kind, and as many columns as are wanted. */
import { createGrouping } from '../../kernel/grouping/grouping.ts'
import type { GroupKeys, Grouping } from '../../kernel/grouping/grouping.ts'
import { createKnownEntries } from '../../kernel/grouping/known-entries.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { clearMemory } from '../../kernel/linear-memory.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { Arena } from '../state/arena.ts'
import { groupsByEntries, groupsOfEntries, groupsOfRows } from './assign-groups.ts'
import type { KeyGroups } from './assign-groups.ts'
import { keysOfPlaces, usedPlaces } from './dense/places.ts'
import { placeCountOf } from './dense/window.ts'
import { createGroupInputs } from './group-inputs.ts'
import type { GroupedValue, GroupRows, GroupWork } from './group-rows.ts'
import type { DensePart, GroupsPart } from './groups-part.ts'

export interface HashedGroups {
  /** The columns that rows must have. */
  readonly ordinals: readonly number[]
  readonly groupCount: number
  readonly entryCount: number
  /** `arena` is for what the call needs. */
  add(rows: GroupRows, arena: Arena): void
  /** `isShared`: for groups over the same memory. */
  part(isShared: boolean): GroupsPart
  merge(part: GroupsPart): void
  /** Of one integer column. */
  mergePlaces(part: DensePart): void
  keys(first: number, count: number): GroupKeys | undefined
  results(): readonly ((group: number) => GroupedValue)[]
  doubles(index: number, first: number, count: number, out: Float64Array): boolean
}

/** `rowsExpected`: how many rows are likely to come. */
export function createHashedGroups(kernel: Kernel, { columns, groupBy, aggregates }: GroupWork, rowsExpected: () => number): HashedGroups {
  const grouping: Grouping | undefined = groupBy.length === 0 ? undefined : createGrouping(kernel, groupBy.map((ordinal) => columns[ordinal]!))
  const keys: KeyGroups = { grouping, groupBy, known: createKnownEntries(kernel, kernel.heap.allocate), zeros: createZeros(kernel) }
  const { inputs, ordinals, readers, doubles } = createGroupInputs(kernel, { columns, requests: aggregates, isGrouped: grouping !== undefined, rowsExpected })
  const groupCount = (): number => grouping?.groupCount ?? 1
  const ensure = (): void => inputs.forEach((input) => input.ensure(groupCount()))
  ensure()
  return {
    ordinals: [...new Set([...groupBy, ...ordinals])],
    get groupCount() {
      return groupCount()
    },
    add(rows, arena) {
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
    part: (isShared) => ({ groupCount: groupCount(), tables: grouping?.tables() ?? [], inputs: inputs.map((input) => input.part(isShared)) }),
    merge(part) {
      const map = grouping?.merge(part.tables) ?? 0
      ensure()
      inputs.forEach((input, i) => input.merge(part.inputs[i]!, map, part.groupCount))
      if (map !== 0) kernel.heap.free(map)
    },
    mergePlaces(part) {
      const map = assignPlaces(kernel, grouping!, part)
      ensure()
      // Places without rows go to group 0, to which they add nothing.
      if (groupCount() > 0) inputs.forEach((input, i) => input.merge(part.inputs[i]!, map, placeCountOf(part.window)))
      kernel.heap.free(map)
    },
    keys: (first, count) => grouping?.keys(first, count),
    results() {
      for (const input of inputs) input.finish(groupCount())
      return readers
    },
    doubles: (index, first, count, out) => doubles[index]?.(0, first, count, out) === true,
  }
}

/** The groups of the places that have rows, as u32 by place; 0 for others. */
function assignPlaces(kernel: Kernel, grouping: Grouping, part: DensePart): Pointer {
  const { heap, memory } = kernel, { u32 } = memory
  const placeCount = placeCountOf(part.window), map = heap.allocate(4 * placeCount)
  clearMemory(memory, map, 4 * placeCount)
  const used = usedPlaces(kernel, part), keys = keysOfPlaces(kernel, part.window, used.address, used.count), groups = heap.allocate(4 * used.count)
  grouping.assign(keys.vectors, 0, used.count, groups)
  for (let i = 0; i < used.count; i++) u32[(map >>> 2) + u32[(used.address >>> 2) + i]!] = u32[(groups >>> 2) + i]!
  keys.free()
  for (const pointer of [groups, used.address]) heap.free(pointer)
  return map
}

/** u32 zeros, as many as were asked for at most. */
function createZeros({ heap, memory }: Kernel): (rowCount: number) => Pointer {
  let address: Pointer = 0, rows = 0
  return (rowCount) => {
    if (rowCount <= rows) return address
    const larger = heap.allocate(4 * rowCount)
    clearMemory(memory, larger, 4 * rowCount)
    if (address !== 0) heap.free(address)
    address = larger
    rows = rowCount
    return address
  }
}
