/** The accumulators of one aggregate by group. */
import type { Kernel } from '../kernel.ts'
import { accumulatorBytes, groupSumsBytes, scanKind } from '../scan.ts'
import { clearMemory } from '../linear-memory.ts'
import type { Pointer } from '../linear-memory.ts'
import { createGroupArray } from './group-array.ts'
import type { GroupArray } from './group-array.ts'
import { createNarrowSums } from './narrow-sums.ts'

/** `stride` is `accumulatorBytes` or `groupSumsBytes`; `ensure` is to be called after each assign or merge of groups. */
export interface GroupAccumulators extends GroupArray {
  readonly kind: 'i64' | 'f64'
}

/** Count, extremes and sum. */
export function createGroupAccumulators(kernel: Kernel, kind: 'i64' | 'f64'): GroupAccumulators {
  const { exports } = kernel
  return Object.assign(createGroupArray(kernel, accumulatorBytes, (address, from, to) => exports.scanGroupedInit(address, from, to, scanKind[kind])), { kind })
}

/** Count and sum alone. */
export interface GroupSums extends GroupAccumulators {
  /** Where to add to them: not all that was added by `addChunk` is there yet, as it is at `address`. */
  readonly unsettled: Pointer
  /** Adds the selected rows of a chunk (`groups` is u32 by row); false, with nothing done, where their values are to be decoded and added one by one. */
  addChunk(groups: Pointer, chunk: Pointer, selection: Pointer, rowCount: number): boolean
}

/** `rowsExpected`: how many rows are likely to be added. */
export function createGroupSums(kernel: Kernel, kind: 'i64' | 'f64', rowsExpected: () => number): GroupSums {
  const sums = createGroupArray(kernel, groupSumsBytes, (address, from, to) => clearMemory(kernel.memory, address + groupSumsBytes * from, groupSumsBytes * (to - from)))
  const narrow = kind === 'f64' ? createNarrowSums(kernel, rowsExpected) : undefined
  return {
    kind,
    stride: groupSumsBytes,
    get address() {
      narrow?.take(sums.address)
      return sums.address
    },
    get unsettled() {
      return sums.address
    },
    get capacity() {
      return sums.capacity
    },
    ensure(groupCount) {
      if (groupCount > sums.capacity) narrow?.close(sums.address)
      sums.ensure(groupCount)
    },
    addChunk: (groups, chunk, selection, rowCount) => narrow?.add(groups, chunk, selection, rowCount, sums) === true,
    close() {
      narrow?.close(sums.address)
      sums.close()
    },
  }
}
