/** Point reads of a table by the records of its runs and files: what both kinds find of each key, newest first, and what they leave to others. */
import { describe, expect, it } from 'vitest'
import { askedKeyBytes, cellStates, keysFoundBy, newestOutBytes, newestOutcomes, residentGroupBytes, residentHeadBytes, runsHeadBytes } from '../../src/kernel/column.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { encodeRow } from '../lsm/tree/tree-rows.ts'
import { kinds, openTestKernel, putBytes, putRefs } from './both-kinds.ts'
import { encodeNumbers, encodeTexts, guarded } from './column-chunks.ts'
import { encodeBatch, KernelMemtable, tableKey } from './skiplist-model.ts'
import type { Operation } from './skiplist-model.ts'

const rows = 60, groupCount = 3, tableId = 300
/** As stored: the key's column is none of the row's. */
const layout = { tableId, columns: ['bytes', 'i64', 'bytes', 'bytes'], key: [3] } as const
const key = (i: number): string => `the key ${String(i).padStart(4, '0')}`
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

/** First keys as `zoneMapRowGroupOf` takes them. */
function putFirstKeys({ heap, memory: { u8, u32, view } }: Kernel, firsts: readonly Uint8Array[], shared: number): readonly [prefixes: number, refs: number, texts: number] {
  const texts = heap.allocate(32 * firsts.length), refs = heap.allocate(8 * firsts.length), prefixes = heap.allocate(8 * firsts.length)
  firsts.forEach((first, i) => {
    u8.set(first, texts + 32 * i)
    u32.set([32 * i, first.length], (refs >>> 2) + 2 * i)
    const prefix = Buffer.alloc(8)
    prefix.set(first.subarray(shared, shared + 8))
    // Its upper half comes first.
    view.setUint32(prefixes + 8 * i, prefix.readUInt32BE(0), true)
    view.setUint32(prefixes + 8 * i + 4, prefix.readUInt32BE(4), true)
  })
  return [prefixes, refs, texts]
}

interface FileOf {
  /** The first of a row group's keys, of which it has every second. */
  readonly base: (group: number) => number
  readonly name: string
  /** A row group of which nothing is told. */
  readonly untold?: number
  /** Nothing is told of its filter and first keys. */
  readonly isUntold?: boolean
  /** Row groups whose keys have no index. */
  readonly searched?: readonly number[]
  /** Every fifth row of the last row group is a tombstone. */
  readonly hasTombstones?: boolean
  readonly hasRangeTombstones?: boolean
}

/** Columns: texts with nulls, integers, texts that are compressed; the file is older than the fourth. */
function putFile(kernel: Kernel, { base, name, untold, isUntold, searched = [], hasTombstones, hasRangeTombstones }: FileOf): number {
  const { exports, heap, memory: { u8, u32 } } = kernel, columnCount = 3
  const put = (chunk: Uint8Array): number => {
    const at = heap.allocate(chunk.length + 16)
    u8.set(chunk, at)
    return at
  }
  const record = heap.allocate(residentHeadBytes + groupCount * residentGroupBytes(columnCount))
  const keysOf = (g: number): Uint8Array[] => Array.from({ length: rows }, (_, i) => bytesOf(key(base(g) + 2 * i))), all = [0, 1, 2].flatMap(keysOf)
  const filterBytes = 512, filter = heap.allocate(filterBytes), hashes = heap.allocate(8 * all.length), shared = 'the key 0'.length
  u8.fill(0, filter, filter + filterBytes)
  exports.bloomHashRefs(putRefs(kernel, all), all.length, hashes)
  exports.bloomBuild(hashes, all.length, filter, filterBytes)
  const rowCounts = heap.allocate(4 * groupCount)
  u32.fill(rows, rowCounts >>> 2, (rowCounts >>> 2) + groupCount)
  u32.set([groupCount, shared, ...putFirstKeys(kernel, [0, 1, 2].map((g) => bytesOf(key(base(g)))), shared), columnCount, filter, filterBytes, hasRangeTombstones === true ? 1 : 0, isUntold === true ? 0 : rowCounts], (record >>> 2) + 4)
  for (let g = 0; g < groupCount; g++) {
    const keys = keysOf(g), bytes = rows * keys[0]!.length, range = <T>(of: (i: number) => T): T[] => Array.from({ length: rows }, (_, i) => of(i)), noNulls = range(() => false)
    const chunk = heap.allocate(exports.columnEncodeBound(rows, bytes)), scratch = heap.allocate(exports.columnScratchBytes(rows, bytes))
    exports.columnEncodeKeys(putRefs(kernel, keys), rows, chunk, scratch)
    const index = heap.allocate(exports.columnKeyIndexBytes(chunk)), at = record + residentHeadBytes + g * residentGroupBytes(columnCount)
    exports.columnIndexKeys(chunk, index, scratch)
    u32.set([
      chunk, g === untold ? keysFoundBy.isUntold : searched.includes(g) ? keysFoundBy.isSearch : index, g === 2 && hasTombstones === true ? put(encodeNumbers(kernel, 'I64', range((i) => (i % 5 === 0 ? 1n : 0n)), noNulls)) : 0,
      put(encodeTexts(kernel, range((i) => bytesOf(`${name} ${i}${i % 4 === 0 ? 'é' : ''}`)), range((i) => i % 7 === 0))),
      put(encodeNumbers(kernel, 'I64', range((i) => BigInt(1000 * g + i)), noNulls)),
      put(encodeTexts(kernel, range((i) => bytesOf(`${'the same in all rows '.repeat(40)}${i}`)), noNulls)),
    ], (at >>> 2) + 2)
  }
  return record
}

