/** Groups or places of rows whose key goes in steps: found once a step, and for each row only where it begins. */
import type { GroupVector } from '../../kernel/grouping/group-vector.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { Arena } from '../state/arena.ts'
import type { Steps } from '../vector/steps/step-visitor.ts'
import { valuesOf } from './group-rows.ts'
import type { GroupRows } from './group-rows.ts'

/** Writes a number for each selected row below `count` as u32 at `numbers`; false when a row has none. */
export type NumberRows = (vector: GroupVector, selection: Pointer, count: number, numbers: Pointer) => boolean

/** The same for all rows at `numbers`; of steps without a selected row no number is asked for. */
export function numberSteps({ memory: { u32 }, exports }: Kernel, steps: Steps, { selection }: GroupRows, numberRows: NumberRows, numbers: Pointer, arena: Arena): boolean {
  const one = arena.allocate(16)
  const selectedFrom = (first: number): Pointer => (selection === 0 ? 0 : selection + first / 8)
  return steps({
    level(first, count, value) {
      if (selection !== 0 && exports.scanSelectedCount(selectedFrom(first), count) === 0) return true
      if (!numberRows({ values: value, nulls: 0 }, 0, 1, one)) return false
      exports.scanGroupsFill(numbers + 4 * first, count, u32[one >>> 2]!)
      return true
    },
    mixed: (first, count, vector) => numberRows({ values: valuesOf(vector), nulls: vector.nulls }, selectedFrom(first), count, numbers + 4 * first),
  })
}
