import { describe, expect, test } from 'vitest'
import { takeOver } from './takeover.ts'

const seeds = process.env['LSMT_TEST_FULL'] === '1' ? 500 : 10

describe('an owner that stands still while another one takes its shard', () => {
  test('acknowledges and publishes nothing afterwards, and nothing that was acknowledged is lost', { timeout: seeds * 10_000 }, async () => {
    for (let seed = 1; seed <= seeds; seed++) expect(await takeOver(seed), `seed ${seed}`).toEqual([])
  })
})
