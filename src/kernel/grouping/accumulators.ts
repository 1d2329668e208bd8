/** The accumulators of one aggregate by group: an array of a fixed size × group that grows with the groups. */
import type { Kernel } from '../kernel.ts'
import type { Pointer } from '../linear-memory.ts'
import { accumulatorBytes, groupSumsBytes, scanKind } from '../scan.ts'

const groupCapacityStart = 256

export interface GroupAccumulators {
  readonly kind: 'i64' | 'f64'
  /** Changes when `ensure` grows it. */
  readonly address: Pointer
  /** Of one group: `accumulatorBytes`, or `groupSumsBytes`. */
  readonly stride: number
  /** Makes room for groups below `groupCount` and starts the new ones; to be called after each assign or merge. */
  ensure(groupCount: number): void
  close(): void
}

/** Count, extremes and sum. */
export function createGroupAccumulators(kernel: Kernel, kind: 'i64' | 'f64'): GroupAccumulators {
  const { exports } = kernel
  return growing(kernel, kind, accumulatorBytes, (address, from, to) => exports.scanGroupedInit(address, from, to, scanKind[kind]))
}

/** Count and sum alone. */
export function createGroupSums(kernel: Kernel, kind: 'i64' | 'f64'): GroupAccumulators {
  const { u8 } = kernel.memory
  return growing(kernel, kind, groupSumsBytes, (address, from, to) => void u8.fill(0, address + groupSumsBytes * from, address + groupSumsBytes * to))
}

function growing({ heap, memory }: Kernel, kind: 'i64' | 'f64', stride: number, start: (address: Pointer, from: number, to: number) => void): GroupAccumulators {
  let capacity = groupCapacityStart, started = 0
  let address = heap.allocate(stride * capacity)

  function grow(groupCount: number): void {
    const largerCapacity = Math.max(2 * capacity, groupCount)
    const larger = heap.allocate(stride * largerCapacity)
    memory.u8.copyWithin(larger, address, address + stride * started)
    heap.free(address)
    address = larger
    // Only now: what failed to grow must not seem to have grown when it is asked again.
    capacity = largerCapacity
  }

  return {
    kind,
    stride,
    get address() {
      return address
    },
    ensure(groupCount) {
      if (groupCount <= started) return
      if (groupCount > capacity) grow(groupCount)
      start(address, started, groupCount)
      started = groupCount
    },
    close: () => heap.free(address),
  }
}
