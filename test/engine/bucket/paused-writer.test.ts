import { describe, expect, test } from 'vitest'
import { wakeAfterTakeover } from './paused-writer.ts'

/** Every place, or one in some; the places come in one order. */
const step = process.env['LSMT_TEST_FULL'] === '1' ? 1 : 4

describe('a writer that wakes up after another has taken over and deleted what nobody needs', () => {
  test.each(['before', 'after'] as const)('acknowledges nothing more, wherever it stood still: %s the effect', async (moment) => {
    const places: string[] = []
    for (let request = moment === 'before' ? 1 : 3; ; request += step) {
      const outcome = await wakeAfterTakeover({ request, moment })
      if (outcome === undefined) break
      expect(outcome.problems, `request ${request}: ${outcome.at}`).toEqual([])
      places.push(outcome.at)
    }
    expect(places.length).toBeGreaterThan(72 / step)
    if (step > 1) return
    for (const kind of ['createIfAbsent writer/', 'createIfAbsent wal/', 'createIfAbsent manifest/', 'read writer/', 'delete wal/', 'delete manifest/', 'delete sst/', 'list wal/']) {
      expect(places.some((place) => place.startsWith(kind)), `${kind} is among the places`).toBe(true)
    }
  }, 300_000)
})
