import { describe, expect, it } from 'vitest'
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { Pointer } from '../../src/kernel/linear-memory.ts'
import { bitsOperator, likePart, likePartBytes, vectorOperator, vectorRounding } from '../../src/kernel/vector.ts'
import { comparison } from '../../src/kernel/zone-map.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'
import { kinds, openTestKernel, putBits, putBytes, putF64, putI64, putRefs, takeBits } from './both-kinds.ts'

const counts = [0, 1, 63, 64, 65, 700]
const i64Min = -(2n ** 63n), i64Max = 2n ** 63n - 1n
const comparisons = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const

/** Extremes, neighbours of powers of two, and small values. */
function randomI64(random: Random): bigint {
  switch (random.below(6)) {
    case 0:
      return [i64Min, i64Max, 0n, -1n, 1n, i64Min + 1n][random.below(6)]!
    case 1:
      return BigInt.asIntN(64, (1n << BigInt(random.below(64))) + BigInt(random.below(5) - 2))
    case 2:
      return BigInt(random.below(2 ** 31)) * BigInt(random.below(2 ** 31)) * (random.below(2) === 0 ? 1n : -1n)
    default:
      return BigInt(random.below(2001) - 1000)
  }
}

function randomF64(random: Random): number {
  const special = [Number.NaN, Infinity, -Infinity, 0, -0, 1e308, -1e308, 5e-324, 0.5, 2.5, 2 ** 63, -(2 ** 63), 2 ** 53 + 2]
  return random.below(3) === 0 ? special[random.below(special.length)]! : (random.below(20_001) - 10_000) / 8
}

const texts = ['', 'a', 'ab', 'abc', 'aabab', 'über', 'straße', '日本語', '🙂a', 'a🙂', '100%', 'a_b', 'abababababab', 'abcdefghijklmnop', 'abcdefghijklmnoq']
const randomText = (random: Random): string => texts[random.below(texts.length)]! + (random.below(3) === 0 ? texts[random.below(texts.length)]! : '')

const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)
const activeRows = (random: Random, count: number): boolean[] => many(count, () => random.below(5) > 0)

function order(a: bigint | number | Uint8Array, b: bigint | number | Uint8Array): number {
  if (a instanceof Uint8Array || b instanceof Uint8Array) return Buffer.compare(a as Uint8Array, b as Uint8Array)
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a < b ? -1 : a > b ? 1 : 0
}

function satisfies(by: number, op: (typeof comparisons)[number]): boolean {
  return { eq: by === 0, ne: by !== 0, lt: by < 0, le: by <= 0, gt: by > 0, ge: by >= 0 }[op]
}

const exact: Readonly<Record<keyof typeof vectorOperator, (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  quotient: (a, b) => a / b,
  remainder: (a, b) => a % b,
  roundedQuotient(a, b) {
    const size = (value: bigint): bigint => (value < 0n ? -value : value)
    const rounded = (size(a) * 2n + size(b)) / (size(b) * 2n)
    return a < 0n === b < 0n ? rounded : -rounded
  },
  floorQuotient: (a, b) => (a - (((a % b) + b) % b)) / b,
}

const doubles: Readonly<Record<'add' | 'subtract' | 'multiply' | 'quotient' | 'remainder', (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  quotient: (a, b) => a / b,
  remainder: (a, b) => a % b,
}

/** An operand as a vector or, when its values are all one, as a constant. */
function putOperand<T>(values: readonly T[], isConstant: boolean, put: (values: readonly T[]) => Pointer): { readonly address: Pointer; readonly step: number } {
  return isConstant ? { address: put([values[0]!, values[0]!]), step: 0 } : { address: put(values), step: 8 }
}

