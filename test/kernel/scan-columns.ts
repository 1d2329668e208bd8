/** Columns as vectors and as chunks, and the naive answers, for the conformance suites of the scan kernels. */
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { Pointer } from '../../src/kernel/linear-memory.ts'
import { readDoubleDouble, readI128 } from '../../src/kernel/zone-map.ts'
import type { Random } from '../../src/runtime/random.ts'
import { putBits, putF64, putI64, putRefs } from './both-kinds.ts'
import { compareValues, randomF64, randomI64, randomNulls, randomText } from './random-columns.ts'
import type { Shape } from './random-columns.ts'

export type Value = bigint | number | Uint8Array
export type ColumnKind = 'i64' | 'f64' | 'bytes'
export const columnKinds: readonly ColumnKind[] = ['i64', 'f64', 'bytes']

export interface Column {
  readonly kind: ColumnKind
  readonly rows: readonly (Value | null)[]
}

export function randomColumn(random: Random, kind: ColumnKind, shape: Shape, count: number, nullPercent: number): Column {
  const nulls = randomNulls(random, count, nullPercent)
  const value = { i64: randomI64, f64: randomF64, bytes: randomText }[kind](random, shape)
  return { kind, rows: Array.from({ length: count }, (_, row) => (nulls[row] ? null : value(row))) }
}

export interface Vector {
  readonly values: Pointer
  readonly nulls: Pointer
  readonly count: number
}

export function putVector(kernel: Kernel, { kind, rows }: Column): Vector {
  const nulls = rows.includes(null) ? putBits(kernel, rows.map((value) => value === null)) : 0
  return { values: putSlots(kernel, kind, rows), nulls, count: rows.length }
}

function putSlots(kernel: Kernel, kind: ColumnKind, rows: readonly (Value | null)[]): Pointer {
  if (kind === 'i64') return putI64(kernel, rows.map((value) => (value ?? 0n) as bigint))
  if (kind === 'f64') return putF64(kernel, rows.map((value) => (value ?? 0) as number))
  return putRefs(kernel, rows.map((value) => (value ?? new Uint8Array(0)) as Uint8Array))
}

export function putChunk(kernel: Kernel, column: Column): Pointer {
  const { heap, exports } = kernel, { values, nulls, count } = putVector(kernel, column)
  const dataBytes = column.rows.reduce<number>((bytes, value) => bytes + (value instanceof Uint8Array ? value.length : 0), 0)
  const out = heap.allocate(exports.columnEncodeBound(count, dataBytes)), scratch = heap.allocate(exports.columnScratchBytes(count, dataBytes))
  const encode = { i64: exports.columnEncodeI64, f64: exports.columnEncodeF64, bytes: exports.columnEncodeBytes }[column.kind]
  const byteLength = encode(values, nulls, count, out, scratch)
  if (exports.columnValidate(out, byteLength) !== 0) throw new Error('the encoder wrote a malformed chunk')
  return out
}

/** A constant where a comparison wants it: 8 bytes, or text of the length returned. */
export function putConstant(kernel: Kernel, value: Value): { address: Pointer; byteLength: number } {
  if (value instanceof Uint8Array) {
    const address = kernel.heap.allocate(value.length)
    kernel.memory.u8.set(value, address)
    return { address, byteLength: value.length }
  }
  return { address: putSlots(kernel, typeof value === 'bigint' ? 'i64' : 'f64', [value]), byteLength: 8 }
}

/** Values in the column, between them and around them. */
export function constantsFor(random: Random, { kind, rows }: Column): Value[] {
  const own = rows.filter((value): value is Value => value !== null)
  const picked = Array.from({ length: Math.min(3, own.length) }, () => own[random.below(own.length)]!)
  const near = picked.slice(0, 2).map((value): Value => {
    if (typeof value === 'bigint') return BigInt.asIntN(64, value + 1n)
    if (typeof value === 'number') return value + 0.005
    return Buffer.concat([value, Buffer.from([0])])
  })
  const other = { i64: randomI64, f64: randomF64, bytes: randomText }[kind](random, 'extreme')
  return [...picked, ...near, other(0), other(1)]
}

