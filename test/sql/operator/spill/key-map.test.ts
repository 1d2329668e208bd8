import { expect, test } from 'vitest'
import type { EngineRow, EngineValue } from '../../../../src/engine/engine.ts'
import { hashOfKey, rehashed } from '../../../../src/sql/operator/spill/key-hash.ts'
import { hasKey, lookUp, newKeyMap, put, valuesOf } from '../../../../src/sql/operator/spill/key-map.ts'

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values)
const special: readonly EngineValue[] = [null, 0, 1, -1, 0.5, -0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 53 - 1, -(2 ** 53 - 1), 2n ** 62n, 2n ** 63n, -(2n ** 63n), '', '0', 'NaN', 'null', '日本', bytes(), bytes(0), bytes(0, 1)]
const many: readonly EngineValue[] = [...special, ...Array.from({ length: 70_000 }, (_, i) => (i % 2 === 0 ? (i + 2) * 1_000_003 : `key ${i}`))]
const hash = (key: EngineRow): number => hashOfKey(key, key.length)

test.each([
  ['one value', (value: EngineValue) => [value]],
  ['two values', (value: EngineValue, i: number) => [i % 3, value]],
  ['three values', (value: EngineValue, i: number) => [value, special[i % special.length]!, value]],
] as readonly (readonly [string, (value: EngineValue, i: number) => EngineRow])[])('a map of many keys of %s finds what was put, and nothing else', (_, keyOf) => {
  const keys = many.map((value, i): EngineRow => keyOf(value, i))
  const map = newKeyMap<number>()
  let knownBefore = 0
  for (const [i, key] of keys.entries()) {
    if (hasKey(map, key, hash(key))) knownBefore++
    put(map, key, hash(key), -i)
  }
  expect(knownBefore).toBe(0)
  for (const [i, key] of keys.entries()) put(map, key, hash(key), i)
  expect(map.parts.length).toBeGreaterThan(1)
  const copies = keys.map((key): EngineRow => key.map((value) => (value instanceof Uint8Array ? value.slice() : Object.is(value, 0) ? -0 : value)))
  expect(copies.filter((key, i) => lookUp(map, key, hash(key)) !== i)).toEqual([])
  for (const other of keys.slice(0, 1_000).map((key): EngineRow => [...key.slice(0, -1), 'no such'])) expect(hasKey(map, other, hash(other))).toBe(false)
  expect([...valuesOf(map)].toSorted((a, b) => a - b)).toEqual(keys.map((_key, i) => i))
  // No part is much larger than others: each grows by itself, in a short time.
  expect(Math.max(...map.parts.map(({ values }) => values.length))).toBeLessThan((keys.length / map.parts.length) * 1.3)
})

test('keys of one hash are told apart, a prefix of a row is a key, and a key of no values is one', () => {
  const map = newKeyMap<string>(2)
  for (let i = 0; i < 100; i++) put(map, [i, i % 2, 'more'], 7, `value ${i}`)
  expect(Array.from({ length: 100 }, (_, i) => lookUp(map, [i, i % 2], 7))).toEqual(Array.from({ length: 100 }, (_, i) => `value ${i}`))
  expect([hasKey(map, [1, 0], 7), hasKey(map, [1, 1], 8)]).toEqual([false, false])
  const one = newKeyMap<number>(0)
  put(one, [5], hashOfKey([5], 0), 1)
  put(one, [], hashOfKey([], 0), 2)
  expect([...valuesOf(one)]).toEqual([2])
})

test('equal keys have equal hashes, other seeds give other ones', () => {
  expect(hashOfKey([-0, bytes(1, 2)], 2)).toBe(hashOfKey([0, bytes(1, 2), 'more'], 2))
  const hashes = [...Array.from({ length: 4_000 }, (_, i): EngineRow => [i + 7]), ...Array.from({ length: 4_000 }, (_, i): EngineRow => [`x${i}`, i % 7])].map(hash)
  expect(new Set(hashes).size).toBeGreaterThan(hashes.length - 5)
  for (const seed of [0, 1, 2]) {
    const counts = Array.from({ length: 16 }, () => 0)
    // Only keys that one seed puts together: another spreads them.
    for (const each of hashes.filter((value) => rehashed(value, 9) % 16 === 5)) counts[rehashed(each, seed) % 16]!++
    expect(Math.max(...counts)).toBeLessThan(Math.min(...counts) * 3)
  }
})
