/**
 * Sums of decimals of few digits on their way to accumulators: 16 bytes a group instead of 24, added to without a rounding to
 * be made good row by row. They are brought to the accumulators once there are as many rows as they hold, or somebody looks.
 */
import type { Kernel } from '../kernel.ts'
import { clearMemory } from '../linear-memory.ts'
import type { Pointer } from '../linear-memory.ts'
import { narrowRowsMax, narrowScratchBytes, narrowSumBytes } from '../scan.ts'
import type { GroupArray } from './group-array.ts'

/** What they may take, and how many times that must be free: what groups cannot do without comes first. */
const bytesMax = 16 * 1024 * 1024, timesFree = 4

export interface NarrowSums {
  /** Adds the selected rows of a chunk whose groups `sums` has room for; false, with nothing done, where they cannot be added so, or there are few rows for so many groups. */
  add(groups: Pointer, chunk: Pointer, selection: Pointer, rowCount: number, sums: GroupArray): boolean
  /** Brings all to the accumulators at `sums`. */
  take(sums: Pointer): void
  /** The same, and lets go of the memory; it goes on with other accumulators. */
  close(sums: Pointer): void
}

/** `rowsExpected`: how many rows are likely to be added. */
export function createNarrowSums({ exports, heap, memory }: Kernel, rowsExpected: () => number): NarrowSums {
  /** Of `capacity` groups and one for rows that are not selected. */
  let narrow: Pointer = 0, scratch: Pointer = 0, capacity = 0
  let rowsSeen = 0, rowsHeld = 0, exponentHeld = 0, isRefused = false

  function hasRoom(byteLength: number): boolean {
    if (byteLength > bytesMax) return false
    const free = heap.tryAllocate(timesFree * byteLength)
    if (free !== 0) heap.free(free)
    return free !== 0
  }

  /** Clearing and taking costs as much as adding a row to each group. */
  function open(groups: number): boolean {
    if (isRefused || Math.max(rowsSeen, rowsExpected()) < groups) return false
    const byteLength = narrowSumBytes * (groups + 1)
    const address = hasRoom(byteLength + narrowScratchBytes) ? heap.tryAllocate(byteLength + narrowScratchBytes) : 0
    isRefused = address === 0
    if (isRefused) return false
    clearMemory(memory, address, byteLength)
    narrow = address
    scratch = address + byteLength
    capacity = groups
    return true
  }

  function take(sums: Pointer): void {
    if (rowsHeld === 0) return
    exports.scanGroupedNarrowTake(narrow, capacity, exponentHeld, sums)
    rowsHeld = 0
  }

  return {
    add(groups, chunk, selection, rowCount, sums) {
      const exponent = exports.scanNarrowExponent(chunk)
      rowsSeen += rowCount
      if (exponent < 0 || (narrow === 0 && !open(sums.capacity))) return false
      if (exponent !== exponentHeld || rowsHeld + rowCount > narrowRowsMax) take(sums.address)
      if (exports.scanGroupedNarrow(groups, chunk, selection, capacity, narrow, scratch) !== 0) return false
      exponentHeld = exponent
      rowsHeld += rowCount
      return true
    },
    take,
    close(sums) {
      take(sums)
      if (narrow !== 0) heap.free(narrow)
      narrow = 0
      isRefused = false
    },
  }
}