export interface Aggregate {
  readonly count: number
  readonly min: Value | undefined
  readonly max: Value | undefined
  readonly sum: bigint | number
  /** Whether a running sum may leave the finite numbers on the way, in some order of the rows. */
  readonly mayOverflow?: boolean
}

export function readAccumulator({ memory }: Kernel, at: Pointer, kind: 'i64' | 'f64'): Aggregate {
  const count = memory.f64[at / 8]!
  const view = kind === 'i64' ? memory.i64 : memory.f64
  return {
    count,
    min: count === 0 ? undefined : view[at / 8 + 1]!,
    max: count === 0 ? undefined : view[at / 8 + 2]!,
    sum: kind === 'i64' ? readI128(memory, at + 24) : readDoubleDouble(memory, at + 24),
  }
}

export function naiveAggregate(kind: 'i64' | 'f64', values: readonly (Value | null)[]): Aggregate {
  const own = values.filter((value): value is bigint | number => value !== null)
  const pick = (sign: number): Value | undefined => {
    const found = own.reduce<bigint | number | undefined>((best, value) => (best === undefined || compareValues(value, best) * sign > 0 ? value : best), undefined)
    return typeof found === 'number' ? found + 0 : found
  }
  const sum = kind === 'i64' ? own.reduce<bigint>((total, value) => total + (value as bigint), 0n) : exactSum(own as number[])
  const mayOverflow = kind === 'f64' && own.every(Number.isFinite) && (own as number[]).reduce((total, value) => total + 2 * Math.abs(value), 0) === Infinity
  return { count: own.length, min: pick(-1), max: pick(1), sum, mayOverflow }
}

/**
 * What differs, if anything. Sums of doubles may differ from the exact one in the last bit, where terms of all
 * magnitudes cancel, or stay infinite once they overflowed on the way; everything else is equal.
 */
export function aggregateDifference(actual: Aggregate, expected: Aggregate): string | undefined {
  const same = (a: Value | undefined, b: Value | undefined): boolean => Object.is(a, b)
  const overflown = expected.mayOverflow === true && !Number.isFinite(actual.sum)
  const near = overflown || typeof expected.sum === 'number' && Number.isFinite(expected.sum) && Math.abs((actual.sum as number) - expected.sum) <= Math.abs(expected.sum) * 2 ** -52
  if (actual.count === expected.count && same(actual.min, expected.min) && same(actual.max, expected.max) && (near || same(actual.sum, expected.sum))) return undefined
  const show = ({ count, min, max, sum }: Aggregate): string => `count ${count}, min ${String(min)}, max ${String(max)}, sum ${sum}`
  return `found ${show(actual)}; expected ${show(expected)}`
}

/** The sum of doubles rounded once: exact over integers scaled by 2^1074. */
export function exactSum(values: readonly number[]): number {
  if (values.some((value) => !Number.isFinite(value))) return values.reduce((a, b) => a + b, 0)
  const total = values.reduce<bigint>((sum, value) => sum + scaled(value), 0n)
  if (total === 0n) return 0
  const magnitude = total < 0n ? -total : total
  const shift = Math.max(0, magnitude.toString(2).length - 64)
  // 64 leading bits with a sticky lowest one round as the whole number would.
  const head = magnitude >> BigInt(shift), sticky = head << BigInt(shift) === magnitude ? 0n : 1n
  const power = shift - 1074
  const rounded = Number(head | sticky) * 2 ** Math.max(power, -1000) * 2 ** Math.min(0, power + 1000)
  return total < 0n ? -rounded : rounded
}

function scaled(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigUint64(0), exponent = (bits >> 52n) & 0x7ffn, fraction = bits & ((1n << 52n) - 1n)
  const magnitude = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n)
  return bits >> 63n === 1n ? -magnitude : magnitude
}
