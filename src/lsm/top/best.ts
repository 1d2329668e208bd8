/** The first `limit` of many items in an order: a heap with the last of them on top, which a newcomer must come before. */
export interface Best<Item> {
  /** What a newcomer must come before; undefined while there is room. */
  readonly bound: Item | undefined
  /** Takes the item if it is among the first; of equal ones those that came first stay. */
  offer(item: Item): void
  /** In their order. */
  sorted(): readonly Item[]
}

/** `limit` is at least 1. `compare` is below zero when its first argument comes first. */
export function createBest<Item>(limit: number, compare: (a: Item, b: Item) => number): Best<Item> {
  const heap: Item[] = []

  function raise(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1
      if (compare(heap[at]!, heap[parent]!) <= 0) return
      swap(at, parent)
      at = parent
    }
  }

  function sink(): void {
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      const later = left + 1 < heap.length && compare(heap[left + 1]!, heap[left]!) > 0 ? left + 1 : left
      if (later >= heap.length || compare(heap[later]!, heap[at]!) <= 0) return
      swap(at, later)
      at = later
    }
  }

  function swap(a: number, b: number): void {
    const item = heap[a]!
    heap[a] = heap[b]!
    heap[b] = item
  }

  return {
    get bound() {
      return heap.length < limit ? undefined : heap[0]
    },
    offer(item) {
      if (heap.length < limit) raise(heap.push(item) - 1)
      else if (compare(item, heap[0]!) < 0) {
        heap[0] = item
        sink()
      }
    },
    sorted: () => heap.toSorted(compare),
  }
}
