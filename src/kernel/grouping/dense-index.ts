/**
 * Remembers the groups of integers that lie close together by their distance from the least, beside the group table that
 * knows all: one load for a row, where hashing walks two tables that no cache holds. It widens as values are met, and
 * gives up when they lie too far apart.
 */
import type { Kernel } from '../kernel.ts'
import { clearMemory } from '../linear-memory.ts'
import type { Pointer } from '../linear-memory.ts'
import { accumulatorBytes, scanKind } from '../scan.ts'
import type { GroupVector } from './group-vector.ts'

const capacityMin = 1024, capacityMax = 2 ** 20
/** More places a group are a waste: few values lie far apart. */
const placesPerGroupMax = 256

export interface DenseIndex {
  /** Writes the groups of the selected rows that are known; the others are set in `missed`. Returns how many those are. */
  find(vector: GroupVector, selection: Pointer, count: number, groups: Pointer): number
  readonly missed: Pointer
  /** Remembers the groups of the rows that were missed; there are `groupCount` by now. False: it is of no use for such values, and closed. */
  learn(vector: GroupVector, count: number, groups: Pointer, groupCount: number): boolean
  close(): void
}

/** Groups + 1 of [base, base + capacity), then NULL's, then a 0 for all else. */
interface Window {
  readonly index: Pointer
  readonly base: number
  readonly capacity: number
}

/** undefined when there is no memory even for an empty one. */
export function createDenseIndex(kernel: Kernel): DenseIndex | undefined {
  const { exports, heap, memory } = kernel
  let window = openWindow(kernel, 0, 0)
  if (window === undefined) return undefined
  const extremes = heap.allocate(accumulatorBytes)
  let missed: Pointer = 0, missedRows = 0
  let least = Infinity, greatest = -Infinity

  function close(): void {
    for (const pointer of [extremes, missed, window?.index ?? 0]) if (pointer !== 0) heap.free(pointer)
    missed = 0
    window = undefined
  }

  function reserveMissed(count: number): void {
    if (count <= missedRows) return
    const larger = heap.allocate(Math.ceil(count / 64) * 8)
    if (missed !== 0) heap.free(missed)
    missed = larger
    missedRows = count
  }

  /** Brings the missed values into the window; false when they cannot be. */
  function widen({ values, nulls }: GroupVector, count: number, groupCount: number): boolean {
    exports.scanAccumulatorInit(extremes, scanKind.i64)
    exports.scanAggregateI64(values, nulls, count, missed, extremes)
    if (memory.f64[extremes >>> 3] === 0) return true
    least = Math.min(least, Number(memory.i64[(extremes >>> 3) + 1]!))
    greatest = Math.max(greatest, Number(memory.i64[(extremes >>> 3) + 2]!))
    if (window !== undefined && least >= window.base && greatest < window.base + window.capacity) return true
    const range = greatest - least + 1
    if (!(range <= capacityMax)) return false
    const capacity = Math.min(capacityMax, Math.max(capacityMin, 2 ** Math.ceil(Math.log2(2 * range))))
    const base = least - Math.floor((capacity - range) / 2)
    if (capacity > Math.max(capacityMin, placesPerGroupMax * groupCount)) return false
    if (!Number.isSafeInteger(base) || !Number.isSafeInteger(base + capacity)) return false
    if (window !== undefined) heap.free(window.index)
    window = openWindow(kernel, base, capacity)
    return window !== undefined
  }

  return {
    get missed() {
      return missed
    },
    find({ values, nulls }, selection, count, groups) {
      reserveMissed(count)
      const { index, base, capacity } = window!
      return exports.scanGroupsDense(index, base, capacity, values, nulls, selection, count, groups, missed)
    },
    learn(vector, count, groups, groupCount) {
      if (!widen(vector, count, groupCount)) {
        close()
        return false
      }
      const { index, base, capacity } = window!
      exports.scanGroupsDenseLearn(index, base, capacity, vector.values, vector.nulls, missed, count, groups)
      return true
    },
    close,
  }
}

/** undefined when there is no memory for it, which is no reason to fail. */
function openWindow({ heap, memory }: Kernel, base: number, capacity: number): Window | undefined {
  const byteLength = 4 * (capacity + 2)
  const index = heap.tryAllocate(byteLength)
  if (index === 0) return undefined
  clearMemory(memory, index, byteLength)
  return { index, base, capacity }
}
