/** The first rows of a range out of memtables and files, of both kinds, against a model: with deletions, nulls, bounds, compressed text, and what is told only when asked for. */
import { describe, expect, it } from 'vitest'
import { residentGroupBytes, residentHeadBytes } from '../../src/kernel/column.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { laneAsks, laneBytes, laneColumnBytes, laneKinds, laneRowsBytes, laneScratchOffset, walkBytes } from '../../src/kernel/merge.ts'
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

/** Runs newest first, entries in key order; of a file in row groups. `isLast`: no file follows in its run. */
type Run = { readonly memtable: readonly Entry[] } | { readonly groups: readonly (readonly Entry[])[]; readonly isLast: boolean }

interface Case {
  readonly runs: readonly Run[]
  readonly keyKind: 1 | 3
  readonly lower: Uint8Array
  readonly upper: Uint8Array | undefined
  readonly limit: number
  readonly pageRows: number
}

/** Even the smallest key of an integer has a neighbour below. */
const keyBytes = (keyKind: 1 | 3, n: number): Uint8Array => {
  if (keyKind === 3) return new Uint8Array(Buffer.from(`key ${String(n).padStart(4, '0')}`))
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

function randomCase(random: Random): Case {
  const keyKind = pick(random, 1, 3), runs = Array.from({ length: 1 + random.below(5) }, (): Run => {
    if (random.below(2) === 0) return { memtable: randomEntries(random, random.below(120), false) }
    const entries = randomEntries(random, 1 + random.below(200), random.below(4) === 0), groupRows = 1 + random.below(90)
    return { groups: Array.from({ length: Math.ceil(entries.length / groupRows) }, (_, i) => entries.slice(i * groupRows, (i + 1) * groupRows)), isLast: random.below(4) !== 0 }
  })
  const from = random.below(420) - 10, bound = (n: number): Uint8Array => (random.below(3) === 0 ? new Uint8Array([...keyBytes(keyKind, n), 0]) : keyBytes(keyKind, n))
  return { runs, keyKind, lower: random.below(5) === 0 ? new Uint8Array(0) : bound(from), upper: random.below(2) === 0 ? undefined : bound(from + random.below(200)), limit: 1 + random.below(120), pageRows: 8 * (1 + random.below(4)) }
}

interface Found {
  readonly rows: readonly (readonly [key: string, values: Values])[]
  readonly isEnd: boolean
}

/** All rows of the range, the newest of each key, and up to where they are known: a file that is not the last of its run ends what can be told. */
function expectedRows({ runs, keyKind, lower, upper }: Case): { readonly rows: Found['rows']; readonly knownTo: string | undefined } {
  const inRange = (key: Uint8Array): boolean => Buffer.compare(key, lower) >= 0 && (upper === undefined || Buffer.compare(key, upper) < 0)
  const newest = new Map<number, Values>(), lasts: string[] = []
  for (const run of runs) {
    const entries = 'memtable' in run ? run.memtable : run.groups.flat()
    for (const [key, values] of entries) if (!newest.has(key)) newest.set(key, values)
    if (!('memtable' in run) && !run.isLast) lasts.push(Buffer.from(keyBytes(keyKind, entries.at(-1)![0])).toString('hex'))
  }
  const rows = [...newest].toSorted(([a], [b]) => a - b).map(([key, values]) => [keyBytes(keyKind, key), values] as const)
    .filter(([key, values]) => values !== undefined && inRange(key)).map(([key, values]) => [Buffer.from(key).toString('hex'), values] as const)
  return { rows, knownTo: lasts.toSorted()[0] }
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
  f64.fill(version, record >>> 3, (record >>> 3) + 2)
  u32.set([groups.length, 0, prefixes, refs, 0, 2], (record >>> 2) + 4)
  const put = (chunk: Uint8Array): number => {
    const at = heap.allocate(chunk.length + 16)
    u8.set(chunk, at)
    return at
  }
  const chunks = groups.map((entries) => {
    const no = entries.map(() => false), keys = entries.map(([key]) => keyBytes(keyKind, key))
    const keyChunk = keyKind === 1 ? encodeNumbers(kernel, 'I64', entries.map(([key]) => BigInt(key - 200)), no) : encodeKeys(kernel, keys)
    return [
      put(keyChunk), 0, entries.every(([, values]) => values !== undefined) ? 0 : put(encodeNumbers(kernel, 'I64', entries.map(([, values]) => (values === undefined ? 1n : 0n)), no)),
      put(encodeTexts(kernel, entries.map(([, values]) => new Uint8Array(Buffer.from(values?.text ?? ''))), entries.map(([, values]) => (values?.text ?? null) === null))),
      put(encodeNumbers(kernel, 'I64', entries.map(([, values]) => values?.number ?? 0n), entries.map(([, values]) => (values?.number ?? null) === null))),
    ]
  })
  return {
    record,
    note(rowGroup) {
      const group = record + residentHeadBytes + rowGroup * residentGroupBytes(2)
      f64[group >>> 3] = version
      u32.set(chunks[rowGroup]!, (group >>> 2) + 2)
    },
    scratchBytes: (rowGroup) => exports.columnDecodeScratchBytes(chunks[rowGroup]![3]!),
  }
}

function readRange(kernel: Kernel, { runs, keyKind, lower, upper, limit, pageRows }: Case): Found {
  const { heap, exports, memory, memory: { u8, u32, i32, f64, i64 } } = kernel, capacity = (limit + 2 * pageRows + 63) & ~63
  const files = new Map<number, File>(), walk = heap.allocate(walkBytes), lanes = heap.allocate(laneBytes * runs.length), records = heap.allocate(32 * runs.length), columns = heap.allocate(columnCount * laneColumnBytes)
  for (const [at, bytes] of [[walk, walkBytes], [lanes, laneBytes * runs.length], [records, 32 * runs.length], [columns, columnCount * laneColumnBytes]] as const) u8.fill(0, at, at + bytes)
  const rows = runs.map(() => guarded(kernel, laneRowsBytes(capacity, columnCount)))
  runs.forEach((run, i) => {
    const lane = lanes + i * laneBytes
    if (!('memtable' in run)) files.set(i, putFile(kernel, keyKind, run.groups))
    f64[lane >>> 3] = 1_000
    u32.set(['memtable' in run ? putMemtable(kernel, keyKind, run.memtable) : files.get(i)!.record, 'memtable' in run ? laneKinds.memtable : run.isLast ? laneKinds.lastFile : laneKinds.file, rows[i]!.address], (lane >>> 2) + 2)
    u32[(lane >>> 2) + 10] = pageRows
  })
  const values = Array.from({ length: columnCount }, () => guarded(kernel, 8 * limit)), nulls = Array.from({ length: columnCount }, () => guarded(kernel, Math.ceil(limit / 64) * 8))
  ;[[0, -1, keyKind], [0, 0, 3], [1, 1, 1]].forEach(([ordinal, valueIndex, kind], i) => {
    const word = (columns + i * laneColumnBytes) >>> 2
    u32.set([ordinal!, 0, kind!, values[i]!.address, nulls[i]!.address], word)
    i32[word + 1] = valueIndex!
  })
  const layout = heap.allocate(16), work = guarded(kernel, Math.max(8, 8 * Math.ceil(runs.length / 2))), winners = guarded(kernel, 8 * limit)
  u32.set([2, 3, 1], layout >>> 2)
  const low = tableKey(tableId, lower), high = upper === undefined ? tableKey(tableId + 1) : tableKey(tableId, upper)
  u32.set([lanes, runs.length, records, winners.address, limit, capacity, keyKind, 0, putBytes(kernel, low), low.length, putBytes(kernel, high), high.length, upper === undefined ? 0 : 1, columns, columnCount, layout, work.address], walk >>> 2)
  let outcome = exports.mergeLanes(walk)
  for (; outcome < 0; outcome = exports.mergeLanes(walk)) {
    const lane = u32[(walk + 72) >>> 2]!, asked = u32[(walk + 76) >>> 2]!, file = files.get(lane)!
    if (outcome === laneAsks.rowGroup) file.note(asked)
    else {
      expect([outcome, asked]).toEqual([laneAsks.scratch, 1])
      u32[(rows[lane]!.address + laneScratchOffset(capacity, 1)) >>> 2] = heap.allocate(file.scratchBytes(u32[((lanes + lane * laneBytes) >>> 2) + 6]!))
    }
  }
  for (const { check } of [...rows, ...values, ...nulls, work, winners]) check('walk')
  const bytesAt = (column: number, row: number): Uint8Array => takeBytes(kernel, u32[(values[column]!.address >>> 2) + 2 * row]!, u32[(values[column]!.address >>> 2) + 2 * row + 1]!)
  const isNull = (column: number, row: number): boolean => u32[((columns + column * laneColumnBytes) >>> 2) + 5] !== 0 && takeBits({ ...kernel, memory }, nulls[column]!.address, limit)[row]!
  return {
    rows: Array.from({ length: outcome }, (_, row) => [
      Buffer.from(keyKind === 3 ? bytesAt(0, row) : keyBytes(1, Number(i64[(values[0]!.address >>> 3) + row]!) + 200)).toString('hex'),
      { text: isNull(1, row) ? null : Buffer.from(bytesAt(1, row)).toString(), number: isNull(2, row) ? null : i64[(values[2]!.address >>> 3) + row]! },
    ]),
    isEnd: u32[(walk + 80) >>> 2] !== 0,
  }
}

describe.each(kinds)('%s', (kind) => {
  it('finds what the model has, and all of it where no run goes on elsewhere', () => {
    const random = seededRandom(seed)
    for (let i = 0; i < (fullTests ? 2_000 : 120); i++) {
      const kernel = openTestKernel(kind), given = randomCase(random), { rows, knownTo } = expectedRows(given), found = readRange(kernel, given)
      const told = `seed ${seed}, case ${i}`, known = knownTo === undefined ? rows : rows.filter(([key]) => key <= knownTo)
      expect(found.rows, told).toEqual(rows.slice(0, found.rows.length))
      if (found.isEnd) expect(found.rows, told).toEqual(rows)
      // A lane may have no more room where much is deleted, or row groups are small; then there is something all the same, but for such a run of deleted rows.
      else if (known.length >= given.limit && given.runs.every((run) => 'memtable' in run || run.groups.length < 3)) expect(found.rows.length, told).toBeGreaterThan(0)
      expect(found.rows.length, told).toBeLessThanOrEqual(given.limit)
    }
  })
})

it('both kinds give the same rows of the same ranges', () => {
  const random = seededRandom(seed)
  for (let i = 0; i < 60; i++) {
    const given = randomCase(random)
    expect(readRange(openTestKernel('js'), given), `seed ${seed}, case ${i}`).toEqual(readRange(openTestKernel('wasm'), given))
  }
})
