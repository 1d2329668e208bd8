/** Elements of one size for each group, in one block of linear memory that grows with the groups. */
import type { Kernel } from '../kernel.ts'
import type { Pointer } from '../linear-memory.ts'

const groupCapacityStart = 256

export interface GroupArray {
  /** Changes when `ensure` grows it. */
  readonly address: Pointer
  readonly stride: number
  /** Groups that it has room for. */
  readonly capacity: number
  /** Makes room for groups below `groupCount` and starts the new ones. */
  ensure(groupCount: number): void
  close(): void
}

/** `start` makes elements [from, to) of the array at `address` what they are to be at first. */
export function createGroupArray({ heap, memory }: Kernel, stride: number, start: (address: Pointer, from: number, to: number) => void): GroupArray {
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
    stride,
    get address() {
      return address
    },
    get capacity() {
      return capacity
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
