/**
 * DISTINCT: a group table of (group, value) behind the table of groups. Each of its groups is one value that counts
 * once; at the end they are added to accumulators by their parents. Without groups, integers that lie close together are
 * marked in a bitmap instead.
 */
import { invariant } from '../../errors.ts'
import { createGroupAccumulators } from '../../kernel/grouping/accumulators.ts'
import { createGrouping } from '../../kernel/grouping/grouping.ts'
import type { Grouping } from '../../kernel/grouping/grouping.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { PhysicalKind } from '../layout.ts'
import { accumulatorReader } from './accumulator-reader.ts'
import { createMarkSet } from './dense/marks.ts'
import { keysOfPlaces } from './dense/places.ts'
import type { GroupInput } from './group-input.ts'
import { valuesOf } from './group-rows.ts'
import type { Marks } from './groups-part.ts'

/** Values added at once; a multiple of 64. */
const stepValues = 4096

/** `isGrouped` false: there is one group, and no parents to tell apart. */
export function distinctInput(kernel: Kernel, ordinal: number, kind: PhysicalKind, isGrouped: boolean): GroupInput {
  const { heap, memory: { f64 } } = kernel
  const grouping = createGrouping(kernel, [kind])
  const marked = isGrouped || kind !== 'i64' ? undefined : createMarkSet(kernel, ordinal)
  const accumulators = createGroupAccumulators(kernel, kind === 'f64' ? 'f64' : 'i64')
  let isSummed = false

  function settle(): void {
    if (marked?.marks !== undefined) addMarks(kernel, grouping, marked.marks)
    marked?.clear()
  }

  return {
    ensure() {},
    add(groups, rows, arena) {
      if (marked?.add(rows, arena) === true) return
      const vector = rows.vector(ordinal)
      const numbers = arena.allocate(4 * rows.rowCount)
      grouping.assignColumn(0, { values: valuesOf(vector), nulls: vector.nulls }, isGrouped ? groups : 0, rows.selection, rows.rowCount, numbers)
    },
    entryCount: () => grouping.groupCount,
    part(isShared) {
      if (!isShared) settle()
      const marks = marked?.marks
      return { kind: 'distinct', table: grouping.tables()[0]!, of: kind, ...(marks !== undefined && { marks }) }
    },
    merge(part, map) {
      invariant(part.kind === 'distinct', `distinct values are merged with ${part.kind}`)
      heap.free(grouping.merge([part.table], map))
      if (part.marks !== undefined && marked?.merge(part.marks) !== true) addMarks(kernel, grouping, part.marks)
    },
    finish(groupCount) {
      accumulators.ensure(groupCount)
      if (isSummed || grouping.groupCount > 0) settle()
      addDistinct(kernel, grouping, kind, accumulators.address)
      if (marked !== undefined) f64[accumulators.address >>> 3]! += marked.count()
    },
    reader(wanted) {
      isSummed ||= wanted !== 'count'
      return accumulatorReader(kernel, accumulators, wanted)
    },
  }
}

/** Brings the values that are marked into the table. */
function addMarks(kernel: Kernel, grouping: Grouping, { window, bits }: Marks): void {
  const { exports, heap } = kernel
  const places = heap.allocate(4 * exports.scanSelectedCount(bits, window.capacity) + 4), count = exports.scanSelectedRows(bits, window.capacity, places)
  const keys = keysOfPlaces(kernel, window, places, count), groups = heap.allocate(4 * count)
  grouping.assign(keys.vectors, 0, count, groups)
  keys.free()
  for (const pointer of [places, groups]) heap.free(pointer)
}

/** Adds each value of the table to the accumulator of its group. */
function addDistinct({ exports, heap }: Kernel, grouping: Grouping, kind: PhysicalKind, accumulators: number): void {
  const addValues = kind === 'i64' ? exports.scanGroupedI64 : exports.scanGroupedF64
  const values = heap.allocate(8 * stepValues), nulls = heap.allocate(stepValues / 8), parents = heap.allocate(4 * stepValues)
  for (let first = 0; first < grouping.groupCount; first += stepValues) {
    const count = Math.min(stepValues, grouping.groupCount - first)
    exports.scanGroupsKeys(grouping.tables()[0]!, 0, first, count, values, nulls, parents)
    if (kind === 'bytes') exports.scanGroupedCount(parents, nulls, count, 0, accumulators)
    else addValues(parents, values, nulls, count, 0, accumulators)
  }
  for (const pointer of [values, nulls, parents]) heap.free(pointer)
}
