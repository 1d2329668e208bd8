import { expect, it } from 'vitest'
import { createLiveBlocks } from '../../src/kernel/heap/live-blocks.ts'
import { seededRandom } from '../../src/runtime/random.ts'

it('agrees with a map while addresses come and go, below and beyond its first size', () => {
  const random = seededRandom(3), live = createLiveBlocks(), expected = new Map<number, number>()
  for (const [addressesMax, steps] of [[40, 3_000], [3_000, 20_000], [100, 5_000]] as const) {
    for (let step = 1; step <= steps; step++) {
      // Neighbours and far ones, so that some share a place.
      const address = 16 * (1 + random.below(addressesMax) * (random.below(2) === 0 ? 1 : 4_096))
      const id = expected.get(address)
      if (id === undefined) {
        live.add(address, step)
        expected.set(address, step)
      } else {
        expect(live.take(address)).toBe(id)
        expected.delete(address)
        expect(live.take(address)).toBe(0)
      }
    }
  }
  for (const [address, id] of expected) expect(live.take(address)).toBe(id)
  for (const address of expected.keys()) expect(live.take(address)).toBe(0)
  expect(live.take(0)).toBe(0)
})
