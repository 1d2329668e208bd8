import { describe, expect, test } from 'vitest'
import { keyBytesMax, keyCodec, keyRange, writeKey } from '../../../src/engine/codec/key-codec.ts'
import type { KeyCodec } from '../../../src/engine/codec/key-codec.ts'
import type { EngineRow, EngineValue } from '../../../src/engine/engine.ts'
import { tableSchema } from '../../../src/engine/tables/new-table.ts'
import type { ColumnType } from '../../../src/engine/schema.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { newTable } from '../engine-fixtures.ts'
import { compareKeys } from '../model-values.ts'

function codecOf(...kinds: ColumnType['kind'][]): KeyCodec {
  const columns = Object.fromEntries(kinds.map((kind, i) => [`c${i}`, kind]))
  return keyCodec(tableSchema(newTable('t', columns, Object.keys(columns)), 16))
}

function encode(codec: KeyCodec, key: EngineRow): Buffer {
  const ordinals = key.map((_, i) => i)
  const buffer = Buffer.alloc(keyBytesMax(key, ordinals) + 8, 0xaa)
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
  const byteLength = writeKey(codec, { buffer, view }, 0, key, ordinals)
  expect(byteLength).toBeLessThanOrEqual(keyBytesMax(key, ordinals))
  return buffer.subarray(0, byteLength)
}

const seed = 20_261
const random = seededRandom(seed)
const pick = <T>(values: readonly T[]): T => values[random.below(values.length)]!

function randomText(): string {
  return Array.from({ length: random.below(4) }, () => pick(['\u0000', '\u0001', 'a', 'b', '\u007f', 'é', '\uffff', '😀'])).join('') + (random.below(8) === 0 ? 'x'.repeat(40) : '')
}

function randomValue(kind: string): EngineValue {
  if (kind === 'text') return randomText()
  if (kind === 'bytea') return Uint8Array.from({ length: random.below(4) }, () => pick([0, 1, 2, 254, 255]))
  if (kind === 'double') return pick([NaN, -Infinity, Infinity, 0, -0, 1.5, -1.5, 5e-324, random.nextFloat() * 1000 - 500])
  return pick<number | bigint>([0, -1, 1, 255, 256, -256, 2 ** 32, -(2 ** 32), 2 ** 53 - 1, 1 - 2 ** 53, 2n ** 63n - 1n, -(2n ** 63n), random.nextU32() - 2 ** 31])
}

const shapes: ColumnType['kind'][][] = [['bigint'], ['text'], ['bytea'], ['double'], ['text', 'bigint'], ['bigint', 'text'], ['bytea', 'text', 'double'], ['text', 'text', 'text']]

describe.each(shapes.map((shape) => [shape.join(', '), shape] as const))('keys of %s', (_, shape) => {
  const codec = codecOf(...shape)
  const keys = Array.from({ length: 150 }, () => shape.map(randomValue))
  const encoded = keys.map((key) => encode(codec, key))

  test('bytes order as values do', () => {
    const wrong = keys.flatMap((a, i) => keys.filter((b, j) => Math.sign(Buffer.compare(encoded[i]!, encoded[j]!)) !== Math.sign(compareKeys(a, b))).map((b) => [a, b]))
    expect(wrong, `seed ${seed}`).toEqual([])
  })

  test('a bound takes in exactly the keys that start with its values', () => {
    for (const bound of keys.slice(0, 30)) {
      const values = bound.slice(0, 1 + random.below(bound.length))
      for (const inclusive of [true, false]) {
        const lower = keyRange(codec, { values, inclusive }, undefined)
        const upper = keyRange(codec, undefined, { values, inclusive })
        const order = keys.map((key) => compareKeys(key.slice(0, values.length), values))
        expect(encoded.map((key) => inRange(key, lower)), `seed ${seed}`).toEqual(order.map((sign) => (inclusive ? sign >= 0 : sign > 0)))
        expect(encoded.map((key) => inRange(key, upper)), `seed ${seed}`).toEqual(order.map((sign) => (inclusive ? sign <= 0 : sign < 0)))
      }
    }
  })
})

function inRange(key: Uint8Array, range: ReturnType<typeof keyRange>): boolean {
  if (range === 'empty') return false
  return (range.lower === undefined || Buffer.compare(key, range.lower) >= 0) && (range.upper === undefined || Buffer.compare(key, range.upper) < 0)
}

test('integer keys are eight bytes, big-endian, sign flipped', () => {
  expect(encode(codecOf('bigint'), [1]).toString('hex')).toBe('8000000000000001')
  expect(encode(codecOf('bigint'), [-1]).toString('hex')).toBe('7fffffffffffffff')
})

test('bounds of integer keys stay eight bytes', () => {
  expect(keyRange(codecOf('bigint'), undefined, { values: [255], inclusive: true })).toEqual({ upper: Buffer.from('8000000000000100', 'hex') })
  expect(keyRange(codecOf('bigint'), undefined, { values: [2n ** 63n - 1n], inclusive: true })).toEqual({})
  expect(keyRange(codecOf('bigint'), { values: [2n ** 63n - 1n], inclusive: false }, undefined)).toBe('empty')
})

test('composite text ends in a terminator and escapes zeros', () => {
  expect(encode(codecOf('text', 'text'), ['a\u0000b', '']).toString('hex')).toBe('6100ff6200010001')
})

test('text that is not Unicode is refused', () => {
  expect(() => encode(codecOf('text'), ['a\ud800'])).toThrow(expect.objectContaining({ code: '22021' }))
})
