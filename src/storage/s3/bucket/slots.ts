/** So many at a time, in the order of their coming. A request's time limit counts from its slot, not from its wait for one. */
export interface Slots {
  /** Resolves when a slot is free, which is then the caller's until `give`. */
  take(): Promise<void>
  give(): void
}

export function createSlots(count: number): Slots {
  let free = count
  const waiting: (() => void)[] = []
  return {
    async take() {
      if (free > 0) free--
      else await new Promise<void>((resolve) => waiting.push(resolve))
    },
    give() {
      const next = waiting.shift()
      if (next === undefined) free++
      else next()
    },
  }
}
