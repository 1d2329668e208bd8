/** Integers that lie close together, and the places that groups of them have: their distances from the first, then that of NULL. */

export interface PlaceWindow {
  readonly base: number
  readonly capacity: number
}

const capacityMax = 2 ** 20

export const placeCountOf = ({ capacity }: PlaceWindow): number => capacity + 1

/** One that has the values from `least` to `greatest`, and all of `before`, with some to spare, as others are likely to lie just outside; undefined when they lie too far apart. */
export function windowOver(least: number, greatest: number, before?: PlaceWindow): PlaceWindow | undefined {
  const from = before === undefined ? least : Math.min(least, before.base), to = before === undefined ? greatest + 1 : Math.max(greatest + 1, before.base + before.capacity)
  const range = to - from
  if (!(range <= capacityMax)) return undefined
  const { base, capacity } = spaciousWindow(from, to) ?? { base: from, capacity: range }
  return Number.isSafeInteger(base) && Number.isSafeInteger(base + capacity) ? { base, capacity } : undefined
}

/** Its ends are multiples of about a sixteenth of it, so that threads which have seen other values of the same column mostly have the same window. undefined when it is too large. */
function spaciousWindow(from: number, to: number): PlaceWindow | undefined {
  const spare = Math.ceil((to - from) / 32), step = Math.max(32, 2 ** (Math.floor(Math.log2(to - from)) - 4))
  const base = Math.floor((from - spare) / step) * step, end = Math.ceil((to + spare) / step) * step
  return end - base <= capacityMax ? { base, capacity: end - base } : undefined
}

export const isWithin = (inner: PlaceWindow, outer: PlaceWindow): boolean => inner.base >= outer.base && inner.base + inner.capacity <= outer.base + outer.capacity
