/** Columns of many shapes for the conformance suites: values by kind, and which of them are null. */
import type { Random } from '../../src/runtime/random.ts'

export const counts = [0, 1, 7, 8, 127, 128, 129, 1023, 1024, 1025, 5000]
export const countMax = 65_535

const i64 = (random: Random): bigint => BigInt.asIntN(64, (BigInt(random.nextU32()) << 32n) | BigInt(random.nextU32()))
const scratch = new DataView(new ArrayBuffer(8))

export function bitsOfDouble(value: number): bigint {
  scratch.setFloat64(0, value)
  return scratch.getBigInt64(0)
}

const times = <T>(count: number, value: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => value(i))
const sum = (count: number, start: bigint, step: (i: number) => bigint): bigint[] => {
  let value = start
  return times(count, (i) => (value = BigInt.asIntN(64, value + (i === 0 ? 0n : step(i)))))
}

export const integerShapes: Record<string, (random: Random, count: number) => bigint[]> = {
  constant: (_, count) => times(count, () => -5n),
  sequential: (_, count) => times(count, (i) => 1_000_000_007n + BigInt(i)),
  descending: (_, count) => times(count, (i) => 7n - 3n * BigInt(i)),
  sortedKeys: (random, count) => sum(count, -(2n ** 40n), () => BigInt(random.below(1000))),
  strictKeys: (random, count) => sum(count, 2n ** 60n, () => BigInt(1 + random.below(3))),
  timestamps: (random, count) => sum(count, 1_700_000_000_000_000n, () => 33_333n + BigInt(random.below(50))),
  seconds: (random, count) => sum(count, 1_700_000_000_000n, () => 1000n * BigInt(random.below(30))),
  fallingBySevens: (random, count) => sum(count, 2n ** 50n, () => -5n - 7n * BigInt(random.below(10))),
  largeSteps: (random, count) => sum(count, -3n, () => 3_000_000_000n * BigInt(random.below(2))),
  steppedAndWide: (random, count) => sum(count, -(2n ** 62n), (i) => (i < 1024 ? 60n * BigInt(random.below(9)) : BigInt(random.nextU32()) * 8n)),
  wrapping: (random, count) => sum(count, 2n ** 63n - 500n, () => 10n * BigInt(random.below(5))),
  gridWithJitter: (random, count) => times(count, (i) => 1_700_000_000_000_000n + 33_333n * BigInt(i) + BigInt(random.below(16))),
  smallDomain: (random, count) => times(count, () => BigInt(random.below(5) - 2)),
  width31: (random, count) => times(count, () => BigInt(random.nextU32() >>> 1)),
  width32: (random, count) => times(count, () => BigInt(random.nextU32())),
  width33: (random, count) => times(count, () => BigInt(random.nextU32()) * 2n),
  width47: (random, count) => times(count, () => i64(random) >> 17n),
  randomBits: (random, count) => times(count, () => i64(random)),
  extremes: (random, count) => times(count, () => [-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n][random.below(4)]!),
  outliers: (random, count) => times(count, () => random.below(200) === 0 ? i64(random) : BigInt(random.below(100))),
  steepLine: (_, count) => times(count, (i) => BigInt.asIntN(64, -(2n ** 62n) + (2n ** 48n + 12_345n) * BigInt(i))),
}

export const doubleShapes: Record<string, (random: Random, count: number) => bigint[]> = {
  constant: (_, count) => times(count, () => bitsOfDouble(1.5)),
  prices: (random, count) => times(count, () => bitsOfDouble(random.below(1_000_000) / 100)),
  signedPrices: (random, count) => times(count, () => bitsOfDouble((random.below(2_000_000) - 1_000_000) / 1000)),
  integers: (random, count) => times(count, () => bitsOfDouble(random.below(100_000))),
  thousands: (random, count) => times(count, () => bitsOfDouble(random.below(100_000) * 1000)),
  manyDigits: (random, count) => times(count, () => bitsOfDouble(Math.round(random.nextFloat() * 1e15) / 1e13)),
  random: (random, count) => times(count, () => bitsOfDouble(random.nextFloat())),
  randomBits: (random, count) => times(count, () => i64(random)),
  specials: (random, count) => times(count, () => [0n, bitsOfDouble(-0), bitsOfDouble(Infinity), bitsOfDouble(-Infinity), 0x7ff8_0000_0000_0001n, 0x7ff0_0000_0000_00ffn, -1n, 1n, bitsOfDouble(Number.MAX_VALUE)][random.below(9)]!),
  pricesWithSpecials: (random, count) => times(count, () => random.below(50) === 0 ? [bitsOfDouble(-0), bitsOfDouble(NaN), 0x7ff8_dead_beef_0001n, bitsOfDouble(Math.PI)][random.below(4)]! : bitsOfDouble(random.below(10_000) / 100)),
  bounds: (random, count) => times(count, () => bitsOfDouble([2 ** 51, -(2 ** 51), 2 ** 51 - 1, 2 ** 53, 0.1, 1e-300, 123456.789][random.below(7)]!)),
}

const text = (value: string): Uint8Array => Buffer.from(value)
const pick = (random: Random, values: readonly string[]): Uint8Array => text(values[random.below(values.length)]!)
const letters = (random: Random, length: number): string => times(length, () => String.fromCharCode(97 + random.below(26))).join('')

export const textShapes: Record<string, (random: Random, count: number) => Uint8Array[]> = {
  constant: (_, count) => times(count, () => text('the same')),
  empty: (_, count) => times(count, () => text('')),
  smallDomain: (random, count) => times(count, () => pick(random, ['Zürich', 'Bern', '', 'Genève', '東京', 'Zug'])),
  clustered: (random, count) => { let current = 0; return times(count, () => text(`cluster ${random.below(100) === 0 ? ++current : current}`)) },
  numbered: (_, count) => times(count, (i) => text(`key-${String(i).padStart(8, '0')}`)),
  uuids: (random, count) => times(count, () => text(times(32, () => random.below(16).toString(16)).join(''))),
  randomLengths: (random, count) => times(count, () => text(letters(random, random.below(40)))),
  randomBytes: (random, count) => times(count, () => Uint8Array.from({ length: random.below(20) }, () => random.below(256))),
  prefixed: (random, count) => times(count, () => text(`https://example.org/shop/item?id=${random.below(2 ** 31)}&ref=${letters(random, 3)}`)),
  prose: (random, count) => times(count, () => text(times(8, () => ['lorem', 'ipsum', 'dolor', 'sit', 'amet', 'consectetur'][random.below(6)]).join(' '))),
  someLong: (random, count) => times(count, (i) => i % 1500 === 3 ? text(letters(random, 100).repeat(1000)) : text(letters(random, 5))),
  zeros: (random, count) => times(count, () => new Uint8Array(random.below(4))),
}

export const nullShapes: Record<string, (random: Random, row: number) => boolean> = {
  none: () => false,
  some: (random) => random.below(10) === 0,
  most: (random) => random.below(10) !== 0,
  all: () => true,
}

export const ascending = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)
