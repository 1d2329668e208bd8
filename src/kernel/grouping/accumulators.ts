/** The accumulators of one aggregate by group: an array of 48 bytes × group that grows with the groups. */
import type { Kernel } from '../kernel.ts'
import type { Pointer } from '../linear-memory.ts'
import { accumulatorBytes, scanKind } from '../scan.ts'

const groupCapacityStart = 256

export interface GroupAccumulators {
  readonly kind: 'i64' | 'f64'
  /** Changes when `ensure` grows it. */
  readonly address: Pointer
  /** Makes room for groups below `groupCount` and starts the new ones; to be called after each assign or merge. */
  ensure(groupCount: number): void
  close(): void
}

export function createGroupAccumulators({ heap, exports, memory }: Kernel, kind: 'i64' | 'f64'): GroupAccumulators {
  let capacity = groupCapacityStart, started = 0
  let address = heap.allocate(accumulatorBytes * capacity)
  return {
    kind,
    get address() {
      return address
    },
    ensure(groupCount) {
      if (groupCount > capacity) {
        const largerCapacity = Math.max(2 * capacity, groupCount)
        const larger = heap.allocate(accumulatorBytes * largerCapacity)
        memory.u8.copyWithin(larger, address, address + accumulatorBytes * started)
        heap.free(address)
        address = larger
        // Only now: what failed to grow must not seem to have grown when it is asked again.
        capacity = largerCapacity
      }
      exports.scanGroupedInit(address, started, groupCount, scanKind[kind])
      started = Math.max(started, groupCount)
    },
    close: () => heap.free(address),
  }
}
