/** Guides to chunks of keys: the same bytes by both kinds, and searches that find what they found before. */
import { describe, expect, it } from 'vitest'
import { keyGuideBytes } from '../../src/kernel/column.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'
import { kinds, openTestKernel, putBytes, putRefs, takeBytes } from './both-kinds.ts'
import { encodeNumbers, encodeTexts, guarded, scoped } from './column-chunks.ts'

const kernels = kinds.map((kind) => openTestKernel(kind))
const zeros = (count: number): string => '\0'.repeat(count)

const shapes: Readonly<Record<string, (random: Random, i: number) => string>> = {
  numbers: (_, i) => String(2 * i).padStart(16, '0'),
  random: (random) => random.nextU32().toString(36) + random.nextU32().toString(36),
  'beginnings of 8 bytes that many share': (random, i) => `abc${String(i >> 7).padStart(8, '0')}${random.nextU32().toString(36)}`,
  'a long beginning that all share': (_, i) => `${'a'.repeat(300)}${String(i).padStart(5, '0')}`,
  'zeros behind a key, as other keys have none': (_, i) => `k${String(i >> 4).padStart(4, '0')}${zeros(i & 15)}`,
  'the greatest bytes': (_, i) => `${'\xff'.repeat(8)}${'\xff'.repeat(i >> 5)}${String.fromCodePoint(i & 31)}`,
  'the empty one too': (random, i) => (i === 0 ? '' : random.nextU32().toString(36).slice(0, 1 + (i & 3))),
}

function keysOf(shape: string, count: number): readonly Uint8Array[] {
  const random = seededRandom(count)
  return [...new Set(Array.from({ length: count }, (_, i) => shapes[shape]!(random, i)))].map((key) => new Uint8Array(Buffer.from(key, 'latin1'))).toSorted((a, b) => Buffer.compare(a, b))
}

function encodeKeys(outer: Kernel, keys: readonly Uint8Array[]): Uint8Array {
  return scoped(outer, (kernel) => {
    const { exports, heap } = kernel, dataBytes = keys.reduce((sum, { length }) => sum + length, 0)
    const out = heap.allocate(exports.columnEncodeBound(keys.length, dataBytes))
    return takeBytes(kernel, out, exports.columnEncodeKeys(putRefs(kernel, keys), keys.length, out, heap.allocate(exports.columnScratchBytes(keys.length, dataBytes))))
  })
}

/** A chunk with its guide, where it gets one. */
function guided(outer: Kernel, chunk: Uint8Array, rowCount: number): Uint8Array {
  return scoped(outer, (kernel) => {
    const { exports, memory: { u8 } } = kernel, room = guarded(kernel, chunk.length + keyGuideBytes(rowCount))
    u8.set(chunk, room.address)
    exports.columnGuide(room.address)
    room.check('guide')
    return takeBytes(kernel, room.address, exports.columnByteLength(room.address))
  })
}

function search(outer: Kernel, chunk: Uint8Array, wanted: readonly Uint8Array[]): readonly number[] {
  return scoped(outer, (kernel) => {
    const address = putBytes(kernel, chunk), at = kernel.heap.allocate(512)
    return wanted.map((key) => {
      kernel.memory.u8.set(key, at)
      return kernel.exports.columnLowerBoundBytes(address, at, key.length, 0)
    })
  })
}

/** Of each the first row that is not below it, as sorting tells. */
function rowsOf(keys: readonly Uint8Array[], wanted: readonly Uint8Array[]): readonly number[] {
  const rows: number[] = []
  let row = 0
  for (const index of [...wanted.keys()].toSorted((a, b) => Buffer.compare(wanted[a]!, wanted[b]!))) {
    while (row < keys.length && Buffer.compare(keys[row]!, wanted[index]!) < 0) row++
    rows[index] = row
  }
  return rows
}

/** Keys, and what is a little more or less than each. */
const around = (keys: readonly Uint8Array[]): readonly Uint8Array[] => [new Uint8Array(), Uint8Array.of(0xff, 0xff), ...keys.flatMap((key) => [key, key.subarray(0, -1), Uint8Array.of(...key, 0), Uint8Array.of(...key.subarray(0, -1), 0xff)])]

describe('a guide to a chunk of keys', () => {
  it.each(Object.keys(shapes))('leads to the row of each and to where others would be: %s', (shape) => {
    for (const count of [17, 31, 32, 33, 700, 2100]) {
      const keys = keysOf(shape, count), chunk = encodeKeys(kernels[0]!, keys), label = `${shape} × ${count}`
      const [byWasm, byJs] = kernels.map((kernel) => guided(kernel, chunk, keys.length))
      expect(Buffer.compare(byWasm!, byJs!), label).toBe(0)
      if (keys.length > 16) expect(byWasm!.length, label).toBe(chunk.length + keyGuideBytes(keys.length))
      const wanted = around(keys), rows = rowsOf(keys, wanted)
      for (const kernel of kernels) expect(search(kernel, byWasm!, wanted), label).toEqual(rows)
    }
  })

  it('is not made of few keys, nor of what is no plain text without nulls', () => {
    const texts = Array.from({ length: 2000 }, (_, i) => new Uint8Array(Buffer.from(`a text that is like all others ${String(i).padStart(4, '0')}`))), no = texts.map(() => false)
    for (const kernel of kernels) {
      for (const [chunk, rows] of [
        [encodeKeys(kernel, keysOf('numbers', 16)), 16],
        [encodeTexts(kernel, texts, no), 2000],
        [encodeTexts(kernel, texts.slice(0, 40).map((text, i) => (i === 3 ? new Uint8Array() : text)), no.slice(0, 40).map((_, i) => i === 3)), 40],
        [encodeNumbers(kernel, 'I64', Array.from({ length: 100 }, (_, i) => BigInt(i * i)), no.slice(0, 100)), 100],
      ] as const) expect(Buffer.compare(guided(kernel, chunk, rows), chunk)).toBe(0)
    }
  })

  it('is refused in bytes that are read', () => {
    for (const kernel of kernels) {
      const chunk = guided(kernel, encodeKeys(kernel, keysOf('numbers', 100)), 100)
      expect(scoped(kernel, (inner) => inner.exports.columnValidate(putBytes(inner, chunk), chunk.length))).not.toBe(0)
    }
  })
})
