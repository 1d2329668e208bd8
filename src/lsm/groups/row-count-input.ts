/**
 * COUNT(*). As long as a column whose values are counted anyway has no nulls, its counts are the rows'; at its first
 * null they are copied, and from there on rows are counted by themselves.
 */
import { createGroupAccumulators } from '../../kernel/grouping/accumulators.ts'
import type { GroupAccumulators } from '../../kernel/grouping/accumulators.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { accumulatorReader } from './accumulator-reader.ts'
import type { GroupInput } from './group-input.ts'
import { nullsOf } from './number-input.ts'
import type { NumberInput } from './number-input.ts'

/** To be added to before `lender` is. */
export function rowCountInput(kernel: Kernel, lender: NumberInput | undefined): GroupInput {
  const { exports } = kernel
  let own: GroupAccumulators | undefined = lender === undefined ? createGroupAccumulators(kernel, 'i64') : undefined
  let groupCount = 0
  return {
    ensure(count) {
      groupCount = count
      own?.ensure(count)
    },
    addByEntries: (_entries, rows) => own === undefined && nullsOf(kernel, rows, lender!.ordinal) === 0,
    add(groups, rows) {
      if (own === undefined) {
        if (nullsOf(kernel, rows, lender!.ordinal) === 0) return
        own = createGroupAccumulators(kernel, 'i64')
        own.ensure(groupCount)
        copyCounts(kernel, lender!.accumulators, own, groupCount)
      }
      exports.scanGroupedCount(groups, 0, rows.rowCount, rows.selection, own.address)
    },
    finish() {},
    reader() {
      let read: ((group: number) => ReturnType<ReturnType<GroupInput['reader']>>) | undefined
      return (group) => (read ??= accumulatorReader(kernel, own ?? lender!.accumulators, 'count'))(group)
    },
  }
}

function copyCounts({ memory: { f64 } }: Kernel, from: GroupAccumulators, to: GroupAccumulators, groupCount: number): void {
  for (let group = 0; group < groupCount; group++) f64[(to.address + to.stride * group) >>> 3] = f64[(from.address + from.stride * group) >>> 3]!
}
