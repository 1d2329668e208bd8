/** The first rows of a range out of memtables and files, of both kinds, against a model: with deletions, nulls, bounds, compressed text, and what is told only when asked for. */
import { describe, expect, it } from 'vitest'
import { keyGuideBytes, residentGroupBytes, residentHeadBytes, runsHeadBytes, runsMemtableBytes, runsRunBytes } from '../../src/kernel/column.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { laneAsks, laneBytes, laneColumnBytes, laneRowsBytes, laneRunBytes, laneScratchOffset, walkBytes, walkPartBytes } from '../../src/kernel/merge.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'
import { fullTests, kinds, openTestKernel, putBytes, putRefs, takeBits, takeBytes } from './both-kinds.ts'
import { encodeNumbers, encodeTexts, guarded } from './column-chunks.ts'
import { encodeBatch, tableKey } from './skiplist-model.ts'
import type { Operation } from './skiplist-model.ts'

const tableId = 7, version = 3, columnCount = 3, seed = Number(process.env['LSMT_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/** Columns: a text and an integer, either of which may be null. undefined: deleted. */
type Values = { readonly text: string | null; readonly number: bigint | null } | undefined
type Entry = readonly [key: number, values: Values]

/** Entries in key order; of files in row groups. */
type Run = { readonly memtable: readonly Entry[] } | { readonly files: readonly (readonly (readonly Entry[])[])[] }

interface Case {
  /** Newest first; of each part memtables come before files. */
  readonly parts: readonly (readonly Run[])[]
  readonly keyKind: 1 | 3
  readonly lower: Uint8Array
  readonly upper: Uint8Array | undefined
  readonly limit: number
}

/** Of texts every other is what the next begins with, which has zeros behind it, one or a dozen. Even the smallest key of an integer has a neighbour below. */
const keyBytes = (keyKind: 1 | 3, n: number): Uint8Array => {
  if (keyKind === 3) return new Uint8Array(Buffer.from(`key ${String(n >> 1).padStart(4, '0')}${'\0'.repeat(n & 1 ? 1 + (Math.abs(n) % 12) : 0)}`))
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(n - 200) ^ (-(2n ** 63n)))
  return new Uint8Array(bytes)
}

const pick = <T>(random: Random, ...of: readonly T[]): T => of[random.below(of.length)]!

function randomEntries(random: Random, count: number, isCompressed: boolean): readonly Entry[] {
  const keys = [...new Set(Array.from({ length: count }, () => random.below(400)))].toSorted((a, b) => a - b), deletes = pick(random, 0, 0, 3)
  return keys.map((key): Entry => [key, random.below(10) < deletes ? undefined : {
    text: random.below(6) === 0 ? null : isCompressed ? `${'the same in all rows '.repeat(30)}${random.below(99)}` : random.nextU32().toString(36).repeat(random.below(3)),
    number: random.below(6) === 0 ? null : BigInt(random.below(1000)),
  }])
}

/** Now and then more than one, where keys are ordered. */
function cut<T>(random: Random, of: readonly T[], mostly: number): readonly (readonly T[])[] {
  const size = 1 + random.below(mostly)
  return Array.from({ length: Math.ceil(of.length / size) }, (_, i) => of.slice(i * size, (i + 1) * size))
}

function randomRun(random: Random): Run {
  if (random.below(2) === 0) return { memtable: randomEntries(random, random.below(120), false) }
  const groups = cut(random, randomEntries(random, 1 + random.below(200), random.below(4) === 0), 90)
  return { files: random.below(2) === 0 ? [groups] : cut(random, groups, 3) }
}

function randomCase(random: Random): Case {
  const keyKind = pick(random, 1, 3), parts: Run[][] = [[]]
  for (let runs = 1 + random.below(5); runs > 0; runs--) {
    const run = randomRun(random), last = parts.at(-1)!.at(-1)
    if (random.below(3) === 0 || ('memtable' in run && last !== undefined && 'files' in last)) parts.push([run])
    else parts.at(-1)!.push(run)
  }
  const from = random.below(420) - 10, bound = (n: number): Uint8Array => (random.below(3) === 0 ? new Uint8Array([...keyBytes(keyKind, n), 0]) : keyBytes(keyKind, n))
  return { parts, keyKind, lower: random.below(5) === 0 ? new Uint8Array(0) : bound(from), upper: random.below(2) === 0 ? undefined : bound(from + random.below(200)), limit: 1 + random.below(120) }
}

interface Found {
  readonly rows: readonly (readonly [key: string, values: Values])[]
  readonly isEnd: boolean
}

/** All rows of the range, the newest of each key. */
function expectedRows({ parts, keyKind, lower, upper }: Case): Found['rows'] {
  const inRange = (key: Uint8Array): boolean => Buffer.compare(key, lower) >= 0 && (upper === undefined || Buffer.compare(key, upper) < 0)
  const newest = new Map<number, Values>()
  for (const run of parts.flat()) for (const [key, values] of 'memtable' in run ? run.memtable : run.files.flat(2)) if (!newest.has(key)) newest.set(key, values)
  return [...newest].toSorted(([a], [b]) => a - b).map(([key, values]) => [keyBytes(keyKind, key), values] as const)
    .filter(([key, values]) => values !== undefined && inRange(key)).map(([key, values]) => [Buffer.from(key).toString('hex'), values] as const)
}

function putMemtable(kernel: Kernel, keyKind: 1 | 3, entries: readonly Entry[]): number {
  const { heap, exports } = kernel, bytes = 256 * 1024
  const table = exports.skiplistCreate(heap.allocate(bytes), bytes)
  const operations = entries.map(([key, values]): Operation => (values === undefined ? { kind: 'delete', key: tableKey(tableId, keyBytes(keyKind, key)) } : { kind: 'put', key: tableKey(tableId, keyBytes(keyKind, key)), value: rowOf(values) }))
  // What is newer than the sequence that is read is not seen.
  for (const [sequence, batch] of [[1, operations], [100_000, [{ kind: 'put' as const, key: tableKey(tableId, keyBytes(keyKind, 150)), value: rowOf({ text: 'later', number: 1n }) }]]] as const) {
    const encoded = encodeBatch(sequence, batch)
    expect(exports.skiplistApply(table, putBytes(kernel, encoded), encoded.length)).toBe(0)
  }
  return table
}

/** As src/kernel/row.ts draws it, of a text and an integer. */
function rowOf({ text, number }: NonNullable<Values>): Buffer {
  const head = Buffer.alloc(17)
  head.writeUInt16LE(2, 0)
  head.writeUInt8((text === null ? 1 : 0) | (number === null ? 2 : 0), 4)
  head.writeUInt32LE(Buffer.byteLength(text ?? ''), 5)
  head.writeBigInt64LE(number ?? 0n, 9)
  return Buffer.concat([head, Buffer.from(text ?? '')])
}

function encodeKeys(kernel: Kernel, keys: readonly Uint8Array[]): Uint8Array {
  const { exports, heap } = kernel, bytes = keys.reduce((sum, { length }) => sum + length, 0)
  const out = heap.allocate(exports.columnEncodeBound(keys.length, bytes))
  return takeBytes(kernel, out, exports.columnEncodeKeys(putRefs(kernel, keys), keys.length, out, heap.allocate(exports.columnScratchBytes(keys.length, bytes))))
}

interface File {
  readonly record: number
  readonly firstKey: Uint8Array
  readonly lastKey: Uint8Array
  readonly rowCount: number
  /** Tells of the file, which is asked for first. */
  noteFile(): void
  /** Tells of a row group that is asked for. */
  note(rowGroup: number): void
  scratchBytes(rowGroup: number): number
}

function putFile(kernel: Kernel, keyKind: 1 | 3, groups: readonly (readonly Entry[])[]): File {
  const { exports, heap, memory: { u8, u32, f64 } } = kernel
  const record = heap.allocate(residentHeadBytes + groups.length * residentGroupBytes(2))
  u8.fill(0, record, record + residentHeadBytes + groups.length * residentGroupBytes(2))
  const firsts = groups.map((entries) => keyBytes(keyKind, entries[0]![0])), refs = putRefs(kernel, firsts), prefixes = heap.allocate(8 * groups.length)
  firsts.forEach((first, g) => {
    const prefix = Buffer.alloc(8)
    prefix.set(first.subarray(0, 8))
    u32.set([prefix.readUInt32BE(0), prefix.readUInt32BE(4)], (prefixes >>> 2) + 2 * g)
  })
  f64[record >>> 3] = version
  u32.set([groups.length, 0, prefixes, refs, 0, 2], (record >>> 2) + 4)
  const put = (chunk: Uint8Array): number => {
    const at = heap.allocate(chunk.length + 16)
    u8.set(chunk, at)
    return at
  }
  /** Every other one with a guide, where keys may have one. */
  const putKeys = (chunk: Uint8Array, rowCount: number, group: number): number => {
    const at = heap.allocate(chunk.length + keyGuideBytes(rowCount))
    u8.set(chunk, at)
    if (group % 2 === 0) exports.columnGuide(at)
    return at
  }
  const chunks = groups.map((entries, group) => {
    const no = entries.map(() => false), keys = entries.map(([key]) => keyBytes(keyKind, key))
    const keyChunk = keyKind === 1 ? encodeNumbers(kernel, 'I64', entries.map(([key]) => BigInt(key - 200)), no) : encodeKeys(kernel, keys)
    return [
      putKeys(keyChunk, entries.length, group), 0, entries.every(([, values]) => values !== undefined) ? 0 : put(encodeNumbers(kernel, 'I64', entries.map(([, values]) => (values === undefined ? 1n : 0n)), no)),
      put(encodeTexts(kernel, entries.map(([, values]) => new Uint8Array(Buffer.from(values?.text ?? ''))), entries.map(([, values]) => (values?.text ?? null) === null))),
      put(encodeNumbers(kernel, 'I64', entries.map(([, values]) => values?.number ?? 0n), entries.map(([, values]) => (values?.number ?? null) === null))),
    ]
  })
  return {
    record,
    firstKey: firsts[0]!,
    lastKey: keyBytes(keyKind, groups.at(-1)!.at(-1)![0]),
    rowCount: groups.flat().length,
    noteFile: () => void (f64[(record >>> 3) + 1] = version),
    note(rowGroup) {
      const group = record + residentHeadBytes + rowGroup * residentGroupBytes(2)
      f64[group >>> 3] = version
      u32.set(chunks[rowGroup]!, (group >>> 2) + 2)
    },
    scratchBytes: (rowGroup) => exports.columnDecodeScratchBytes(chunks[rowGroup]![3]!),
  }
}

interface Part {
  readonly record: number
  readonly files: readonly File[]
  readonly runCount: number
}

/** The record of a part's runs, as src/kernel/column.ts draws it; where a file is told of is known once it was asked for. */
function putRuns(kernel: Kernel, keyKind: 1 | 3, runs: readonly Run[]): Part & { note(file: number): void } {
  const { heap, memory: { u8, u32, f64 } } = kernel
  const memtables = runs.flatMap((run) => ('memtable' in run ? [putMemtable(kernel, keyKind, run.memtable)] : [])), ofFiles = runs.flatMap((run) => ('files' in run ? [run.files.map((groups) => putFile(kernel, keyKind, groups))] : []))
  const files = ofFiles.flat(), record = heap.allocate(runsHeadBytes + memtables.length * runsMemtableBytes + ofFiles.length * runsRunBytes), records = heap.allocate(4 * files.length + 4)
  u32.fill(0, records >>> 2, (records >>> 2) + files.length)
  u32.set([memtables.length, ofFiles.length, 0, 0, 0, 0, 0, 0, ...memtables.flatMap((handle) => [handle, 0])], record >>> 2)
  let first = 0
  ofFiles.forEach((ofRun, i) => {
    const prefixes = heap.allocate(8 * ofRun.length), end = heap.allocate(16), { lastKey } = ofRun.at(-1)!, refs = putRefs(kernel, ofRun.map(({ firstKey }) => firstKey)), last = heap.allocate(lastKey.length)
    ofRun.forEach(({ firstKey }, f) => {
      const prefix = Buffer.alloc(8)
      prefix.set(firstKey.subarray(0, 8))
      u32.set([prefix.readUInt32BE(0), prefix.readUInt32BE(4)], (prefixes >>> 2) + 2 * f)
    })
    u8.set(lastKey, last)
    u32.set([last, lastKey.length], end >>> 2)
    f64[(end >>> 3) + 1] = ofRun.reduce((rows, { rowCount }) => rows + rowCount, 0)
    u32.set([ofRun.length, 0, prefixes, refs, 0, records + 4 * first, first, end], (record + runsHeadBytes + memtables.length * runsMemtableBytes + i * runsRunBytes) >>> 2)
    first += ofRun.length
  })
  return { record, files, runCount: memtables.length + ofFiles.length, note: (file) => void (u32[(records >>> 2) + file] = files[file]!.record) }
}

function readRange(kernel: Kernel, { parts: given, keyKind, lower, upper, limit }: Case): Found {
  const { heap, exports, memory, memory: { u8, u32, i32, f64, i64 } } = kernel, capacity = (limit + 127) & ~63
  const parts = given.map((runs) => putRuns(kernel, keyKind, runs)), runCount = parts.reduce((sum, { runCount: count }) => sum + count, 0)
  const walk = heap.allocate(walkBytes), partsAt = heap.allocate(walkPartBytes * parts.length), lanes = guarded(kernel, laneBytes * runCount), records = guarded(kernel, laneRunBytes * runCount), columns = heap.allocate(columnCount * laneColumnBytes)
  for (const [at, bytes] of [[walk, walkBytes], [columns, columnCount * laneColumnBytes]] as const) u8.fill(0, at, at + bytes)
  parts.forEach(({ record }, i) => {
    f64[(partsAt >>> 3) + 2 * i] = 1_000
    u32[(partsAt >>> 2) + 4 * i + 2] = record
  })
  const rowsBytes = laneRowsBytes(capacity, columnCount), rows = guarded(kernel, rowsBytes * runCount)
  const values = Array.from({ length: columnCount }, () => guarded(kernel, 8 * limit)), nulls = Array.from({ length: columnCount }, () => guarded(kernel, Math.ceil(limit / 64) * 8))
  ;[[0, -1, keyKind], [0, 0, 3], [1, 1, 1]].forEach(([ordinal, valueIndex, kind], i) => {
    const word = (columns + i * laneColumnBytes) >>> 2
    u32.set([ordinal!, 0, kind!, values[i]!.address, nulls[i]!.address], word)
    i32[word + 1] = valueIndex!
  })
  const layout = heap.allocate(16), work = guarded(kernel, Math.max(8, 8 * Math.ceil(runCount / 2))), winners = guarded(kernel, 8 * limit)
  u32.set([2, 3, 1], layout >>> 2)
  const low = tableKey(tableId, lower), high = upper === undefined ? tableKey(tableId + 1) : tableKey(tableId, upper)
  u32.set([
    partsAt, parts.length, lanes.address, records.address, winners.address, limit, capacity, keyKind, putBytes(kernel, low), low.length, putBytes(kernel, high), high.length,
    upper === undefined ? 0 : 1, columns, columnCount, layout, work.address, rows.address,
  ], walk >>> 2)
  let outcome = exports.mergeLanes(walk)
  for (; outcome < 0; outcome = exports.mergeLanes(walk)) {
    const [askedPart, askedFile, asked, lane] = u32.subarray((walk + 88) >>> 2, (walk + 104) >>> 2) as unknown as [number, number, number, number], part = parts[askedPart]!, file = part.files[askedFile]!
    if (outcome === laneAsks.refused) throw new Error('refused')
    if (outcome === laneAsks.file) {
      file.noteFile()
      part.note(askedFile)
    } else if (outcome === laneAsks.rowGroup) file.note(asked)
    else {
      expect([outcome, asked]).toEqual([laneAsks.scratch, 1])
      u32[(rows.address + lane * rowsBytes + laneScratchOffset(capacity, 1)) >>> 2] = heap.allocate(file.scratchBytes(u32[((lanes.address + lane * laneBytes) >>> 2) + 6]!))
    }
  }
  for (const { check } of [rows, lanes, records, ...values, ...nulls, work, winners]) check('walk')
  const bytesAt = (column: number, row: number): Uint8Array => takeBytes(kernel, u32[(values[column]!.address >>> 2) + 2 * row]!, u32[(values[column]!.address >>> 2) + 2 * row + 1]!)
  const isNull = (column: number, row: number): boolean => u32[((columns + column * laneColumnBytes) >>> 2) + 5] !== 0 && takeBits({ ...kernel, memory }, nulls[column]!.address, limit)[row]!
  return {
    rows: Array.from({ length: outcome }, (_, row) => [
      Buffer.from(keyKind === 3 ? bytesAt(0, row) : keyBytes(1, Number(i64[(values[0]!.address >>> 3) + row]!) + 200)).toString('hex'),
      { text: isNull(1, row) ? null : Buffer.from(bytesAt(1, row)).toString(), number: isNull(2, row) ? null : i64[(values[2]!.address >>> 3) + row]! },
    ]),
    isEnd: u32[(walk + 84) >>> 2] !== 0,
  }
}

describe.each(kinds)('%s', (kind) => {
  it('finds what the model has', () => {
    const random = seededRandom(seed)
    for (let i = 0; i < (fullTests ? 2_000 : 120); i++) {
      const kernel = openTestKernel(kind), given = randomCase(random), rows = expectedRows(given), found = readRange(kernel, given)
      const told = `seed ${seed}, case ${i}`
      expect(found.rows, told).toEqual(rows.slice(0, found.rows.length))
      expect(found.rows.length, told).toBeLessThanOrEqual(given.limit)
      if (found.isEnd) expect(found.rows, told).toEqual(rows)
      // A lane may have no more room where much is deleted, or row groups are small; then there is something all the same, but for such a run of deleted rows.
      else if (rows.length >= given.limit && given.parts.flat().every((run) => 'memtable' in run || run.files.flat().length < 3)) expect(found.rows.length, told).toBeGreaterThan(0)
    }
  })

  it('refuses where ranges are deleted', () => {
    const kernel = openTestKernel(kind), { exports } = kernel
    const given: Case = { parts: [[{ memtable: [[3, { text: 'a', number: 1n }]] }]], keyKind: 3, lower: new Uint8Array(0), upper: undefined, limit: 10 }
    const spoiled: Kernel = { ...kernel, exports: { ...exports, skiplistCreate: (segment, bytes) => deleteAll(kernel, exports.skiplistCreate(segment, bytes)) } }
    expect(() => readRange(spoiled, given)).toThrow('refused')
  })
})

function deleteAll(kernel: Kernel, table: number): number {
  const encoded = encodeBatch(1, [{ kind: 'rangeDelete', key: tableKey(tableId), end: tableKey(tableId + 1) }])
  expect(kernel.exports.skiplistApply(table, putBytes(kernel, encoded), encoded.length)).toBe(0)
  return table
}

it('both kinds give the same rows of the same ranges', () => {
  const random = seededRandom(seed)
  for (let i = 0; i < 60; i++) {
    const given = randomCase(random)
    expect(readRange(openTestKernel('js'), given), `seed ${seed}, case ${i}`).toEqual(readRange(openTestKernel('wasm'), given))
  }
})
