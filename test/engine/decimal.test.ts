/** Decimals: exact in, exact out. */
import { expect, test } from 'vitest'
import { floorDecimal, formatDecimal, parseDecimal, roundDecimal } from '../../src/engine/decimal.ts'
import { LsmtError } from '../../src/errors.ts'
import { seededRandom } from '../../src/runtime/random.ts'

test('what is written is read', () => {
  const seed = Math.floor(Math.random() * 2 ** 32)
  const random = seededRandom(seed)
  for (let round = 0; round < 2_000; round++) {
    const unscaled = BigInt(random.nextU32()) * BigInt(random.nextU32() % 100_000_000) * (random.below(2) === 0 ? 1n : -1n)
    const scale = random.below(19)
    const text = formatDecimal(unscaled, scale)
    expect(roundDecimal(parseDecimal(text)!, scale), `seed ${seed}: ${text}`).toBe(unscaled)
    expect(text.split('.')[1]?.length ?? 0).toBe(scale)
  }
})

test('rounds half away from zero, floors down', () => {
  const rounded = (text: string, scale: number) => roundDecimal(parseDecimal(text)!, scale)
  expect([rounded('2.5', 0), rounded('-2.5', 0), rounded('2.4999999999999999999', 0), rounded('1.005', 2), rounded('1e3', 2), rounded('5e-1', 0)]).toEqual([3n, -3n, 2n, 101n, 100000n, 1n])
  const floored = (text: string) => floorDecimal(parseDecimal(text)!, 0)
  expect([floored('2.5'), floored('-2.5'), floored('2.0'), floored('-0.0')]).toEqual([{ floor: 2n, exact: false }, { floor: -3n, exact: false }, { floor: 2n, exact: true }, { floor: 0n, exact: true }])
})

test('refuses what is no number, and exponents that would fill memory', () => {
  for (const text of ['', '.', '-', 'e5', '1e', '1.2.3', '0x10', '1_000', 'NaN', 'Infinity', '１']) expect(parseDecimal(text), text).toBeUndefined()
  expect(() => parseDecimal('1e1000000000')).toThrow(LsmtError)
  expect(parseDecimal('0e1000000000')).toEqual({ unscaled: 0n, scale: 0 })
})
