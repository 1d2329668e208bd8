/**
 * COUNT(*). As long as a column whose values are counted anyway has no nulls, its counts are the rows'; at its first
 * null they are copied, and from there on rows are counted by themselves.
 */
import { invariant } from '../../errors.ts'
import { createGroupAccumulators } from '../../kernel/grouping/accumulators.ts'
import type { GroupAccumulators } from '../../kernel/grouping/accumulators.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { accumulatorDoubles, accumulatorReader } from './accumulator-reader.ts'
import type { GroupInput } from './group-input.ts'
import { nullsOf } from './number-input.ts'
import type { NumberInput } from './number-input.ts'

/** To be added to, and merged with, before `lender` is. */
export function rowCountInput(kernel: Kernel, lender: NumberInput | undefined): GroupInput {
  const { exports } = kernel
  let own: GroupAccumulators | undefined = lender === undefined ? createGroupAccumulators(kernel, 'i64') : undefined
  let groupCount = 0
  const startOwn = (): GroupAccumulators => {
    const counts = createGroupAccumulators(kernel, 'i64')
    counts.ensure(groupCount)
    addCounts(kernel, lender!.accumulators, counts, 0, groupCount)
    return counts
  }
  return {
    ensure(count) {
      groupCount = count
      own?.ensure(count)
    },
    addByEntries: (_entries, rows) => own === undefined && nullsOf(kernel, rows, lender!.ordinal) === 0,
    add(groups, rows) {
      if (own === undefined && nullsOf(kernel, rows, lender!.ordinal) === 0) return
      own ??= startOwn()
      exports.scanGroupedCount(groups, 0, rows.rowCount, rows.selection, own.address)
    },
    part() {
      const { address, stride } = own ?? lender!.accumulators
      return own === undefined ? { kind: 'lent', address, stride } : { kind: 'accumulators', address, stride, of: 'i64' }
    },
    merge(part, map, partCount) {
      invariant(part.kind === 'lent' || part.kind === 'accumulators', `counts of rows are merged with ${part.kind}`)
      if (own === undefined && part.kind === 'lent') return
      own ??= startOwn()
      addCounts(kernel, part, own, map, partCount)
    },
    finish() {},
    reader() {
      let read: ((group: number) => ReturnType<ReturnType<GroupInput['reader']>>) | undefined
      return (group) => (read ??= accumulatorReader(kernel, own ?? lender!.accumulators, 'count'))(group)
    },
    doubles: () => (places, first, count, out) => accumulatorDoubles(kernel, own ?? lender!.accumulators, 'count')(places, first, count, out),
  }
}

function addCounts({ memory: { f64, u32 } }: Kernel, from: Pick<GroupAccumulators, 'address' | 'stride'>, to: GroupAccumulators, map: Pointer, groupCount: number): void {
  for (let group = 0; group < groupCount; group++) {
    const into = map === 0 ? group : u32[(map >>> 2) + group]!
    f64[(to.address + to.stride * into) >>> 3]! += f64[(from.address + from.stride * group) >>> 3]!
  }
}
