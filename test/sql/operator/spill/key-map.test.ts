import { expect, test } from 'vitest'
import type { EngineValue } from '../../../../src/engine/engine.ts'
import { hashOfKey } from '../../../../src/sql/operator/spill/key-hash.ts'
import { hasKey, lookUp, newKeyMap, put } from '../../../../src/sql/operator/spill/key-map.ts'

const special: readonly EngineValue[] = [null, 0, 1, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53 - 1, -(2 ** 53 - 1), 2n ** 63n, -(2n ** 63n), '', '0', 'NaN', '日本']

test('a map of many keys finds what a Map finds', () => {
  const map = newKeyMap<number>()
  const keys: EngineValue[] = [...special, ...Array.from({ length: 70_000 }, (_, i) => (i % 2 === 0 ? i * 1_000_003 : `key ${i}`))]
  for (const [i, key] of keys.entries()) put(map, key, -i)
  for (const [i, key] of keys.entries()) put(map, key, i)
  expect(map.parts.length).toBeGreaterThan(1)
  const expected = new Map(keys.map((key, i) => [key, i]))
  expect(keys.filter((key) => lookUp(map, key) !== expected.get(key))).toEqual([])
  expect([hasKey(map, -0), hasKey(map, 'no such'), lookUp(map, 1n)]).toEqual([true, false, undefined])
  // No part is much larger than others: each grows by itself, in a short time.
  expect(Math.max(...map.parts.map(({ size }) => size))).toBeLessThan((keys.length / map.parts.length) * 1.3)
})

test('equal keys have equal hashes, others by each seed other ones', () => {
  expect(hashOfKey(-0, 3)).toBe(hashOfKey(0, 3))
  const keys: EngineValue[] = [...special.filter((key) => key !== 'NaN'), ...Array.from({ length: 4_000 }, (_, i) => i + 7), ...Array.from({ length: 4_000 }, (_, i) => `x${i}`)]
  for (const seed of [0, 1, 2]) {
    const counts = Array.from({ length: 16 }, () => 0)
    // Only keys that one seed puts together: another spreads them.
    for (const key of keys.filter((each) => hashOfKey(each, 9) % 16 === 5)) counts[hashOfKey(key, seed) % 16]!++
    expect(Math.max(...counts)).toBeLessThan(Math.min(...counts) * 3)
  }
})
