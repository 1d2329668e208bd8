/** Rows of test tables as plain values: made by seed, put into linear memory for a writer, and read back. */
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import type { Pointer } from '../../../src/kernel/linear-memory.ts'
import { keyForm } from '../../../src/lsm/layout.ts'
import type { PhysicalKind, TableLayout } from '../../../src/lsm/layout.ts'
import type { Vector } from '../../../src/lsm/page.ts'
import type { TableReader, WriteRows } from '../../../src/lsm/table/table.ts'

export type CellValue = bigint | number | string | null

export interface TestRow {
  readonly key: Uint8Array
  readonly tombstone: boolean
  /** By ordinal; null throughout in a tombstone, but for a direct key. */
  readonly cells: readonly CellValue[]
}

export const layouts: Readonly<Record<'i64' | 'bytes' | 'composite' | 'f64 key', TableLayout>> = {
  i64: { tableId: 7, columns: ['bytes', 'i64', 'f64', 'i64', 'bytes'], key: [1] },
  bytes: { tableId: 8, columns: ['bytes', 'i64', 'f64'], key: [0] },
  composite: { tableId: 9, columns: ['i64', 'bytes', 'f64', 'bytes'], key: [1, 0] },
  'f64 key': { tableId: 10, columns: ['f64', 'bytes'], key: [0] },
}

export function i64KeyBytes(value: bigint): Uint8Array {
  const key = new Uint8Array(8)
  new DataView(key.buffer).setBigInt64(0, value ^ (-1n << 63n))
  return key
}

function f64KeyBytes(value: number): Uint8Array {
  const key = new Uint8Array(8)
  const view = new DataView(key.buffer)
  view.setFloat64(0, value === 0 ? 0 : value)
  const bits = view.getBigUint64(0)
  view.setBigUint64(0, bits >> 63n === 1n ? ~bits & 0xffff_ffff_ffff_ffffn : bits | (1n << 63n))
  return key
}

const textKeyBytes = (text: string): Uint8Array => Buffer.concat([Buffer.from(text).toString('latin1').split('').map((c) => Buffer.from(c === '\0' ? [0, 255] : [c.charCodeAt(0)])), [Buffer.from([0, 1])]].flat())

/** Key bytes of a row's cells, as src/lsm/layout.ts says. */
export function keyBytesOf(layout: TableLayout, cells: readonly CellValue[]): Uint8Array {
  const parts = layout.key.map((ordinal) => {
    const cell = cells[ordinal]!
    if (typeof cell === 'bigint') return i64KeyBytes(cell)
    if (typeof cell === 'number') return f64KeyBytes(cell)
    return keyForm(layout) === 'bytes' ? Buffer.from(cell) : textKeyBytes(cell)
  })
  return Buffer.concat(parts)
}

/** `count` rows of distinct keys in key order: nulls, extremes, empty and long texts, NaN, and tombstones among them. */
export function makeRows(layout: TableLayout, count: number, seed: number, tombstoneShare = 0.1): TestRow[] {
  const random = seededRandom(seed)
  const rows = new Map<string, TestRow>()
  while (rows.size < count) {
    const cells = layout.columns.map((kind, ordinal) => (layout.key.includes(ordinal) ? keyCell(random, kind) : valueCell(random, kind)))
    const key = keyBytesOf(layout, cells)
    const tombstone = random.nextFloat() < tombstoneShare
    const direct = keyForm(layout) === 'composite' ? -1 : layout.key[0]
    const kept = tombstone ? cells.map((cell, ordinal) => (ordinal === direct ? cell : null)) : cells
    rows.set(Buffer.from(key).toString('hex'), { key, tombstone, cells: kept })
  }
  return [...rows.values()].sort((a, b) => Buffer.compare(a.key, b.key))
}

function keyCell(random: Random, kind: PhysicalKind): CellValue {
  if (kind === 'i64') return random.below(50) === 0 ? pick(random, [-(1n << 63n), (1n << 63n) - 1n, 0n, -1n]) : BigInt(random.nextU32()) * BigInt(random.below(3) - 1) * BigInt(random.below(1 << 20))
  if (kind === 'f64') return random.below(20) === 0 ? pick(random, [Infinity, -Infinity, 0]) : (random.nextFloat() - 0.5) * 10 ** random.below(20)
  return pick(random, ['', 'user:', 'user:00000', 'a', 'ä\0']) + random.nextU32().toString(36).repeat(random.below(3)) + '\0'.repeat(random.below(2))
}

function valueCell(random: Random, kind: PhysicalKind): CellValue {
  if (random.below(7) === 0) return null
  if (kind === 'i64') return pick(random, [BigInt(random.below(100)), -(1n << 63n), (1n << 63n) - 1n, BigInt(random.nextU32()) - (1n << 31n)])
  if (kind === 'f64') return pick(random, [random.below(10_000) / 100, -0, NaN, Infinity, random.nextFloat()])
  return pick(random, ['', 'red', 'green', 'blue', random.nextU32().toString(36), 'x'.repeat(random.below(400))])
}

const pick = <T>(random: Random, from: readonly T[]): T => from[random.below(from.length)]!

