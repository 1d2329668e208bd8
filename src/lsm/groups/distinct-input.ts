/**
 * DISTINCT: a group table of (group, value) behind the table of groups. Each of its groups is one value that counts
 * once; at the end they are added to accumulators by their parents.
 */
import { invariant } from '../../errors.ts'
import { createGroupAccumulators } from '../../kernel/grouping/accumulators.ts'
import { createGrouping } from '../../kernel/grouping/grouping.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { PhysicalKind } from '../layout.ts'
import { accumulatorReader } from './accumulator-reader.ts'
import type { GroupInput } from './group-input.ts'
import { valuesOf } from './group-rows.ts'

/** Values added at once; a multiple of 64. */
const stepValues = 4096

/** `isGrouped` false: there is one group, and no parents to tell apart. */
export function distinctInput(kernel: Kernel, ordinal: number, kind: PhysicalKind, isGrouped: boolean): GroupInput {
  const { exports, heap } = kernel
  const grouping = createGrouping(kernel, [kind])
  const accumulators = createGroupAccumulators(kernel, kind === 'f64' ? 'f64' : 'i64')
  const addValues = kind === 'i64' ? exports.scanGroupedI64 : exports.scanGroupedF64
  return {
    ensure() {},
    add(groups, rows, arena) {
      const vector = rows.vector(ordinal)
      const numbers = arena.allocate(4 * rows.rowCount)
      grouping.assignColumn(0, { values: valuesOf(vector), nulls: vector.nulls }, isGrouped ? groups : 0, rows.selection, rows.rowCount, numbers)
    },
    entryCount: () => grouping.groupCount,
    part: () => ({ kind: 'distinct', table: grouping.tables()[0]!, of: kind }),
    merge(part, map) {
      invariant(part.kind === 'distinct', `distinct values are merged with ${part.kind}`)
      heap.free(grouping.merge([part.table], map))
    },
    finish(groupCount) {
      accumulators.ensure(groupCount)
      const values = heap.allocate(8 * stepValues), nulls = heap.allocate(stepValues / 8), parents = heap.allocate(4 * stepValues)
      for (let first = 0; first < grouping.groupCount; first += stepValues) {
        const count = Math.min(stepValues, grouping.groupCount - first)
        exports.scanGroupsKeys(grouping.tables()[0]!, 0, first, count, values, nulls, parents)
        if (kind === 'bytes') exports.scanGroupedCount(parents, nulls, count, 0, accumulators.address)
        else addValues(parents, values, nulls, count, 0, accumulators.address)
      }
      for (const pointer of [values, nulls, parents]) heap.free(pointer)
    },
    reader: (wanted) => accumulatorReader(kernel, accumulators, wanted),
  }
}
