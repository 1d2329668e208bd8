/** Columns full of what breaks kernels: extremes, NaN of several bit patterns, -0, empty and non-ASCII texts, long equal prefixes, nulls. */
import { comparison } from '../../src/kernel/zone-map.ts'
import type { Comparison } from '../../src/kernel/zone-map.ts'
import type { Random } from '../../src/runtime/random.ts'

export const rowCounts = [0, 1, 7, 8, 63, 64, 65, 1023, 1024, 1025, 5000]
export const valueComparisons: readonly Comparison[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge']

const i64Extremes = [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 32n, -(2n ** 32n), 2n ** 53n + 1n]
const f64Extremes = [0, -0, 1, -1, 0.1, Number.NaN, Infinity, -Infinity, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, -Number.MIN_VALUE, 2 ** 53]
const texts = ['', 'a', 'b', 'ab', 'abcdefg', 'abcdefgh', 'abcdefghi', 'abcdefgh\0', 'abc', 'abc\0', 'Zürich', 'Zürichberg', '東京都千代田区', '🚀', '\0', '\0\0', '\xff', 'a'.repeat(100), `${'a'.repeat(99)}b`]

export type Shape = 'small' | 'wide' | 'extreme' | 'constant' | 'sorted' | 'runs'
export const shapes: readonly Shape[] = ['small', 'wide', 'extreme', 'constant', 'sorted', 'runs']

export function randomI64(random: Random, shape: Shape): (row: number) => bigint {
  const wide = (): bigint => BigInt.asIntN(64, (BigInt(random.nextU32()) << 32n) | BigInt(random.nextU32()))
  const start = wide() >> 8n
  switch (shape) {
    case 'small': return () => start + BigInt(random.below(1000))
    case 'wide': return wide
    case 'extreme': return () => i64Extremes[random.below(i64Extremes.length)]!
    case 'constant': return () => start
    case 'sorted': return (row) => start + BigInt(row * 17 + random.below(17))
    case 'runs': return (row) => BigInt(row >> 6)
  }
}

export function randomF64(random: Random, shape: Shape): (row: number) => number {
  switch (shape) {
    case 'small': return () => random.below(100_000) / 100
    case 'wide': return () => (random.nextFloat() - 0.5) * 10 ** (random.below(600) - 300)
    case 'extreme': return () => f64Extremes[random.below(f64Extremes.length)]!
    case 'constant': return () => 12.5
    case 'sorted': return (row) => row / 8
    case 'runs': return (row) => (random.below(100) === 0 ? Number.NaN : (row >> 6) / 10)
  }
}

export function randomText(random: Random, shape: Shape): (row: number) => Uint8Array {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
  switch (shape) {
    case 'small': return () => encode(`city ${random.below(40)}`)
    case 'wide': return () => Uint8Array.from({ length: random.below(30) }, () => random.below(256))
    case 'extreme': return () => encode(texts[random.below(texts.length)]!)
    case 'constant': return () => encode('always the same Zürich')
    case 'sorted': return (row) => encode(`key:${String(row).padStart(8, '0')}`)
    case 'runs': return (row) => encode(`run ${row >> 6}`)
  }
}

export function randomNulls(random: Random, count: number, percent: number): boolean[] {
  return Array.from({ length: count }, () => random.below(100) < percent)
}

/** Order of all three kinds as PostgreSQL has it: NaN above all numbers and equal to itself, -0 equal to 0, text by bytes. */
export function compareValues(a: bigint | number | Uint8Array, b: bigint | number | Uint8Array): number {
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array)
  if (a !== a || b !== b) return Number(a !== a) - Number(b !== b)
  return a < (b as typeof a) ? -1 : a > (b as typeof a) ? 1 : 0
}

export function satisfies(value: bigint | number | Uint8Array | null, op: Comparison, constant: bigint | number | Uint8Array): boolean {
  if (op === 'isNull') return value === null
  if (value === null) return false
  if (op === 'isNotNull') return true
  const order = compareValues(value, constant)
  switch (op) {
    case 'eq': return order === 0
    case 'ne': return order !== 0
    case 'lt': return order < 0
    case 'le': return order <= 0
    case 'gt': return order > 0
    case 'ge': return order >= 0
  }
}

export const allComparisons = Object.keys(comparison) as Comparison[]