/** The outcome of an operation against what each row should give; undefined: it fails. */
function expectRows<T>(outcome: number, active: readonly boolean[], expected: readonly (T | undefined)[], read: (row: number) => T, where: string): void {
  const failed = active.findIndex((isActive, row) => isActive && expected[row] === undefined)
  expect(outcome, where).toBe(failed < 0 ? active.length : failed)
  for (let row = 0; row < (failed < 0 ? active.length : failed); row++) if (active[row] && !Object.is(read(row), expected[row])) expect.fail(`${where}, row ${row}: ${String(read(row))}, expected ${String(expected[row])}`)
}

const vary = (random: Random, round: number, count: number): readonly [boolean, boolean] => (count === 0 ? [false, false] : [random.below(4) === 0, round % 2 === 0])

describe.each(kinds)('vector kernels, %s', (kind) => {
  it('computes integers exactly, within a range, up to the first active row that fails', () => {
    const random = seededRandom(1)
    for (const count of counts) for (const name of Object.keys(vectorOperator) as (keyof typeof vectorOperator)[]) for (let round = 0; round < 8; round++) {
      const kernel = openTestKernel(kind, 1 << 20), { exports, heap, memory } = kernel
      // Small ones, and such as doubles just hold, or hold no more.
      const draw = round < 4 ? () => BigInt(random.below(60_001) - 30_000) || 7n : round < 6 ? () => (BigInt(random.below(5) - 2) << 51n) + BigInt(random.below(7) - 3) || 1n : () => randomI64(random)
      const [isLeft, isRight] = vary(random, round, count)
      const a = many(count, draw), b = many(count, draw)
      if (isLeft) a.fill(a[0]!)
      if (isRight) b.fill(b[0]!)
      const [low, high] = round % 4 === 3 ? [-32_768n, 32_767n] : [i64Min, i64Max]
      const active = activeRows(random, count), out = heap.allocate(8 * count)
      const left = putOperand(a, isLeft, (values) => putI64(kernel, values)), right = putOperand(b, isRight, (values) => putI64(kernel, values))
      const outcome = exports.vectorArithmeticI64(vectorOperator[name], left.address, left.step, right.address, right.step, putBits(kernel, active), count, putI64(kernel, [low, high]), out)
      const expected = a.map((x, row) => {
        const isDivision = name !== 'add' && name !== 'subtract' && name !== 'multiply'
        const result = isDivision && b[row] === 0n ? undefined : exact[name](x, b[row]!)
        return result === undefined || result < low || result > high ? undefined : result
      })
      expectRows(outcome, active, expected, (row) => memory.i64[out / 8 + row]!, `${name} × ${count}, round ${round}`)
    }
  })

  it('divides integers that are alike by one, whatever stands between them', () => {
    const random = seededRandom(11), divisors = [1n, 2n, 1000n, 1_000_000n, 2n ** 52n, i64Max, -7n, 0n]
    const starts = [0n, 999n, 1_700_000_000_000n, 2n ** 53n - 70n, i64Max - 200n, -30n, -(2n ** 60n)]
    const strangers = [undefined, -1n, i64Min, i64Max, 0n]
    for (const start of starts) for (const divisor of divisors) for (const stranger of strangers) for (const name of ['quotient', 'remainder', 'floorQuotient'] as const) {
      const kernel = openTestKernel(kind, 1 << 20), { exports, heap, memory } = kernel, count = 130
      const a = Array.from({ length: count }, (_, row) => start + BigInt(row)), active = many(count, () => random.below(9) > 0)
      if (stranger !== undefined) a[random.below(count)] = stranger
      const [low, high] = random.below(3) === 0 ? [-100n, 100n] : [i64Min, i64Max], out = heap.allocate(8 * count)
      const outcome = exports.vectorArithmeticI64(vectorOperator[name], putI64(kernel, a), 8, putI64(kernel, [divisor, divisor]), 0, putBits(kernel, active), count, putI64(kernel, [low, high]), out)
      const expected = a.map((x) => {
        const result = divisor === 0n ? undefined : exact[name](x, divisor)
        return result === undefined || result < low || result > high ? undefined : result
      })
      expectRows(outcome, active, expected, (row) => memory.i64[out / 8 + row]!, `${name} of ${start} on by ${divisor}, with ${stranger}`)
    }
  })

  it('computes doubles with checks of the finite', () => {
    const random = seededRandom(2)
    for (const count of counts) for (const name of Object.keys(doubles) as (keyof typeof doubles)[]) for (let round = 0; round < 8; round++) {
      const kernel = openTestKernel(kind, 1 << 20), { exports, heap, memory } = kernel
      const draw = round < 4 ? () => (random.below(2000) + 1) / 16 : () => randomF64(random)
      const [isLeft, isRight] = vary(random, round, count)
      const a = many(count, draw), b = many(count, draw)
      if (isLeft) a.fill(a[0]!)
      if (isRight) b.fill(b[0]!)
      const active = activeRows(random, count), out = heap.allocate(8 * count)
      const left = putOperand(a, isLeft, (values) => putF64(kernel, values)), right = putOperand(b, isRight, (values) => putF64(kernel, values))
      const outcome = exports.vectorArithmeticF64(vectorOperator[name], left.address, left.step, right.address, right.step, putBits(kernel, active), count, out)
      const expected = a.map((x, row) => {
        const y = b[row]!
        if ((name === 'quotient' && y === 0 && !Number.isNaN(x)) || (name === 'remainder' && y === 0)) return undefined
        const result = doubles[name](x, y)
        if (Math.abs(result) === Infinity && Number.isFinite(x) && Number.isFinite(y)) return undefined
        return result
      })
      expectRows(outcome, active, expected, (row) => memory.f64[out / 8 + row]!, `${name} × ${count}, round ${round}`)
    }
  })

  it('converts numbers, to even halves and within a range', () => {
    const random = seededRandom(3)
    for (const count of counts) for (const isNarrow of [false, true]) {
      const kernel = openTestKernel(kind, 1 << 20), { exports, heap, memory } = kernel
      const integers = many(count, () => randomI64(random)), numbers = many(count, () => (random.below(9) === 0 ? randomF64(random) : (random.below(4001) - 2000) / 4))
      const active = activeRows(random, count), bits = putBits(kernel, active), out = heap.allocate(8 * count)
      exports.vectorToF64(putI64(kernel, integers), bits, count, out)
      expectRows(count, active, integers.map(Number), (row) => memory.f64[out / 8 + row]!, 'to f64')
      const [low, high] = isNarrow ? [-400n, 400n] : [i64Min, i64Max]
      const rounded = numbers.map((value) => {
        if (!Number.isFinite(value)) return undefined
        const floor = Math.floor(value), whole = BigInt(value - floor === 0.5 ? floor + Math.abs(floor % 2) : Math.round(value))
        return whole < low || whole > high ? undefined : whole
      })
      const outcome = exports.vectorToI64(putF64(kernel, numbers), bits, count, putI64(kernel, [low, high]), out)
      expectRows(outcome, active, rounded, (row) => memory.i64[out / 8 + row]!, 'to i64')
    }
  })

  it('rounds doubles to whole ones', () => {
    const random = seededRandom(8), wanted = { floor: Math.floor, ceil: Math.ceil, trunc: Math.trunc, nearest: (value: number) => (Math.abs(value) === 0.5 ? Math.trunc(value) : Math.abs(value % 2) === 0.5 || Math.abs(value % 2) === 1.5 ? 2 * Math.round(value / 2) : Math.round(value)) }
    for (const count of counts) for (const name of Object.keys(vectorRounding) as (keyof typeof vectorRounding)[]) {
      const kernel = openTestKernel(kind, 1 << 20), { exports, heap, memory } = kernel, out = heap.allocate(8 * count)
      const values = many(count, () => (random.below(9) === 0 ? randomF64(random) : (random.below(81) - 40) / 8))
      exports.vectorRoundF64(vectorRounding[name], putF64(kernel, values), count, out)
      expectRows(count, values.map(() => true), values.map(wanted[name]), (row) => memory.f64[out / 8 + row]!, name)
    }
  })

  it('compares, with vectors and constants', () => {
    const random = seededRandom(4)
    for (const count of counts) for (const op of comparisons) for (const isConstant of count === 0 ? [false] : [false, true]) {
      const kernel = openTestKernel(kind, 1 << 20), { exports, heap } = kernel
      const active = many(count, () => true), all = putBits(kernel, active), out = heap.allocate(Math.ceil(count / 64) * 8)
      const check = <T extends bigint | number | Uint8Array>(draw: () => T, put: (values: readonly T[]) => Pointer, run: (left: Pointer, right: Pointer, step: number) => void): void => {
        const a = many(count, draw), b = many(count, draw)
        if (isConstant) b.fill(b[0]!)
        const right = putOperand(b, isConstant, put)
        run(put(a), right.address, right.step)
        expect(takeBits(kernel, out, Math.ceil(count / 64) * 64)).toEqual(Array.from({ length: Math.ceil(count / 64) * 64 }, (_, row) => row < count && satisfies(order(a[row]!, b[row]!), op)))
      }
      check(() => randomI64(random), (values) => putI64(kernel, values), (left, right, step) => exports.vectorCompareI64(left, right, step, count, comparison[op], out))
      check(() => randomF64(random), (values) => putF64(kernel, values), (left, right, step) => exports.vectorCompareF64(left, right, step, count, comparison[op], out))
      check(() => Buffer.from(randomText(random)) as Uint8Array, (values) => putRefs(kernel, values), (left, right, step) => exports.vectorCompareBytes(left, right, step, all, count, comparison[op], out))
    }
  })

  it('finds members of sets', () => {
    const random = seededRandom(5)
    for (const count of counts) for (const setCount of [0, 1, 2, 9, 32, 33]) {
      const kernel = openTestKernel(kind, 1 << 20), { exports, heap } = kernel
      const active = activeRows(random, count), bits = putBits(kernel, active), out = heap.allocate(Math.ceil(count / 64) * 8)
      const check = <T extends bigint | number | Uint8Array>(draw: () => T, put: (values: readonly T[]) => Pointer, run: (values: Pointer, set: Pointer, size: number) => void): void => {
        const values = many(count, draw), set = many(setCount, draw).sort(order)
        run(put(values), put(set), setCount)
        expect(takeBits(kernel, out, count)).toEqual(values.map((value, row) => active[row]! && set.some((each) => order(each, value) === 0)))
      }
      check(() => randomI64(random), (values) => putI64(kernel, values), (values, set, size) => exports.vectorInI64(values, bits, count, set, size, out))
      check(() => randomF64(random), (values) => putF64(kernel, values), (values, set, size) => exports.vectorInF64(values, bits, count, set, size, out))
      // Of equal length, some with the same last 8 bytes, and all shorter ones too.
      const likeOthers = (): string => `${'abc'[random.below(3)]!}bcdefghijklmnopq${'xyz'[random.below(3)]!}`.slice(random.below(2) === 0 ? random.below(18) : 0)
      for (const draw of [randomText, likeOthers]) {
        check(() => Buffer.from(draw(random)) as Uint8Array, (values) => putRefs(kernel, values), (values, set, size) => exports.vectorInBytes(values, bits, count, set, size, out))
      }
    }
  })

  it('matches patterns over UTF-8', () => {
    const random = seededRandom(6), pieces = ['%', '%', '_', 'a', 'b', 'ab', 'ü', '🙂', '語', '100']
    for (let round = 0; round < 400; round++) {
      const kernel = openTestKernel(kind, 1 << 20), { exports, heap } = kernel
      const pattern = many(random.below(6), () => pieces[random.below(pieces.length)]!)
      const values = many(65, () => randomText(random)), active = activeRows(random, values.length), out = heap.allocate(16)
      exports.vectorLike(putRefs(kernel, values.map((text) => Buffer.from(text))), putBits(kernel, active), values.length, putPattern(kernel, pattern), pattern.length, out)
      const expression = new RegExp(`^${pattern.map((piece) => (piece === '%' ? '.*' : piece === '_' ? '.' : piece)).join('')}$`, 'su')
      expect(takeBits(kernel, out, values.length), pattern.join('')).toEqual(values.map((text, row) => active[row]! && expression.test(text)))
    }
  })

  it('joins texts up to the first that is not ASCII or has no room', () => {
    const random = seededRandom(8), outBytes = 200
    for (let round = 0; round < 300; round++) {
      const kernel = openTestKernel(kind, 1 << 20), { exports, heap, memory } = kernel
      const values = many(random.below(30), () => 'abcdefghijklmnopqrstuvwxyz0123456789~ '.repeat(2).slice(0, random.below(40)).concat(random.below(25) === 0 ? ['é', '\u0080', '語'][random.below(3)]! : '').split('').reverse().join(''))
      const out = heap.allocate(outBytes + 16), ends = heap.allocate(4 * 30)
      memory.u8.fill(0xaa, out, out + outBytes + 16)
      let expected = 0, joined = ''
      while (expected < values.length && /^[\0-\x7f]*$/u.test(values[expected]!) && joined.length + values[expected]!.length <= outBytes) joined += values[expected++]!
      expect(exports.vectorJoinAscii(putRefs(kernel, values.map((text) => Buffer.from(text))), values.length, out, outBytes, ends)).toBe(expected)
      expect(memory.buffer.toString('latin1', out, out + joined.length)).toBe(joined)
      expect([...memory.u32.subarray(ends / 4, ends / 4 + expected)]).toEqual(values.slice(0, expected).map((_, i) => values.slice(0, i + 1).join('').length))
      expect(memory.u8.subarray(out + outBytes, out + outBytes + 16).every((byte) => byte === 0xaa)).toBe(true)
    }
  })

  it('chooses values, spreads and combines bits', () => {
    const random = seededRandom(7)
    for (const count of counts) {
      const kernel = openTestKernel(kind, 1 << 20), { exports, heap, memory } = kernel
      const [a, b] = [activeRows(random, count), many(count, () => random.below(2) === 0)], bytes = Math.ceil(count / 64) * 8
      const out = heap.allocate(8 * count), bits = heap.allocate(bytes), wanted = { and: (x: boolean, y: boolean) => x && y, andNot: (x: boolean, y: boolean) => x && !y, or: (x: boolean, y: boolean) => x || y }
      for (const name of Object.keys(bitsOperator) as (keyof typeof bitsOperator)[]) {
        const expected = a.map((x, row) => wanted[name](x, b[row]!))
        expect(exports.vectorBits(bitsOperator[name], putBits(kernel, a), putBits(kernel, b), count, bits)).toBe(expected.filter(Boolean).length)
        expect(takeBits(kernel, bits, count)).toEqual(expected)
      }
      exports.vectorFromBits(putBits(kernel, a), count, out)
      expect([...memory.i64.subarray(out / 8, out / 8 + count)]).toEqual(a.map((bit) => BigInt(bit)))
      const values = many(count, () => randomI64(random))
      exports.vectorSelect(putI64(kernel, values), 8, putBits(kernel, b), count, out)
      expect([...memory.i64.subarray(out / 8, out / 8 + count)]).toEqual(values.map((value, row) => (b[row]! ? value : BigInt(a[row]!))))
    }
  })
})

function putPattern(kernel: Kernel, pattern: readonly string[]): Pointer {
  const parts = kernel.heap.allocate(likePartBytes * pattern.length)
  pattern.forEach((piece, index) => {
    const at = (parts + likePartBytes * index) / 4
    const isLiteral = piece !== '%' && piece !== '_'
    kernel.memory.u32[at] = isLiteral ? likePart.literal : piece === '%' ? likePart.many : likePart.one
    kernel.memory.u32[at + 1] = isLiteral ? putBytes(kernel, Buffer.from(piece)) : 0
    kernel.memory.u32[at + 2] = Buffer.byteLength(piece)
  })
  return parts
}
