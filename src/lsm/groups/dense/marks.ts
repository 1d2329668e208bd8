/**
 * Which integers occur, as a bit for each of a window: a set that takes no hashing, fits into the nearest cache, and is
 * joined with another thread's by OR. The window widens as values are met, as long as there are enough rows to be worth it.
 */
import type { Kernel } from '../../../kernel/kernel.ts'
import { clearMemory } from '../../../kernel/linear-memory.ts'
import { bitsOperator } from '../../../kernel/vector.ts'
import type { Arena } from '../../state/arena.ts'
import type { GroupRows } from '../group-rows.ts'
import type { Marks } from '../groups-part.ts'
import { extremesOf, placesOf, selectedCountOf } from './places.ts'
import { isWithin } from './window.ts'
import type { PlaceWindow } from './window.ts'

export interface MarkSet {
  readonly marks: Marks | undefined
  /** False, with nothing done, when the rows' values lie too far apart. `arena` is for what the call needs. */
  add(rows: GroupRows, arena: Arena): boolean
  /** The same of another's. */
  merge(marks: Marks): boolean
  /** How many values occur. */
  count(): number
  /** Forgets all. */
  clear(): void
}

const bitsPerRowMax = 512, capacityMax = 2 ** 24

/** Of the non-null values of an integer column. */
export function createMarkSet(kernel: Kernel, ordinal: number): MarkSet {
  const { exports, heap, memory } = kernel
  let marks: Marks | undefined
  let rowsSeen = 0, rowsToTry = 0

  function join({ window, bits }: Marks, into: Marks): void {
    const at = into.bits + (window.base - into.window.base) / 8
    exports.vectorBits(bitsOperator.or, at, bits, window.capacity, at)
  }

  /** False when it would be too large, or there is no memory for it. */
  function widen(least: number, greatest: number): boolean {
    const window = wordsOver(least, greatest, marks?.window)
    const byteLength = window === undefined ? 0 : bytesOf(window), bits = byteLength === 0 ? 0 : heap.tryAllocate(byteLength)
    if (window === undefined || bits === 0) return false
    clearMemory(memory, bits, byteLength)
    const before = marks
    marks = { window, bits }
    if (before !== undefined) {
      join(before, marks)
      heap.free(before.bits)
    }
    return true
  }

  function makeRoom(rows: GroupRows, arena: Arena): boolean {
    if (rowsSeen < rowsToTry) return false
    const extremes = extremesOf(kernel, rows, ordinal, arena)
    const range = extremes === undefined ? Infinity : extremes.greatest - extremes.least
    if (range <= bitsPerRowMax * rowsSeen && widen(extremes!.least, extremes!.greatest)) return true
    rowsToTry = 2 * rowsSeen
    return false
  }

  return {
    get marks() {
      return marks
    },
    add(rows, arena) {
      rowsSeen += selectedCountOf(kernel, rows)
      let places = placesOf(kernel, marks?.window, rows, ordinal, arena)
      if (places === 0 && makeRoom(rows, arena)) places = placesOf(kernel, marks?.window, rows, ordinal, arena)
      if (places !== 0) exports.scanGroupsUsed(places, rows.selection, rows.rowCount, marks!.bits)
      return places !== 0
    },
    merge(part) {
      const { base, capacity } = part.window
      if ((marks === undefined || !isWithin(part.window, marks.window)) && !widen(base, base + capacity - 1)) return false
      join(part, marks!)
      return true
    },
    count: () => (marks === undefined ? 0 : exports.scanSelectedCount(marks.bits, marks.window.capacity)),
    clear() {
      if (marks !== undefined) heap.free(marks.bits)
      marks = undefined
    },
  }
}

/** The last word is where NULL is marked. */
const bytesOf = ({ capacity }: PlaceWindow): number => capacity / 8 + 8

/** Whole words that have the values, and all of `before`, with some to spare. */
function wordsOver(least: number, greatest: number, before: PlaceWindow | undefined): PlaceWindow | undefined {
  const from = Math.min(least, before?.base ?? least), to = Math.max(greatest, before === undefined ? greatest : before.base + before.capacity - 1)
  const spare = Math.floor((to - from) / 8), base = Math.floor((from - spare) / 64) * 64, capacity = Math.ceil((to + spare + 1 - base) / 64) * 64
  return capacity <= capacityMax && Number.isSafeInteger(base) && Number.isSafeInteger(base + capacity) ? { base, capacity } : undefined
}
