/** Indexes of chunks of keys: the same bytes by both kinds, and the row of every key that is there and of none that is not. */
import { describe, expect, it } from 'vitest'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { kinds, openTestKernel, putBytes, putRefs, takeBytes } from './both-kinds.ts'
import { encodeNumbers, encodeTexts, guarded, withChunk } from './column-chunks.ts'

const absent = -1

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

function encodeKeys({ heap, exports, ...rest }: Kernel, keys: readonly Uint8Array[]): Uint8Array {
  const kernel = { heap, exports, ...rest }, dataBytes = keys.reduce((sum, key) => sum + key.length, 0)
  const out = heap.allocate(exports.columnEncodeBound(keys.length, dataBytes)), scratch = heap.allocate(exports.columnScratchBytes(keys.length, dataBytes))
  return takeBytes(kernel, out, exports.columnEncodeKeys(putRefs(kernel, keys), keys.length, out, scratch))
}

/** The index of a chunk, and where it says that `wanted` are. */
function indexed(kernel: Kernel, chunk: Uint8Array, wanted: readonly Uint8Array[]): { readonly index: Uint8Array; readonly rows: readonly number[] } {
  return withChunk(kernel, chunk, (address) => {
    const { exports } = kernel, indexBytes = exports.columnKeyIndexBytes(address)
    const index = guarded(kernel, indexBytes), work = guarded(kernel, 8), hash = kernel.heap.allocate(8)
    exports.columnIndexKeys(address, index.address, work.address)
    const rows = wanted.map((key) => {
      const at = putBytes(kernel, key)
      exports.bloomHash(at, key.length, hash)
      return exports.columnFindIndexed(address, index.address, hash, at, key.length, work.address)
    })
    index.check('index')
    work.check('index (work)')
    return { index: takeBytes(kernel, index.address, indexBytes), rows }
  })
}

const sets: Readonly<Record<string, readonly string[]>> = {
  'of one length': Array.from({ length: 1130 }, (_, i) => String(2 * i).padStart(16, '0')),
  'of all lengths, the empty one too': Array.from({ length: 2500 }, (_, i) => 'x'.repeat(i % 7) + String(i).padStart(4, '0')).concat('').toSorted(),
  'of a single row': ['only'],
}

describe.each(Object.entries(sets))('an index of keys %s', (_, texts) => {
  const keys = texts.map(bytesOf), others = [...texts.map((text) => bytesOf(`${text}~`)), bytesOf('nowhere')]

  it('finds the row of each, and no other key', () => {
    for (const kind of kinds) {
      const kernel = openTestKernel(kind), { rows } = indexed(kernel, encodeKeys(kernel, keys), [...keys, ...others])
      expect(rows, kind).toEqual([...keys.keys(), ...others.map(() => absent)])
    }
  })

  it('has equal bytes by both kinds', () => {
    const [wasm, js] = kinds.map((kind) => {
      const kernel = openTestKernel(kind)
      return indexed(kernel, encodeKeys(kernel, keys), []).index
    })
    expect(Buffer.compare(wasm!, js!)).toBe(0)
    expect(wasm!.length / 4).toBeGreaterThan(keys.length)
    expect(wasm!.length / 4).toBeLessThanOrEqual(4 * keys.length)
  })
})

describe.each(kinds)('no index (%s)', (kind) => {
  it('is there of chunks that are not plain texts without nulls', () => {
    const kernel = openTestKernel(kind)
    const compressed = encodeTexts(kernel, Array.from({ length: 2000 }, (_, i) => bytesOf(`a text that is like all others ${i}`)), Array.from({ length: 2000 }, () => false))
    for (const chunk of [encodeNumbers(kernel, 'I64', [1n, 5n, 9n], [false, false, false]), compressed]) {
      expect(withChunk(kernel, chunk, (address) => [kernel.exports.columnByteLength(address), kernel.exports.columnKeyIndexBytes(address)])).toEqual([chunk.length, 0])
    }
    // Compressed text is not read without scratch.
    expect(withChunk(kernel, compressed, (address) => kernel.exports.columnGetBytes(address, 3, kernel.heap.allocate(8), 0))).toBe(-2)
  })
})
