import { expect, test } from 'vitest'
import { shardOfHash } from '../../../src/engine/shards/shard-of-hash.ts'

test('the shard is the remainder of all 32 bits of the hash', () => {
  for (const hash of [0, 1, 7, 0x7fff_ffff, 0x8000_0000, 0xdead_beef, 0xffff_ffff]) {
    for (const shardCount of [1, 2, 3, 7, 8, 64]) expect(shardOfHash(hash, shardCount)).toBe(Number(BigInt(hash) % BigInt(shardCount)))
  }
})