interface Asked {
  readonly memtables: readonly { readonly handle: number; readonly seesAll: boolean }[]
  /** Newest first, each with the first keys of its files. */
  readonly runs: readonly (readonly { readonly record: number; readonly first: string }[])[]
}

/** A record, and what is told by it: as text, with the counts. */
function putRuns(kernel: Kernel, { memtables, runs }: Asked) {
  const { exports, heap, memory: { u8, u32, i32, f64, view } } = kernel
  const record = heap.allocate(runsHeadBytes + 8 * memtables.length + 32 * runs.length), counts = heap.allocate(24), descriptor = heap.allocate(16), places = heap.allocate(16), hash = heap.allocate(8)
  f64.fill(0, counts >>> 3, (counts >>> 3) + 3)
  u32.set([3, 3, 1, 3], descriptor >>> 2)
  i32.set([0, 1, 2, -1], places >>> 2)
  u32.set([memtables.length, runs.length, 0, descriptor, 4, places, counts, 0, ...memtables.flatMap(({ handle, seesAll }) => [handle, seesAll ? 1 : 0])], record >>> 2)
  view.setUint32(record + 8, tableId)
  let number = 10
  runs.forEach((files, i) => {
    const records = heap.allocate(4 * files.length)
    u32.set(files.map((file) => file.record), records >>> 2)
    const run = [files.length, 0, ...putFirstKeys(kernel, files.map(({ first }) => bytesOf(first)), 0), records, number, 0]
    u32.set(run, (record + runsHeadBytes + 8 * memtables.length + 32 * i) >>> 2)
    number += files.length
  })
  /** By `columnGetNewest`, or by `columnGetNewestMany`: what is told of a row that stands in `out`. */
  const shown = (row: number, out: number, ordinal: number): string => {
    const word = out >>> 2
    if (row === newestOutcomes.isUnknown) return `unknown in ${u32[word + 4]! === 0xffff_ffff ? 'a memtable' : `file ${u32[word + 4]!}`}`
    if (row < 0 && row !== newestOutcomes.isInMemtable) return row === newestOutcomes.isAbsent ? 'absent' : 'deleted'
    const state = u32[word + 2]!, hasNone = state === cellStates.isNull || state === cellStates.isUnread
    const value = hasNone ? '' : ordinal === 1 ? String(u32[word]!) : Buffer.from(u8.subarray(u32[word], u32[word]! + u32[word + 1]!)).toString()
    return `${row < 0 ? 'memtable' : `file ${u32[word + 4]!} group ${u32[word + 3]!} row ${row}`} state ${state} ${value}`
  }
  return {
    askMany(texts: readonly string[], ordinal: number, sequence: number): readonly string[] {
      const asked = heap.allocate(askedKeyBytes * texts.length), out = guarded(kernel, newestOutBytes * texts.length), work = guarded(kernel, 8)
      texts.forEach((text, i) => {
        const at = asked + askedKeyBytes * i, bytes = putBytes(kernel, bytesOf(text))
        f64[at >>> 3] = sequence
        u32.set([record, bytes], (at >>> 2) + 2)
        exports.bloomHash(bytes, text.length, at + 16)
        u32[(at >>> 2) + 6] = text.length
      })
      exports.columnGetNewestMany(asked, texts.length, ordinal, out.address, work.address)
      out.check('values')
      work.check('work')
      return texts.map((_, i) => shown(i32[(asked + askedKeyBytes * i + 28) >>> 2]!, out.address + newestOutBytes * i, ordinal))
    },
    counts: () => [...f64.subarray(counts >>> 3, (counts >>> 3) + 3)],
    ask(text: string | Uint8Array, ordinal: number, sequence: number): string {
      const bytes = typeof text === 'string' ? bytesOf(text) : text, out = guarded(kernel, newestOutBytes), at = putBytes(kernel, bytes)
      exports.bloomHash(at, bytes.length, hash)
      const row = exports.columnGetNewest(record, sequence, hash, at, bytes.length, ordinal, out.address)
      out.check('value')
      return shown(row, out.address, ordinal)
    },
  }
}

