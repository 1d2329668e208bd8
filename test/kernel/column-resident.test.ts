/** Point reads by the record of what is in memory of a file: what both kinds find of each key, and what they leave to others. */
import { expect, it } from 'vitest'
import { cellStates, residentGroupBytes, residentHeadBytes } from '../../src/kernel/column.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { kinds, openTestKernel, putBytes, putRefs } from './both-kinds.ts'
import { encodeNumbers, encodeTexts, guarded } from './column-chunks.ts'

const rows = 60, version = 7, groupCount = 3
const key = (i: number): string => `the key ${String(i).padStart(4, '0')}`
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
const range = <T>(of: (i: number) => T, from = 0): T[] => Array.from({ length: rows }, (_, i) => of(from + i))

/** Row group g has the even keys from 200 g on. Columns: texts with nulls, integers, texts that are compressed. Every fifth row of the last one is a tombstone. */
function putFile(kernel: Kernel): number {
  const { exports, heap, memory: { u8, u32, f64, view } } = kernel, columnCount = 3
  const put = (chunk: Uint8Array): number => {
    const at = heap.allocate(chunk.length + 16)
    u8.set(chunk, at)
    return at
  }
  const record = heap.allocate(residentHeadBytes + groupCount * residentGroupBytes(columnCount))
  const firsts = Array.from({ length: groupCount }, (_, g) => bytesOf(key(200 * g))), shared = 'the key 0'.length
  const texts = heap.allocate(256), refs = heap.allocate(8 * groupCount), prefixes = heap.allocate(8 * groupCount)
  firsts.forEach((first, g) => {
    u8.set(first, texts + 32 * g)
    u32.set([32 * g, first.length], (refs >>> 2) + 2 * g)
    const prefix = Buffer.alloc(8)
    prefix.set(first.subarray(shared))
    // Its upper half comes first.
    view.setUint32(prefixes + 8 * g, prefix.readUInt32BE(0), true)
    view.setUint32(prefixes + 8 * g + 4, prefix.readUInt32BE(4), true)
  })
  u32.set([groupCount, shared, prefixes, refs, texts, columnCount], record >>> 2)
  for (let g = 0; g < groupCount; g++) {
    const keys = range((i) => bytesOf(key(200 * g + 2 * i))), bytes = rows * keys[0]!.length
    const chunk = heap.allocate(exports.columnEncodeBound(rows, bytes)), scratch = heap.allocate(exports.columnScratchBytes(rows, bytes))
    exports.columnEncodeKeys(putRefs(kernel, keys), rows, chunk, scratch)
    const index = heap.allocate(exports.columnKeyIndexBytes(chunk)), at = record + residentHeadBytes + g * residentGroupBytes(columnCount)
    exports.columnIndexKeys(chunk, index, scratch)
    f64[at >>> 3] = g === 1 ? version - 1 : version
    const noNulls = range(() => false)
    u32.set([
      chunk, index, g === 2 ? put(encodeNumbers(kernel, 'I64', range((i) => (i % 5 === 0 ? 1n : 0n)), noNulls)) : 0,
      put(encodeTexts(kernel, range((i) => bytesOf(`of ${i}${i % 4 === 0 ? 'é' : ''}`)), range((i) => i % 7 === 0))),
      put(encodeNumbers(kernel, 'I64', range((i) => BigInt(i), 1000 * g), noNulls)),
      put(encodeTexts(kernel, range((i) => bytesOf(`${'the same in all rows '.repeat(40)}${i}`)), noNulls)),
    ], (at >>> 2) + 2)
  }
  return record
}

/** What is told of every key up to 600, and of one below and one above all, as text. */
function answers(kernel: Kernel, ordinal: number): readonly string[] {
  const { exports, heap, memory: { u8, u32 } } = kernel, record = putFile(kernel), hash = heap.allocate(8)
  return ['', ...Array.from({ length: 600 }, (_, i) => key(i)), 'z'].map((text) => {
    const out = guarded(kernel, 24), at = putBytes(kernel, bytesOf(text)), word = out.address >>> 2
    exports.bloomHash(at, text.length, hash)
    const row = exports.columnGetResident(record, version, hash, at, text.length, ordinal, out.address)
    out.check('value')
    if (row < 0) return String(row)
    const state = u32[word + 2]!, hasNone = state === cellStates.isNull || state === cellStates.isUnread
    const value = hasNone ? '' : ordinal === 1 ? String(u32[word]!) : Buffer.from(u8.subarray(u32[word], u32[word]! + u32[word + 1]!)).toString()
    return `group ${u32[word + 3]!} row ${row} state ${state} ${value}`
  })
}

const { isNull, isThere, isAscii, isUnread } = cellStates

function expected(i: number, ordinal: number): string {
  const group = Math.floor(i / 200), row = (i % 200) / 2
  if (group === 1) return '-3'
  if (!Number.isInteger(row) || row >= rows) return '-1'
  // One that is compressed is left to others before anybody asks whether the row is there.
  if (ordinal === 2) return '-3'
  if (group === 2 && row % 5 === 0) return '-2'
  const found = (state: number, value = ''): string => `group ${group} row ${row} state ${state} ${value}`
  if (ordinal === 0) return row % 7 === 0 ? found(isNull) : row % 4 === 0 ? found(isThere, `of ${row}é`) : found(isAscii, `of ${row}`)
  return ordinal === 1 ? found(isThere, String(1000 * group + row)) : found(isUnread)
}

it.each([-1, 0, 1, 2, 3])('finds what is in column %i of a row, in row groups that were noted under the version alone', (ordinal) => {
  for (const kind of kinds) {
    const found = answers(openTestKernel(kind), ordinal)
    expect(found[0], kind).toBe('-3')
    expect(found.slice(1, -1), kind).toEqual(Array.from({ length: 600 }, (_, i) => expected(i, ordinal)))
    expect(found.at(-1), kind).toBe('-1')
  }
})
