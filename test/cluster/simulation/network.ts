/** Links between named ends, each way on its own: they may be cut, slow, lossy, and say things twice. */
import type { World } from './world.ts'

export interface NetworkFaults {
  /** 0 to 1. */
  loss: number
  duplication: number
  /** Of messages that take up to `lateMs` instead. */
  lateness: number
}

export interface Network {
  readonly faults: NetworkFaults
  send(from: string, to: string, arrive: () => void): void
  /** For this direction only. */
  cut(from: string, to: string): void
  heal(from: string, to: string): void
  cutBoth(a: string, b: string): void
  healAll(): void
  isCut(from: string, to: string): boolean
}

const lateMs = 150

export function createNetwork(world: World): Network {
  const cuts = new Set<string>()
  const faults: NetworkFaults = { loss: 0, duplication: 0, lateness: 0 }
  const link = (from: string, to: string): string => `${from}>${to}`
  const happens = (chance: number): boolean => chance > 0 && world.random.nextFloat() < chance
  const delayMs = (): number => (happens(faults.lateness) ? world.between(5, lateMs) : world.between(0.5, 4))

  function send(from: string, to: string, arrive: () => void): void {
    // What is under way when a link is cut still arrives.
    if (cuts.has(link(from, to)) || happens(faults.loss)) return
    world.after(delayMs(), arrive)
    if (happens(faults.duplication)) world.after(delayMs() + world.between(0, lateMs), arrive)
  }

  return {
    faults,
    send,
    cut: (from, to) => void cuts.add(link(from, to)),
    heal: (from, to) => void cuts.delete(link(from, to)),
    cutBoth(a, b) {
      cuts.add(link(a, b))
      cuts.add(link(b, a))
    },
    healAll: () => cuts.clear(),
    isCut: (from, to) => cuts.has(link(from, to)),
  }
}
