/** Time that passes only when nothing else is to be done: minutes of timeouts in a moment, and at exact points. */
import type { Alarms } from '../../../src/runtime/alarms.ts'

export interface ManualTime extends Alarms {
  monotonicMs(): number
  /** Rings what is due on the way, in order. */
  advance(ms: number): Promise<void>
  /** Jumps from alarm to alarm until the promise is settled. */
  run<T>(promise: Promise<T>): Promise<T>
  /** A busy event loop: time goes on, and alarms ring late. */
  stall(ms: number): void
}

/** Enough for a request to the model and its answer, several times over. */
const quietTurns = 12

async function quiet(isOver: () => boolean = () => false): Promise<void> {
  for (let turn = 0; turn < quietTurns && !isOver(); turn++) await new Promise((resolve) => setImmediate(resolve))
}

export function manualTime(): ManualTime {
  let nowMs = 1_000
  const alarms = new Set<{ readonly dueMs: number; readonly ring: () => void }>()

  const next = () => [...alarms].sort((a, b) => a.dueMs - b.dueMs)[0]

  async function ringNext(untilMs: number): Promise<boolean> {
    const alarm = next()
    if (alarm === undefined || alarm.dueMs > untilMs) return false
    alarms.delete(alarm)
    nowMs = Math.max(nowMs, alarm.dueMs)
    alarm.ring()
    await quiet()
    return true
  }

  return {
    monotonicMs: () => nowMs,
    after(ms, ring) {
      const alarm = { dueMs: nowMs + ms, ring }
      alarms.add(alarm)
      return () => void alarms.delete(alarm)
    },
    async advance(ms) {
      const endMs = nowMs + ms
      await quiet()
      while (await ringNext(endMs));
      nowMs = Math.max(nowMs, endMs)
    },
    async run(promise) {
      let isOver = false
      const end = (): void => { isOver = true }
      promise.then(end, end)
      for (;;) {
        await quiet(() => isOver)
        if (isOver) return promise
        if (!(await ringNext(Infinity))) throw new Error('nothing is waited for, and it is not over')
      }
    },
    stall(ms) { nowMs += ms },
  }
}