const allKeys = Array.from({ length: 600 }, (_, i) => i)
const { isNull, isThere, isAscii, isUnread } = cellStates

describe.each(kinds)('the newest row of a key (%s)', (kind) => {
  it.each([-1, 0, 1, 2, 3])('is found with what is in column %i of it, in row groups that are told of alone', (ordinal) => {
    const kernel = openTestKernel(kind), record = putFile(kernel, { base: (g) => 200 * g, name: 'of', untold: 1, hasTombstones: true })
    const { ask } = putRuns(kernel, { memtables: [], runs: [[{ record, first: key(0) }]] })
    const expected = (i: number): string => {
      const group = Math.floor(i / 200), row = (i % 200) / 2
      if (group === 1) return 'unknown in file 10'
      if (!Number.isInteger(row) || row >= rows) return 'absent'
      // One that is compressed is left to others before anybody asks whether the row is there.
      if (ordinal === 2) return 'unknown in file 10'
      if (group === 2 && row % 5 === 0) return 'deleted'
      const found = (state: number, value = ''): string => `file 10 group ${group} row ${row} state ${state} ${value}`
      if (ordinal === 0) return row % 7 === 0 ? found(isNull) : row % 4 === 0 ? found(isThere, `of ${row}é`) : found(isAscii, `of ${row}`)
      return ordinal === 1 ? found(isThere, String(1000 * group + row)) : found(isUnread)
    }
    expect(['', 'z'].map((text) => ask(text, ordinal, 1))).toEqual(['absent', 'absent'])
    expect(allKeys.map((i) => ask(key(i), ordinal, 1))).toEqual(allKeys.map(expected))
  })

  it.each([-1, 0, 1, 2, 3])('is found with what is in column %i of it by a search as by an index, until a row group was searched often', (ordinal) => {
    const kernel = openTestKernel(kind), base = (g: number): number => 200 * g
    const asks = [undefined, [0, 1, 2]].map((searched) => putRuns(kernel, { memtables: [], runs: [[{ record: putFile(kernel, { base, name: 'of', hasTombstones: true, ...(searched && { searched }) }), first: key(0) }]] }).ask)
    const asked = [0, 1, 2].flatMap((g) => Array.from({ length: keysFoundBy.searchesMax - keysFoundBy.isSearch }, (_, i) => key(base(g) + 4 * i - i % 2)))
    const [indexed, searched] = asks.map((ask) => asked.map((text) => ask(text, ordinal, 1)))
    expect(searched).toEqual(indexed)
    for (const g of [0, 1, 2]) for (let i = 0; i < 3; i++) expect(asks[1]!(key(base(g)), ordinal, 1)).toBe('unknown in file 10')
  })

  it('is found by integers, which have no index, however often', () => {
    const kernel = openTestKernel(kind), { exports, heap, memory: { u8, u32, view } } = kernel, count = 500
    const put = (chunk: Uint8Array): number => {
      const at = heap.allocate(chunk.length + 16)
      u8.set(chunk, at)
      return at
    }
    const numbers = Array.from({ length: count }, (_, i) => BigInt(3 * i - 600)), noNulls = numbers.map(() => false)
    const keyBytes = (number: bigint): Uint8Array => {
      const at = heap.allocate(8)
      view.setBigInt64(at, number ^ -0x8000_0000_0000_0000n)
      return u8.slice(at, at + 8)
    }
    const record = heap.allocate(residentHeadBytes + residentGroupBytes(2)), rowCounts = heap.allocate(4), [prefixes, refs, texts] = putFirstKeys(kernel, [keyBytes(numbers[0]!)], 0), keys = put(encodeNumbers(kernel, 'I64', numbers, noNulls))
    u32[rowCounts >>> 2] = count
    u32.set([1, 0, prefixes, refs, texts, 2, 0, 0, 0, rowCounts], (record >>> 2) + 4)
    u32.set([keys, keysFoundBy.isSearch, 0, keys, put(encodeNumbers(kernel, 'I64', numbers.map((number) => number * 7n), noNulls.map((_, i) => i % 9 === 0)))], ((record + residentHeadBytes) >>> 2) + 2)
    const { ask } = putRuns(kernel, { memtables: [], runs: [[{ record, first: '' }]] })
    for (let number = -605; number < 910; number++) {
      const row = (number + 600) / 3, isThere = Number.isInteger(row) && row >= 0 && row < count
      const told = ask(keyBytes(BigInt(number)), 1, 1)
      expect(told).toBe(!isThere ? 'absent' : row % 9 === 0 ? `file 10 group 0 row ${row} state ${isNull} ` : `file 10 group 0 row ${row} state ${cellStates.isThere} ${(number * 7) >>> 0}`)
    }
    expect(exports.columnKeyIndexBytes(keys)).toBe(0)
  })

  it('is that of a memtable before that of a file, and of a newer file before an older one', () => {
    const kernel = openTestKernel(kind)
    // Keys from 100 on are in a newer file too, from 300 on in another of its run.
    const [newer, next, old] = [putFile(kernel, { base: (g) => 100 + 60 * g, name: 'newer' }), putFile(kernel, { base: (g) => 300 + 60 * g, name: 'next' }), putFile(kernel, { base: (g) => 200 * g, name: 'old', hasTombstones: true })]
    const newest = putFile(kernel, { base: () => 51, name: 'newest' })
    const written = new KernelMemtable(kernel), frozen = new KernelMemtable(kernel)
    const put = (i: number, value: string | null): Operation => ({ kind: 'put', key: tableKey(tableId, key(i)), value: Buffer.from(encodeRow(layout, [value === null ? null : Buffer.from(value), BigInt(i), Buffer.from('x')])) })
    expect(frozen.applyBytes(encodeBatch(1, [...allKeys.filter((i) => i % 10 === 0).map((i) => put(i, `frozen ${i}`)), { kind: 'delete', key: tableKey(tableId, key(2)) }]))).toBe(0)
    // Of another table, and of this at two times.
    expect(written.applyBytes(encodeBatch(100, [{ kind: 'put', key: tableKey(tableId + 1, key(4)), value: Buffer.from(encodeRow(layout, [null, 1n, null])) }, put(10, 'first'), put(30, null)]))).toBe(0)
    expect(written.applyBytes(encodeBatch(200, [put(10, 'sécond'), { kind: 'delete', key: tableKey(tableId, key(20)) }]))).toBe(0)
    const runs = [[{ record: newest, first: key(51) }], [{ record: newer, first: key(100) }, { record: next, first: key(300) }], [{ record: old, first: key(0) }]]
    const { ask, counts } = putRuns(kernel, { memtables: [{ handle: written.table, seesAll: false }, { handle: frozen.table, seesAll: false }], runs })
    expect([10, 20, 30].map((i) => ask(key(i), 0, 300))).toEqual([`memtable state ${isThere} sécond`, 'deleted', `memtable state ${isNull} `])
    expect([10, 20, 30].map((i) => ask(key(i), 0, 150))).toEqual([`memtable state ${isAscii} first`, `memtable state ${isAscii} frozen 20`, `memtable state ${isNull} `])
    expect(ask(key(10), 0, 50)).toBe(`memtable state ${isAscii} frozen 10`)
    // A read before all of that sees the files alone.
    expect(ask(key(10), 0, 0)).toBe(`file 13 group 0 row 5 state ${isAscii} old 5`)
    expect(ask(key(2), 0, 300)).toBe('deleted')
    expect([ask(key(10), 1, 300), ask(key(10), 3, 300), ask(key(10), -1, 300), ask(key(10), 9, 300)]).toEqual([`memtable state ${isThere} 10`, ...Array.from({ length: 3 }, () => `memtable state ${isUnread} `)])
    expect(counts()).toEqual([expect.any(Number), 1, expect.any(Number)])
    expect(ask(key(4), 0, 300)).toBe(`file 13 group 0 row 2 state ${isAscii} old 2`)
    expect(ask(key(102), 0, 300)).toBe(`file 11 group 0 row 1 state ${isAscii} newer 1`)
    expect(ask(key(302), 0, 300)).toBe(`file 12 group 0 row 1 state ${isAscii} next 1`)
    expect(ask(key(53), 0, 300)).toBe(`file 10 group 2 row 1 state ${isAscii} newest 1`)
    expect(ask(key(7), 0, 300)).toBe('absent')
    // What an overlay's holder wrote is seen whatever the sequence is.
    const own = putRuns(kernel, { memtables: [{ handle: written.table, seesAll: true }], runs })
    expect(own.ask(key(10), 0, 0)).toBe(`memtable state ${isThere} sécond`)
  })

  it('is found of many keys at once as of each by itself', () => {
    const kernel = openTestKernel(kind), memtable = new KernelMemtable(kernel), empty = new KernelMemtable(kernel)
    const newer = putFile(kernel, { base: (g) => 100 + 60 * g, name: 'newer', untold: 1 }), old = putFile(kernel, { base: (g) => 200 * g, name: 'old', hasTombstones: true })
    const puts = allKeys.filter((i) => i % 3 === 0).map((i): Operation => ({ kind: 'put', key: tableKey(tableId, key(i)), value: Buffer.from(encodeRow(layout, [Buffer.from(`row ${i}`), BigInt(i), null])) }))
    // Rows of which some are read ahead beyond the end of what was written.
    expect(memtable.applyBytes(encodeBatch(1, puts))).toBe(0)
    const { ask, askMany } = putRuns(kernel, { memtables: [empty, memtable].map(({ table }) => ({ handle: table, seesAll: false })), runs: [[{ record: newer, first: key(100) }], [{ record: old, first: key(0) }]] })
    const texts = ['', 'z', ...allKeys.map(key)]
    for (const ordinal of [-1, 0, 1, 2, 3]) for (const sequence of [0, 50, 1000]) expect(askMany(texts, ordinal, sequence)).toEqual(texts.map((text) => ask(text, ordinal, sequence)))
    expect(askMany([], 0, 1)).toEqual([])
    expect(new Set(askMany(texts, 0, 1000).map((told) => told.split(' ')[0]))).toEqual(new Set(['absent', 'deleted', 'file', 'memtable', 'unknown']))
  })

  it('is left to others where range tombstones may hide it, and where nothing is told of a file that may have it', () => {
    const kernel = openTestKernel(kind), old = putFile(kernel, { base: (g) => 200 * g, name: 'old' })
    const covering = putFile(kernel, { base: (g) => 1 + 200 * g, name: 'over', hasRangeTombstones: true }), untold = putFile(kernel, { base: (g) => 1 + 200 * g, name: 'untold', isUntold: true })
    const deleting = new KernelMemtable(kernel)
    expect(deleting.applyBytes(encodeBatch(5, [{ kind: 'rangeDelete', key: tableKey(tableId, key(0)), end: tableKey(tableId, key(5)) }]))).toBe(0)
    const oldest = [{ record: old, first: key(0) }]
    const of = (asked: Partial<Asked>, i: number): string => putRuns(kernel, { memtables: [], runs: [oldest], ...asked }).ask(key(i), 0, 10)
    expect(of({ memtables: [{ handle: deleting.table, seesAll: false }] }, 2)).toBe('unknown in a memtable')
    expect([of({ runs: [[{ record: covering, first: key(1) }], oldest] }, 3), of({ runs: [[{ record: covering, first: key(1) }], oldest] }, 2)]).toEqual([`file 10 group 0 row 1 state ${isAscii} over 1`, 'unknown in file 10'])
    // With nothing older they hide nothing.
    expect(of({ runs: [[{ record: covering, first: key(1) }]] }, 2)).toBe('absent')
    expect([of({ runs: [[{ record: untold, first: key(1) }], oldest] }, 2), of({ runs: [[{ record: 0, first: key(1) }], oldest] }, 2)]).toEqual(['unknown in file 10', 'unknown in file 10'])
    expect(of({ runs: [oldest, [{ record: untold, first: key(1) }]] }, 2)).toBe(`file 10 group 0 row 1 state ${isAscii} old 1`)
    expect(of({ runs: [] }, 2)).toBe('absent')
  })

  it('is looked for in files whose filters do not exclude it alone, as the counts tell', () => {
    const kernel = openTestKernel(kind), newer = putFile(kernel, { base: (g) => 1 + 200 * g, name: 'newer' }), old = putFile(kernel, { base: (g) => 200 * g, name: 'old' })
    const { ask, counts } = putRuns(kernel, { memtables: [], runs: [[{ record: newer, first: key(1) }], [{ record: old, first: key(0) }]] })
    const told = allKeys.map((i) => ask(key(i), 1, 1)), foundIn = (file: number): number => told.filter((each) => each.startsWith(`file ${file}`)).length
    expect([foundIn(10), foundIn(11)]).toEqual([3 * rows, 3 * rows])
    const [absent, present, wrong] = counts() as [number, number, number], missing = allKeys.length - 6 * rows
    expect(present).toBe(6 * rows)
    // The newer file does not have what the older has, nor what neither has; the older, the last, is asked by its index alone.
    expect(absent + wrong).toBe(3 * rows + 2 * missing)
    expect(wrong).toBeLessThan(3 * rows)
  })
})
