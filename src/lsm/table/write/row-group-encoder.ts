/**
 * Turns a full row buffer into the chunks of one row group, and keeps what the footer will say about it. Zone maps are
 * computed over live rows: tombstones count as null for them and are then taken out of the null counts.
 */
import { invariant } from '../../../errors.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { align8, directoryEntryBytes } from '../format.ts'
import { keyAt } from '../key-order.ts'
import { createLinearBuffer, extend, freeLinearBuffer, reserveBytes } from './linear-buffer.ts'
import type { LinearBuffer } from './linear-buffer.ts'
import type { ColumnBuffer, RowBuffer } from './row-buffer.ts'
import { computeZoneRecord, extremesOf, zoneRecordBytes } from './zone-record.ts'
import type { Extremes } from './zone-record.ts'

/** What the footer says about the row groups so far. */
export interface RowGroupRecords {
  readonly rowCounts: number[]
  readonly tombstoneCounts: number[]
  readonly firstKeys: Uint8Array[]
  /** Directory entries by row group and slot. */
  readonly directory: LinearBuffer
  /** Zone records by row group and ordinal. */
  readonly zones: LinearBuffer
  /** By row group, then by text column in ordinal order. */
  readonly extremes: (readonly (Extremes | undefined)[])[]
}

export const createRowGroupRecords = (): RowGroupRecords => ({
  rowCounts: [],
  tombstoneCounts: [],
  firstKeys: [],
  directory: createLinearBuffer(),
  zones: createLinearBuffer(),
  extremes: [],
})

/** Buffers that are reused from one row group to the next. */
export interface EncoderBuffers {
  /** Encoded bytes that are not in the file yet; its start is at `outputOffset` in the file. */
  readonly output: LinearBuffer
  readonly scratch: LinearBuffer
}


export const createEncoderBuffers = (): EncoderBuffers => ({ output: createLinearBuffer(), scratch: createLinearBuffer() })

export function freeEncoder(kernel: Kernel, buffers: EncoderBuffers, records: RowGroupRecords): void {
  for (const buffer of [buffers.output, buffers.scratch, records.directory, records.zones]) freeLinearBuffer(kernel, buffer)
}

/** Encodes all rows of `rows` behind what `output` holds. */
export function encodeRowGroup(kernel: Kernel, rows: RowBuffer, buffers: EncoderBuffers, records: RowGroupRecords, outputOffset: number): void {
  for (const column of [rows.keys, ...rows.columns]) if (column?.kind === 'bytes') resolveTexts(kernel, column)
  if (rows.tombstoneCount > 0) for (const column of rows.columns) if (column !== undefined) blankTombstones(kernel, column, rows)
  records.rowCounts.push(rows.rowCount)
  records.tombstoneCounts.push(rows.tombstoneCount)
  records.firstKeys.push(keyAt(kernel.memory, rows.keys.kind, rows.keys.values.address, 0))
  encodeChunk(kernel, rows.keys, rows.rowCount, buffers, records, outputOffset, true)
  encodeTombstones(kernel, rows, buffers, records, outputOffset)
  for (const column of rows.columns) if (column !== undefined) encodeChunk(kernel, column, rows.rowCount, buffers, records, outputOffset)
  const extremes: (Extremes | undefined)[] = []
  for (const column of rows.columns) {
    const found = addZoneRecord(kernel, column ?? rows.keys, rows, records.zones)
    if ((column ?? rows.keys).kind === 'bytes') extremes.push(found)
  }
  records.extremes.push(extremes)
}

/** Offsets in the text buffer become addresses, now that it stands still. */
function resolveTexts(kernel: Kernel, column: ColumnBuffer): void {
  const { u32 } = kernel.memory
  const { values, text } = column
  const end = (values.address + values.byteLength) >>> 2
  for (let word = values.address >>> 2; word < end; word += 2) u32[word] = u32[word + 1] === 0 ? 0 : u32[word]! + text.address
}

