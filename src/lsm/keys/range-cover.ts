/**
 * Range covers: what range tombstones delete, as disjoint ascending intervals of keys. A run's rows are hidden where
 * the tombstones of newer runs cover them; the cover of a run is the union of all newer ones.
 */
import { compareBoundaries, compareBytes, largerBoundary } from './key-bytes.ts'
import type { Boundary } from './key-bytes.ts'

export interface Interval {
  readonly start: Uint8Array
  /** Exclusive; undefined = to the last key. */
  readonly end: Boundary
}

/** Ascending, neither overlapping nor touching. */
export type RangeCover = readonly Interval[]

export const emptyCover: RangeCover = []

export function coverOf(intervals: readonly Interval[]): RangeCover {
  const sorted = intervals.filter(({ start, end }) => compareBoundaries(start, end) < 0).sort((a, b) => compareBytes(a.start, b.start))
  const cover: Interval[] = []
  for (const interval of sorted) {
    const last = cover.at(-1)
    if (last !== undefined && compareBoundaries(interval.start, last.end) <= 0) {
      cover[cover.length - 1] = { start: last.start, end: largerBoundary(last.end, interval.end) }
    } else cover.push(interval)
  }
  return cover
}

export function unionOfCovers(left: RangeCover, right: RangeCover): RangeCover {
  if (left.length === 0) return right
  return right.length === 0 ? left : coverOf([...left, ...right])
}

/** The parts of a cover in [lower, upper), cut to it. */
export function clipCover(cover: RangeCover, lower: Uint8Array, upper: Boundary): RangeCover {
  const clipped: Interval[] = []
  for (let i = firstEndingAfter(cover, lower); i < cover.length; i++) {
    const { start, end } = cover[i]!
    if (compareBoundaries(start, upper) >= 0) break
    clipped.push({ start: compareBytes(start, lower) < 0 ? lower : start, end: compareBoundaries(end, upper) < 0 ? end : upper })
  }
  return clipped
}

export function coverTouches(cover: RangeCover, lower: Uint8Array, upper: Boundary): boolean {
  if (cover.length === 0) return false
  const interval = cover[firstEndingAfter(cover, lower)]
  return interval !== undefined && compareBoundaries(interval.start, upper) < 0
}

/** Index of the first interval whose end is after `key`. */
function firstEndingAfter(cover: RangeCover, key: Uint8Array): number {
  let low = 0, high = cover.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareBoundaries(cover[middle]!.end, key) > 0) high = middle
    else low = middle + 1
  }
  return low
}
