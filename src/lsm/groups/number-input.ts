/** Counts, extremes and sums of numbers, in kernel accumulators by group. */
import { invariant } from '../../errors.ts'
import { createGroupAccumulators, createGroupSums } from '../../kernel/grouping/accumulators.ts'
import type { GroupAccumulators } from '../../kernel/grouping/accumulators.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { accumulatorBytes, groupedCodesScratchBytes, scanKind } from '../../kernel/scan.ts'
import { accumulatorDoubles, accumulatorReader } from './accumulator-reader.ts'
import type { GroupInput } from './group-input.ts'
import { valuesOf } from './group-rows.ts'
import type { GroupRows } from './group-rows.ts'

const nothingToFinish = (): void => {}

export interface NumberInput extends GroupInput {
  readonly ordinal: number
  readonly accumulators: GroupAccumulators
}

/** Bitmap of a column's nulls, 0 when there are none, for which a chunk is not decoded. */
export function nullsOf({ exports }: Kernel, rows: GroupRows, ordinal: number): Pointer {
  const chunk = rows.chunk(ordinal)
  return chunk !== 0 && exports.columnHasNulls(chunk) === 0 ? 0 : rows.vector(ordinal).nulls
}

/** How accumulators of one column meet those of another part of the rows. */
function mergingOf({ exports }: Kernel, accumulators: GroupAccumulators): Pick<GroupInput, 'part' | 'merge'> {
  const { kind, stride } = accumulators
  const merge = stride === accumulatorBytes ? exports.scanGroupedMerge : exports.scanGroupedSumsMerge
  return {
    part: () => ({ kind: 'accumulators', address: accumulators.address, stride, of: kind }),
    merge(part, map, groupCount) {
      invariant(part.kind === 'accumulators' && part.stride === stride, `accumulators are merged with ${part.kind}`)
      merge(accumulators.address, part.address, map, groupCount, scanKind[kind])
    },
  }
}

/** COUNT(column): values are not looked at, and a chunk without nulls is not decoded. */
export function presenceInput(kernel: Kernel, ordinal: number): GroupInput {
  const { exports } = kernel
  const accumulators = createGroupAccumulators(kernel, 'i64')
  return {
    ensure: accumulators.ensure,
    add(groups, rows) {
      exports.scanGroupedCount(groups, nullsOf(kernel, rows, ordinal), rows.rowCount, rows.selection, accumulators.address)
    },
    ...mergingOf(kernel, accumulators),
    finish: nothingToFinish,
    reader: () => accumulatorReader(kernel, accumulators, 'count'),
    doubles: () => accumulatorDoubles(kernel, accumulators, 'count'),
  }
}

/** `extremes` false: nobody asks for minimum or maximum. `rowsExpected`: how many rows are likely to come. */
export function numberInput(kernel: Kernel, ordinal: number, kind: 'i64' | 'f64', extremes: boolean, rowsExpected: () => number): NumberInput {
  return extremes ? fullInput(kernel, ordinal, kind) : sumInput(kernel, ordinal, kind, rowsExpected)
}

function fullInput(kernel: Kernel, ordinal: number, kind: 'i64' | 'f64'): NumberInput {
  const { exports } = kernel
  const accumulators = createGroupAccumulators(kernel, kind), add = kind === 'i64' ? exports.scanGroupedI64 : exports.scanGroupedF64
  return {
    ...inputOver(kernel, ordinal, accumulators),
    add(groups, rows) {
      const vector = rows.vector(ordinal)
      add(groups, valuesOf(vector), vector.nulls, rows.rowCount, rows.selection, accumulators.address)
    },
  }
}

function sumInput(kernel: Kernel, ordinal: number, kind: 'i64' | 'f64', rowsExpected: () => number): NumberInput {
  const { exports } = kernel
  const sums = createGroupSums(kernel, kind, rowsExpected), add = kind === 'i64' ? exports.scanGroupedSumsI64 : exports.scanGroupedSumsF64
  return {
    ...inputOver(kernel, ordinal, sums),
    addByEntries({ chunk, map }, rows, arena) {
      const values = kind === 'f64' ? rows.chunk(ordinal) : 0
      return values !== 0 && exports.scanGroupedSumsCodes(chunk, map, values, rows.selection, sums.unsettled, arena.allocate(groupedCodesScratchBytes)) === 0
    },
    add(groups, rows) {
      const chunk = kind === 'f64' ? rows.chunk(ordinal) : 0
      if (chunk !== 0 && sums.addChunk(groups, chunk, rows.selection, rows.rowCount)) return
      const vector = rows.vector(ordinal)
      add(groups, valuesOf(vector), vector.nulls, rows.rowCount, rows.selection, sums.unsettled)
    },
  }
}

function inputOver(kernel: Kernel, ordinal: number, accumulators: GroupAccumulators): Omit<NumberInput, 'add'> {
  return {
    ordinal,
    accumulators,
    ensure: accumulators.ensure,
    ...mergingOf(kernel, accumulators),
    finish: nothingToFinish,
    reader: (wanted) => accumulatorReader(kernel, accumulators, wanted),
    doubles: (wanted) => accumulatorDoubles(kernel, accumulators, wanted),
  }
}
