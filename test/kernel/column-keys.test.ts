/** Key chunks: plain whatever the keys are, equal bytes from both kinds, searched without scratch. */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/runtime/random.ts'
import { kinds, openTestKernel, putBytes, putRefs, takeBytes } from './both-kinds.ts'
import { withChunk } from './column-chunks.ts'

const sets: Readonly<Record<string, readonly string[]>> = {
  'one key': ['k'],
  'the empty key': ['', 'a'],
  'digits that compress well': Array.from({ length: 3000 }, (_, i) => String(i * 3).padStart(16, '0')),
  'keys of many lengths': Array.from({ length: 1025 }, (_, i) => `${String(i).padStart(4, '0')}${'x'.repeat(i % 50)}`),
}

const plainEncoding = 17

/** Keys of one length: shared beginnings, long stretches that agree in eight bytes and more, and what lies between. */
function equalLengths(length: number, shared: number, alphabet: string): readonly string[] {
  const random = seededRandom(length + shared), count = 1500
  const keys = new Set<string>()
  while (keys.size < count) keys.add('p'.repeat(shared) + Array.from({ length: length - shared }, () => alphabet[random.below(alphabet.length)]!).join(''))
  return [...keys].sort()
}

describe('key chunks', () => {
  it.each(Object.entries(sets))('keep %s plain and find them', (_, texts) => {
    const keys = texts.map((text) => new Uint8Array(Buffer.from(text)))
    const dataBytes = keys.reduce((sum, key) => sum + key.length, 0)
    const chunks = kinds.map((kind) => {
      const kernel = openTestKernel(kind)
      const { exports, heap } = kernel
      const out = heap.allocate(exports.columnEncodeBound(keys.length, dataBytes))
      const scratch = heap.allocate(exports.columnScratchBytes(keys.length, dataBytes))
      const byteLength = exports.columnEncodeKeys(putRefs(kernel, keys), keys.length, out, scratch)
      expect(byteLength).toBeLessThanOrEqual(exports.columnEncodeBound(keys.length, dataBytes))
      const chunk = takeBytes(kernel, out, byteLength)
      withChunk(kernel, chunk, (address) => {
        expect([exports.columnEncoding(address), exports.columnCount(address), exports.columnDecodeScratchBytes(address)]).toEqual([plainEncoding, keys.length, 0])
        keys.forEach((key, row) => expect(exports.columnLowerBoundBytes(address, putBytes(kernel, key), key.length, 0)).toBe(row))
      })
      return chunk
    })
    expect(chunks[1]).toEqual(chunks[0])
  })

  it.each([[8, 0, '0123456789'], [9, 0, '0123456789'], [16, 0, 'ab'], [16, 8, '0123456789'], [16, 11, '0123456789'], [24, 3, 'ab'], [40, 20, 'ab'], [13, 2, '01']] as const)('of %d bytes, %d of them shared, are found as others are', (length, shared, alphabet) => {
    const texts = equalLengths(length, shared, alphabet), keys = texts.map((text) => new Uint8Array(Buffer.from(text)))
    const wanted = [...texts.filter((_, i) => i % 7 === 0), ...texts.flatMap((text, i) => (i % 11 === 0 ? [text.slice(0, -1), `${text}0`, `${text.slice(0, -1)}5`, text.slice(0, shared), `${text.slice(0, length >> 1)}z`, `o${text.slice(1)}`, `q${text.slice(1)}`] : [])), '']
    const rows = wanted.map((key) => texts.findIndex((text) => text >= key)).map((row) => (row < 0 ? texts.length : row))
    for (const kind of kinds) {
      const kernel = openTestKernel(kind), { exports, heap } = kernel
      const out = heap.allocate(exports.columnEncodeBound(keys.length, length * keys.length)), scratch = heap.allocate(exports.columnScratchBytes(keys.length, length * keys.length))
      exports.columnEncodeKeys(putRefs(kernel, keys), keys.length, out, scratch)
      expect(wanted.map((key) => exports.columnLowerBoundBytes(out, putBytes(kernel, new Uint8Array(Buffer.from(key))), key.length, 0)), kind).toEqual(rows)
      const work = heap.allocate(8)
      expect(wanted.map((key) => exports.columnFindKey(out, putBytes(kernel, new Uint8Array(Buffer.from(key))), key.length, work, 0)), kind).toEqual(wanted.map((key, i) => (texts[rows[i]!] === key ? rows[i] : -1)))
    }
  })
})