/** Rows in linear memory as a writer takes them, with what frees them. */
export function putRows(kernel: Kernel, layout: TableLayout, rows: readonly TestRow[]): WriteRows & { free(): void } {
  const { heap, memory } = kernel
  const owned: Pointer[] = []
  const allocate = (byteLength: number): Pointer => {
    const address = heap.allocate(Math.max(8, byteLength))
    owned.push(address)
    memory.u8.fill(0, address, address + byteLength)
    return address
  }
  const putText = (ref: Pointer, bytes: Uint8Array): void => {
    const address = allocate(bytes.length)
    memory.u8.set(bytes, address)
    memory.u32[ref / 4] = address
    memory.u32[ref / 4 + 1] = bytes.length
  }
  const putBits = (bits: readonly boolean[]): Pointer => {
    if (!bits.includes(true)) return 0
    const address = allocate(Math.ceil(bits.length / 64) * 8)
    bits.forEach((bit, i) => bit && (memory.u8[address + (i >> 3)]! |= 1 << (i & 7)))
    return address
  }
  const form = keyForm(layout)
  const keys = allocate(rows.length * 8)
  rows.forEach(({ key }, i) => {
    if (form === 'i64') memory.i64[keys / 8 + i] = Buffer.from(key).readBigInt64BE() ^ (-1n << 63n)
    else putText(keys + i * 8, key)
  })
  const vectors = layout.columns.map((kind, ordinal): Vector | undefined => {
    if (form !== 'composite' && ordinal === layout.key[0]) return undefined
    const values = allocate(rows.length * 8)
    rows.forEach(({ cells }, i) => {
      const cell = cells[ordinal]!
      if (typeof cell === 'bigint') memory.i64[values / 8 + i] = cell
      else if (typeof cell === 'number') memory.f64[values / 8 + i] = cell
      else if (cell !== null) putText(values + i * 8, Buffer.from(cell))
    })
    const nulls = putBits(rows.map(({ cells }) => cells[ordinal] === null))
    return kind === 'bytes' ? { kind, refs: values, nulls } : { kind, values, nulls }
  })
  const free = (): void => owned.splice(0).forEach((address) => heap.free(address))
  return { rowCount: rows.length, keys, tombstones: putBits(rows.map(({ tombstone }) => tombstone)), vectors, free }
}

/** Decodes a whole chunk; 0 (no such chunk) gives undefined. */
export function readChunk({ heap, memory, exports }: Kernel, chunk: Pointer, kind: PhysicalKind): (CellValue | Uint8Array)[] | undefined {
  if (chunk === 0) return undefined
  const count = exports.columnCount(chunk)
  const values = heap.allocate(count * 8)
  const nulls = heap.allocate(Math.ceil(count / 64) * 8)
  const scratch = heap.allocate(Math.max(8, kind === 'bytes' ? exports.columnDecodeScratchBytes(chunk) : 8))
  memory.u8.fill(0, nulls, nulls + Math.ceil(count / 64) * 8)
  if (kind === 'i64') exports.columnDecodeI64(chunk, 0, count, values, nulls)
  else if (kind === 'f64') exports.columnDecodeF64(chunk, 0, count, values, nulls)
  else exports.columnDecodeBytes(chunk, 0, count, values, nulls, scratch)
  const cells = Array.from({ length: count }, (_, row) => {
    if (((memory.u8[nulls + (row >> 3)]! >> (row & 7)) & 1) === 1) return null
    if (kind === 'i64') return memory.i64[values / 8 + row]!
    if (kind === 'f64') return memory.f64[values / 8 + row]!
    const start = memory.u32[values / 4 + row * 2]!
    return memory.u8.slice(start, start + memory.u32[values / 4 + row * 2 + 1]!)
  })
  for (const address of [values, nulls, scratch]) heap.free(address)
  return cells
}

/** All rows of a file through `pin`, row group by row group. */
export async function readAll(kernel: Kernel, reader: TableReader): Promise<TestRow[]> {
  const { layout, meta } = reader
  const rows: TestRow[] = []
  for (let rowGroup = 0; rowGroup < meta.rowGroupCount; rowGroup++) {
    const ordinals = layout.columns.map((_, ordinal) => ordinal)
    const pinned = await reader.pin(rowGroup, rowGroup + 1, ['key', 'tombstones', ...ordinals])
    const keys = readChunk(kernel, pinned.chunk(rowGroup, 'key'), keyForm(layout) === 'i64' ? 'i64' : 'bytes')!
    const tombstones = readChunk(kernel, pinned.chunk(rowGroup, 'tombstones'), 'i64')
    const columns = layout.columns.map((kind, ordinal) => readChunk(kernel, pinned.chunk(rowGroup, ordinal), kind)!)
    keys.forEach((key, row) => {
      rows.push({
        key: typeof key === 'bigint' ? i64KeyBytes(key) : (key as Uint8Array),
        tombstone: tombstones?.[row] === 1n,
        cells: columns.map((cells) => {
          const cell = cells[row]!
          return cell instanceof Uint8Array ? Buffer.from(cell).toString() : cell
        }),
      })
    })
    pinned.unpin()
  }
  return rows
}

/** Rows as plain text, so that a difference reads well and NaN and -0 are themselves. */
export const describeRows = (rows: readonly TestRow[]): string[] =>
  rows.map(({ key, tombstone, cells }) => {
    const shown = cells.map((cell) => (typeof cell === 'number' ? `${Object.is(cell, -0) ? '-0' : cell}` : typeof cell === 'bigint' ? `${cell}n` : JSON.stringify(cell)))
    return `${Buffer.from(key).toString('hex')}${tombstone ? ' deleted' : ''}: ${shown.join(', ')}`
  })
