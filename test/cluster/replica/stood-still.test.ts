/** A leader whose process stood still, for less than its lease: what the others said meanwhile waits to be heard, and is no silence. */
import { expect, it } from 'vitest'
import { beginShard } from './scenario.ts'

it.each([100, 250, 500, 1_000])('replaces nobody after %i ms, and goes on to lead', async (stillMs) => {
  const shard = await beginShard({ lease: { ttlMs: 3_000 } })
  await shard.run(1_000)
  const before = shard.configuration
  shard.first.pause()
  await shard.run(stillMs)
  shard.first.resume()
  await shard.run(1_000)
  expect(shard.configuration).toEqual(before)
  expect(shard.leader()).toBe(shard.first)
})
