/** The accumulators of one aggregate by group. */
import type { Kernel } from '../kernel.ts'
import { accumulatorBytes, groupSumsBytes, scanKind } from '../scan.ts'
import { createGroupArray } from './group-array.ts'
import type { GroupArray } from './group-array.ts'

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
export function createGroupSums(kernel: Kernel, kind: 'i64' | 'f64'): GroupAccumulators {
  const { u8 } = kernel.memory
  return Object.assign(createGroupArray(kernel, groupSumsBytes, (address, from, to) => void u8.fill(0, address + groupSumsBytes * from, address + groupSumsBytes * to)), { kind })
}
