import { describe, expect, test } from 'vitest'
import { LsmtError } from '../../src/errors.ts'
import { createCallPace, createPace, systemTurns } from '../../src/runtime/pace.ts'

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

describe('pace of calls that are answered at once', () => {
  test('holds answers back, together, once they have followed one another for two milliseconds', async () => {
    const turns = manualTurns(), pace = createCallPace(turns)
    turns.nowMs = 10
    expect(pace()).toBeUndefined()
    turns.nowMs = 10.5
    expect(pace()).toBeUndefined()
    turns.nowMs = 12
    const turn = pace()
    expect(turn).toBeInstanceOf(Promise)
    turns.nowMs = 13
    expect(pace()).toBe(turn)
    turns.end()
    await turn
    expect(pace()).toBeUndefined()
    expect(turns.given).toBe(1)
  })

  test('holds back no call that comes by itself, and watches for the event loop at most once in two milliseconds', async () => {
    const turns = manualTurns(), pace = createCallPace(turns)
    for (let call = 0; call < 100; call++) {
      turns.nowMs += 0.25
      expect(pace()).toBeUndefined()
      turns.end()
      await Promise.resolve()
    }
    expect(turns.given).toBeLessThanOrEqual(13)
  })

  test('looks at the clock once in sixteen quick calls, and at each slow one', () => {
    const turns = manualTurns(), pace = createCallPace(turns)
    let looks = 0
    turns.monotonicMs = () => (looks++, turns.nowMs)
    for (let call = 0; call < 1_600; call++, turns.nowMs += 1 / 1024) void pace()
    expect(looks).toBeLessThan(110)
    turns.nowMs += 1_000
    while (pace() === undefined) turns.nowMs += 2
    looks = 0
    for (let call = 0; call < 100; call++) {
      turns.nowMs += 2
      expect(pace()).toBeInstanceOf(Promise)
    }
    expect(looks).toBe(100)
  })
})

test('what was put off to the end of a turn comes before the work that gave it away', async () => {
  const order: string[] = []
  const turn = systemTurns.next().then(() => order.push('long work'))
  setImmediate(() => order.push('answer'))
  await turn
  expect(order).toEqual(['answer', 'long work'])
})
