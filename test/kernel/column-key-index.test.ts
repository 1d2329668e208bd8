/** Indexes of chunks of keys: the same bytes by both kinds, and the row of every key that is there and of none that is not. */
import { describe, expect, it } from 'vitest'
import { cellStates } from '../../src/kernel/column.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { seededRandom } from '../../src/runtime/random.ts'
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
    // Lines of 64 bytes, each for 12 keys, and one to begin at the next.
    expect(wasm!.length).toBe(64 * (Math.ceil(keys.length / 12) + 1))
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

/** ASCII that nothing compresses. */
function noise(length: number): string {
  const random = seededRandom(length)
  return Array.from({ length }, () => String.fromCharCode(33 + random.below(94))).join('')
}

describe('the value beside a key that an index finds', () => {
  const texts = Array.from({ length: 40 }, (_, i) => `key ${String(i).padStart(3, '0')}`), keys = texts.map(bytesOf)
  /** Rows in turn: null, empty, ASCII of all lengths, one character beyond it anywhere, longer than is looked through. */
  const values = texts.map((_, i) => bytesOf(i === 1 ? '' : i === 39 ? noise(1025) : i % 3 === 0 ? `${noise(i)}é` : noise(i)))
  const nulls = texts.map((_, i) => i % 7 === 0), noNulls = texts.map(() => false)
  const numbers = texts.map((_, i) => BigInt(i) * 1_000_003n)
  const chunks = (kernel: Kernel): readonly (readonly [name: string, chunk: Uint8Array | undefined])[] => [
    ['no column', undefined],
    ['texts', encodeTexts(kernel, values, nulls)],
    ['integers', encodeNumbers(kernel, 'I64', numbers, nulls)],
    ['doubles', encodeNumbers(kernel, 'F64', numbers, noNulls)],
    ['compressed', encodeTexts(kernel, texts.map((_, i) => bytesOf(`${'the same in all rows '.repeat(20)}${i}`)), noNulls)],
    ['of fewer rows', encodeNumbers(kernel, 'I64', numbers.slice(0, 20), noNulls.slice(0, 20))],
  ]

  /** By key: what becomes of it, and the value's bytes where it has one. */
  function found(kernel: Kernel, chunk: Uint8Array | undefined): readonly string[] {
    const { exports, memory: { u8, u32 } } = kernel
    return withChunk(kernel, encodeKeys(kernel, keys), (address) => withChunk(kernel, chunk ?? encodeKeys(kernel, keys), (column) => {
      const index = kernel.heap.allocate(exports.columnKeyIndexBytes(address)), out = guarded(kernel, 16), hash = kernel.heap.allocate(8)
      exports.columnIndexKeys(address, index, out.address)
      const isText = chunk !== undefined && exports.columnKind(column) === 3
      return [...keys, bytesOf('nowhere')].map((key) => {
        const at = putBytes(kernel, key)
        exports.bloomHash(at, key.length, hash)
        const row = exports.columnGetIndexed(address, index, hash, at, key.length, chunk === undefined ? 0 : column, out.address)
        out.check('value')
        if (row < 0) return 'absent'
        const state = u32[(out.address >>> 2) + 2]!, [from, length] = u32.subarray(out.address >>> 2)
        if (state === cellStates.isNull || state === cellStates.isUnread) return `${row} ${state}`
        return `${row} ${state} ${isText ? Buffer.from(u8.subarray(from, from! + length!)).toString() : String(kernel.memory.i64[out.address >>> 3])}`
      })
    }))
  }

  it('is the row\'s, or left to others to read', () => {
    const { isNull, isThere, isAscii, isUnread } = cellStates
    for (const kind of kinds) {
      const kernel = openTestKernel(kind), of = new Map(chunks(kernel).map(([name, chunk]) => [name, found(kernel, chunk)]))
      for (const answers of of.values()) expect(answers.at(-1)).toBe('absent')
      texts.forEach((_, i) => {
        const text = Buffer.from(values[i]!).toString(), ofText = i === 39 || text.endsWith('é') ? isThere : isAscii
        expect(of.get('no column')![i], kind).toBe(`${i} ${isUnread}`)
        expect(of.get('texts')![i], kind).toBe(nulls[i]! ? `${i} ${isNull}` : `${i} ${ofText} ${text}`)
        expect(of.get('integers')![i], kind).toBe(nulls[i]! ? `${i} ${isNull}` : `${i} ${isThere} ${numbers[i]!}`)
        expect(of.get('doubles')![i], kind).toBe(`${i} ${isThere} ${numbers[i]!}`)
        expect(of.get('compressed')![i], kind).toBe(`${i} ${isUnread}`)
        expect(of.get('of fewer rows')![i], kind).toBe(i < 20 ? `${i} ${isThere} ${numbers[i]!}` : `${i} ${isUnread}`)
      })
    }
  })
})