/** A tombstone's columns are null, whatever they were given as. */
function blankTombstones(kernel: Kernel, column: ColumnBuffer, rows: RowBuffer): void {
  const { u8, u32 } = kernel.memory
  const { nulls, values } = column
  for (let row = 0; row < rows.rowCount; row++) {
    if (((u8[rows.tombstones.address + (row >>> 3)]! >>> (row & 7)) & 1) === 0) continue
    u8[nulls.address + (row >>> 3)]! |= 1 << (row & 7)
    u32.fill(0, (values.address >>> 2) + row * 2, (values.address >>> 2) + row * 2 + 2)
  }
  column.hasNulls = true
}

function encodeTombstones(kernel: Kernel, rows: RowBuffer, buffers: EncoderBuffers, records: RowGroupRecords, outputOffset: number): void {
  if (rows.tombstoneCount === 0) {
    const entry = extend(kernel, records.directory, directoryEntryBytes)
    kernel.memory.u8.fill(0, entry, entry + directoryEntryBytes)
    return
  }
  const { u8, u32 } = kernel.memory
  const values = createLinearBuffer()
  const address = extend(kernel, values, rows.rowCount * 8)
  for (let row = 0; row < rows.rowCount; row++) {
    u32[(address >>> 2) + row * 2] = (u8[rows.tombstones.address + (row >>> 3)]! >>> (row & 7)) & 1
    u32[(address >>> 2) + row * 2 + 1] = 0
  }
  const column: ColumnBuffer = { kind: 'i64', values, nulls: rows.tombstones, text: values, dataBytes: 0, hasNulls: false }
  encodeChunk(kernel, column, rows.rowCount, buffers, records, outputOffset)
  freeLinearBuffer(kernel, values)
}

/** Encodes one column behind the output and adds its directory entry. */
function encodeChunk(kernel: Kernel, column: ColumnBuffer, rowCount: number, buffers: EncoderBuffers, records: RowGroupRecords, outputOffset: number, isKey = false): void {
  const { exports, memory } = kernel
  const { output, scratch } = buffers
  const chunk = reserveBytes(kernel, output, align8(exports.columnEncodeBound(rowCount, column.dataBytes)))
  const work = reserveBytes(kernel, scratch, exports.columnScratchBytes(rowCount, column.dataBytes))
  const nulls = column.hasNulls ? column.nulls.address : 0
  const encode = { i64: exports.columnEncodeI64, f64: exports.columnEncodeF64, bytes: exports.columnEncodeBytes }[column.kind]
  const byteLength = isKey && column.kind === 'bytes' ? encodeKeys(kernel, column, rowCount, chunk, work) : encode(column.values.address, nulls, rowCount, chunk, work)
  invariant(byteLength > 0, `a column of ${rowCount} rows could not be encoded (${byteLength})`)
  memory.u8.fill(0, chunk + byteLength, chunk + align8(byteLength))
  const entry = extend(kernel, records.directory, directoryEntryBytes)
  memory.u32[entry >>> 2] = (outputOffset + output.byteLength) / 8
  memory.u32[(entry >>> 2) + 1] = byteLength
  exports.checksumXxh64(chunk, align8(byteLength), entry + 8)
  output.byteLength += align8(byteLength)
}

/** As plain, which is what reads find in memory, and stored so that what keys begin with alike is written once, where that pays. */
function encodeKeys({ exports, memory }: Kernel, { values }: ColumnBuffer, rowCount: number, chunk: Pointer, work: Pointer): number {
  const byteLength = exports.columnEncodeKeys(values.address, rowCount, chunk, work)
  const stored = exports.columnFront(chunk, work)
  if (stored === 0) return byteLength
  memory.u8.copyWithin(chunk, work, work + stored)
  return stored
}

/** Adds one column's zone record; for texts returns the exact extremes when they are short enough to keep. */
function addZoneRecord(kernel: Kernel, column: ColumnBuffer, rows: RowBuffer, zones: LinearBuffer): Extremes | undefined {
  const record = extend(kernel, zones, zoneRecordBytes)
  // The key column has no nulls of its own; tombstones stand in for them. Other columns are null there already.
  const nulls = column.hasNulls ? column.nulls.address : rows.tombstoneCount > 0 ? rows.tombstones.address : 0
  const values = column.values.address
  computeZoneRecord(kernel, { kind: column.kind, values, nulls, rowCount: rows.rowCount, tombstoneCount: rows.tombstoneCount }, record)
  return column.kind === 'bytes' ? extremesOf(kernel, values, record) : undefined
}
