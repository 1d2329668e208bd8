import { describe, expect, test } from 'vitest'
import { raceOfTwo } from './two-writers.ts'

const seeds = process.env['LSMT_TEST_FULL'] === '1' ? 1_000 : 60
const given = process.env['LSMT_SEED']

describe('two writers started together', () => {
  test(`one goes on, the other learns it, nothing acknowledged is lost: ${seeds} seeds`, async () => {
    for (let seed = given === undefined ? 1 : Number(given); seed <= (given === undefined ? seeds : Number(given)); seed++) {
      expect(await raceOfTwo(seed), `LSMT_SEED=${seed}`).toEqual([])
    }
  }, 600_000)
})
