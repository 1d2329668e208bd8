/** Simulated time: everything that is going to happen, in one order that the seed alone decides. */
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'

interface Planned {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

export interface World {
  readonly random: Random
  readonly nowMs: number
  /** Greater at every call: what histories are ordered by. */
  nextMoment(): number
  after(delayMs: number, run: () => void): void
  /** Lets happen what is due until then, or until it is done. */
  runUntil(timeMs: number, isDone?: () => boolean): void
  /** The same for nodes that wait for promises: what one event leads to is over before the next. */
  runSettling(timeMs: number, isDone?: () => boolean): Promise<void>
  /** True once in `n`. */
  oneIn(n: number): boolean
  /** Uniform in [from, to). */
  between(from: number, to: number): number
  readonly trace: string[] | undefined
  note(text: () => string): void
}

export function createWorld(seed: number, isTraced = false): World {
  const random = seededRandom(seed)
  const heap: Planned[] = []
  let nowMs = 0, order = 0, moment = 0
  const trace: string[] | undefined = isTraced ? [] : undefined

  function next(): void {
    const planned = pop(heap)!
    nowMs = planned.atMs
    planned.run()
  }

  return {
    random,
    trace,
    get nowMs() { return nowMs },
    nextMoment: () => ++moment,
    after: (delayMs, run) => push(heap, { atMs: nowMs + delayMs, order: order++, run }),
    runUntil(timeMs, isDone) {
      while (heap.length > 0 && heap[0]!.atMs <= timeMs && isDone?.() !== true) next()
      if (isDone === undefined) nowMs = Math.max(nowMs, timeMs)
    },
    async runSettling(timeMs, isDone) {
      await settled()
      while (heap.length > 0 && heap[0]!.atMs <= timeMs && isDone?.() !== true) {
        next()
        await settled()
      }
      if (isDone === undefined) nowMs = Math.max(nowMs, timeMs)
    },
    oneIn: (n) => random.below(n) === 0,
    between: (from, to) => from + random.nextFloat() * (to - from),
    note: (text) => void trace?.push(`${nowMs.toFixed(1)} ${text()}`),
  }
}

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

const isBefore = (a: Planned, b: Planned): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)

function push(heap: Planned[], planned: Planned): void {
  let at = heap.length
  heap.push(planned)
  while (at > 0) {
    const above = (at - 1) >> 1
    if (!isBefore(planned, heap[above]!)) break
    heap[at] = heap[above]!
    at = above
  }
  heap[at] = planned
}

function pop(heap: Planned[]): Planned | undefined {
  const first = heap[0], last = heap.pop()
  if (first === undefined || last === undefined || heap.length === 0) return first
  let at = 0
  for (;;) {
    let below = 2 * at + 1
    if (below >= heap.length) break
    if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++
    if (!isBefore(heap[below]!, last)) break
    heap[at] = heap[below]!
    at = below
  }
  heap[at] = last
  return first
}
