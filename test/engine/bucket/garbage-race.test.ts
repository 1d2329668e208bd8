/** Garbage collections beside writers that are paused and overtaken, and a node that reads. */
import { describe, expect, test } from 'vitest'
import { garbageRace } from './garbage-race.ts'
import type { PlantedMistake } from './garbage-race.ts'

const isFull = process.env['LSMT_TEST_FULL'] === '1'
const seeds = isFull ? 1_000 : 12
const given = process.env['LSMT_SEED']

describe('garbage is collected', () => {
  test(`beside writers and readers, without hurting any: ${seeds} seeds`, async () => {
    for (let seed = given === undefined ? 1 : Number(given); seed <= (given === undefined ? seeds : Number(given)); seed++) {
      expect(await garbageRace(seed), `LSMT_SEED=${seed}`).toEqual([])
    }
  }, 900_000)

  const mistakes: readonly PlantedMistake[] = ['unnamed files of the running epoch', 'files of checkpoints', 'log that is not in files', 'newest object of the log', ...(isFull ? ['unnamed files before the newest claim' as const] : [])]
  test.each(mistakes)('a mistake is found: deleting the %s', async (mistake) => {
    for (let seed = 1; seed <= 400; seed++) if ((await garbageRace(seed, mistake)).length > 0) return
    throw new Error(`no seed finds that ${mistake} are deleted`)
  }, 900_000)
})
