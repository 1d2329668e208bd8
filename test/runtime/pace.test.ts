import { describe, expect, test } from 'vitest'
import { LsmtError } from '../../src/errors.ts'
import { createPace, systemTurns } from '../../src/runtime/pace.ts'

/** Turns in the test's hands. */
function manualTurns(): { nowMs: number; given: number; monotonicMs(): number; next(): Promise<void>; end(): void } {
  let resolve: (() => void) | undefined
  return {
    nowMs: 0,
    given: 0,
    monotonicMs() {
      return this.nowMs
    },
    next() {
      this.given++
      return new Promise((done) => (resolve = done))
    },
    end: () => resolve?.(),
  }
}

describe('pace', () => {
  test('goes on for some milliseconds, then gives the turn away once for all who ask', async () => {
    const turns = manualTurns(), pace = createPace(turns, undefined)
    turns.nowMs = 1
    expect(pace.turn()).toBeUndefined()
    turns.nowMs = 5
    const pause = pace.turn()
    expect(pause).toBeInstanceOf(Promise)
    expect(pace.turn()).toBe(pause)
    expect(turns.given).toBe(1)
    turns.nowMs = 50
    turns.end()
    await pause
    expect(pace.turn()).toBeUndefined()
  })

  test('ends work with the reason, when that is an error of ours', () => {
    const turns = manualTurns()
    expect(() => createPace(turns, AbortSignal.abort()).turn()).toThrow(expect.objectContaining({ code: '57014' }))
    expect(() => createPace(turns, AbortSignal.abort(new LsmtError('57P03', 'not ready'))).turn()).toThrow(expect.objectContaining({ code: '57P03' }))
  })
})

test('what was put off to the end of a turn comes before the work that gave it away', async () => {
  const order: string[] = []
  const turn = systemTurns.next().then(() => order.push('long work'))
  setImmediate(() => order.push('answer'))
  await turn
  expect(order).toEqual(['answer', 'long work'])
})
