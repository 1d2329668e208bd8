/** Key chunks: plain whatever the keys are, equal bytes from both kinds, searched without scratch. */
import { describe, expect, it } from 'vitest'
import { kinds, openTestKernel, putBytes, putRefs, takeBytes } from './both-kinds.ts'
import { withChunk } from './column-chunks.ts'

const sets: Readonly<Record<string, readonly string[]>> = {
  'one key': ['k'],
  'the empty key': ['', 'a'],
  'digits that compress well': Array.from({ length: 3000 }, (_, i) => String(i * 3).padStart(16, '0')),
  'keys of many lengths': Array.from({ length: 1025 }, (_, i) => `${String(i).padStart(4, '0')}${'x'.repeat(i % 50)}`),
}

const plainEncoding = 17

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
})
