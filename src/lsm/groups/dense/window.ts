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
  const capacity = Math.min(capacityMax, Math.max(64, Math.ceil(range * 1.0625)))
  const base = from - Math.floor((capacity - range) / 2)
  return Number.isSafeInteger(base) && Number.isSafeInteger(base + capacity) ? { base, capacity } : undefined
}

export const isWithin = (inner: PlaceWindow, outer: PlaceWindow): boolean => inner.base >= outer.base && inner.base + inner.capacity <= outer.base + outer.capacity
