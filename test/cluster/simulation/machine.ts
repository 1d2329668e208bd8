/** What a simulated node runs on: a main loop that may stand still, a clock of its own, and a thread that keeps the lease. */
import { leaseDeadlineMs, mayKeepAlive } from './lease.ts'
import type { LeasePolicy } from './lease.ts'
import type { LiveNode } from '../../../src/cluster/replication/event.ts'
import type { ConfigStore } from './config-store.ts'
import type { World } from './world.ts'

export interface MachineOptions {
  readonly world: World
  readonly store: ConfigStore
  readonly name: string
  readonly lease: LeasePolicy
  readonly keepAliveMs: number
  /** How much faster its clock runs than true time. */
  readonly clockRate: number
}

export interface Machine {
  readonly nowMs: number
  /** Another number for each process. */
  readonly life: number
  /** Paused, or its main loop hangs. */
  readonly isStill: boolean
  /** A process starts, and whatever an earlier one waited for is forgotten. */
  begin(): void
  end(): void
  /** Runs on the main loop of this life, when it gets to it. */
  onMain(run: () => void): () => void
  onMainWith<T>(run: (value: T) => void): (value: T) => void
  /** Begins somewhere within the first period. */
  repeat(everyMs: number, run: () => void): void
  /** On a thread of its own: it goes on while the main loop hangs, for a while. */
  keepLease(self: () => LiveNode, granted: (leaseId: number, deadlineMs: number) => void): void
  /** The main loop has moved. */
  progress(): void
  /** The whole process stands still; `hang`: only its main loop. */
  pause(): void
  hang(): void
  resume(): void
  jumpClock(ms: number): void
}

export function createMachine({ world, store, name, lease, keepAliveMs, clockRate }: MachineOptions): Machine {
  let life = 0
  let isStopped = false, isHung = false, backlog: (() => void)[] = []
  let clockOffsetMs = 0, progressMs = 0
  const clockMs = (): number => world.nowMs * clockRate + clockOffsetMs

  function onMain(run: () => void): () => void {
    const mine = life
    return () => {
      if (mine !== life) return
      if (isStopped || isHung) backlog.push(run)
      else run()
    }
  }

  function repeat(everyMs: number, run: () => void): void {
    const mine = life
    const again = (): void => {
      if (mine !== life) return
      run()
      world.after(everyMs, again)
    }
    world.after(world.random.nextFloat() * everyMs, again)
  }

  return {
    get nowMs() { return clockMs() },
    get life() { return life },
    get isStill() { return isStopped || isHung },
    begin() {
      life++
      progressMs = clockMs()
    },
    end() {
      life++
      backlog = []
      isStopped = isHung = false
    },
    onMain,
    onMainWith(run) {
      const mine = life
      return (value) => { if (mine === life) onMain(() => run(value))() }
    },
    repeat,
    keepLease(self, granted) {
      const mine = life
      let leaseId: number | undefined
      const keepAlive = (): void => {
        if (isStopped || !mayKeepAlive(clockMs(), progressMs, lease)) return
        const sentAtMs = clockMs()
        store.keepAlive({ ...self() }, leaseId, (id) => {
          if (mine !== life) return
          leaseId = id
          onMain(() => granted(id, leaseDeadlineMs(sentAtMs, lease)))()
        })
        if (world.oneIn(4)) store.list(name)
      }
      keepAlive()
      store.list(name)
      repeat(keepAliveMs, keepAlive)
    },
    progress: () => void (progressMs = clockMs()),
    pause: () => void (isStopped = true),
    hang: () => void (isHung = true),
    resume() {
      isStopped = isHung = false
      const waiting = backlog
      backlog = []
      for (const run of waiting) run()
    },
    jumpClock: (ms) => void (clockOffsetMs += ms),
  }
}
