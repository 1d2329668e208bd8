/**
 * Rows of an unfinished row group, copied column by column into linear memory: what `append` is given is only valid
 * during the call. Texts are kept as offsets until the row group is encoded, since their buffer may move.
 */
import type { Kernel } from '../../../kernel/kernel.ts'
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import { keyForm } from '../../layout.ts'
import type { PhysicalKind, TableLayout } from '../../layout.ts'
import { align8, rowGroupRowsMax } from '../format.ts'
import { createLinearBuffer, extend, freeLinearBuffer, reserveBytes } from './linear-buffer.ts'
import type { LinearBuffer } from './linear-buffer.ts'
import type { WriteRows } from '../table.ts'

/** One column of the rows so far. */
export interface ColumnBuffer {
  readonly kind: PhysicalKind
  /** 8 bytes a row: values, or u32 offset in `text` and u32 length. */
  readonly values: LinearBuffer
  readonly nulls: LinearBuffer
  readonly text: LinearBuffer
  /** Bytes of all texts; more than `text` holds where equal texts stand side by side. */
  dataBytes: number
  hasNulls: boolean
}

export interface RowBuffer {
  readonly keys: ColumnBuffer
  /** By ordinal; undefined for the column that is the key. */
  readonly columns: readonly (ColumnBuffer | undefined)[]
  readonly tombstones: LinearBuffer
  tombstoneCount: number
  rowCount: number
  plainBytes: number
}

export function createRowBuffer(layout: TableLayout): RowBuffer {
  const form = keyForm(layout)
  const direct = form === 'composite' ? undefined : layout.key[0]
  return {
    keys: createColumnBuffer(form === 'i64' ? 'i64' : 'bytes'),
    columns: layout.columns.map((kind, ordinal) => (ordinal === direct ? undefined : createColumnBuffer(kind))),
    tombstones: createLinearBuffer(),
    tombstoneCount: 0,
    rowCount: 0,
    plainBytes: 0,
  }
}

const createColumnBuffer = (kind: PhysicalKind): ColumnBuffer => ({
  kind,
  values: createLinearBuffer(),
  nulls: createLinearBuffer(),
  text: createLinearBuffer(),
  dataBytes: 0,
  hasNulls: false,
})

export function clearRowBuffer(buffer: RowBuffer): void {
  for (const column of [buffer.keys, ...buffer.columns]) {
    if (column === undefined) continue
    column.values.byteLength = column.nulls.byteLength = column.text.byteLength = 0
    column.dataBytes = 0
    column.hasNulls = false
  }
  buffer.tombstones.byteLength = 0
  buffer.tombstoneCount = buffer.rowCount = buffer.plainBytes = 0
}

export function freeRowBuffer(kernel: Kernel, buffer: RowBuffer): void {
  for (const column of [buffer.keys, ...buffer.columns]) {
    if (column === undefined) continue
    freeLinearBuffer(kernel, column.values)
    freeLinearBuffer(kernel, column.nulls)
    freeLinearBuffer(kernel, column.text)
  }
  freeLinearBuffer(kernel, buffer.tombstones)
}

/**
 * Copies rows from `first` on until the row group is full (its plain bytes reach `bytesMax`, or its rows the format's
 * limit) or the rows end; returns how many.
 */
export function bufferRows(kernel: Kernel, buffer: RowBuffer, rows: WriteRows, first: number, bytesMax: number): number {
  const { count, plainBytes } = rowsThatFit(kernel.memory, buffer, rows, first, bytesMax)
  appendColumn(kernel, buffer.keys, rows.keys, 0, buffer.rowCount, first, count)
  buffer.columns.forEach((column, ordinal) => {
    if (column === undefined) return
    const vector = rows.vectors[ordinal]
    const values = vector === undefined ? 0 : vector.kind === 'bytes' ? vector.refs : vector.values
    appendColumn(kernel, column, values, vector?.nulls ?? 0, buffer.rowCount, first, count)
  })
  buffer.tombstoneCount += appendBits(kernel, buffer.tombstones, buffer.rowCount, rows.tombstones, first, count)
  buffer.rowCount += count
  buffer.plainBytes += plainBytes
  return count
}

/** Whether the row group is to be encoded before more rows come. */
export const isFull = (buffer: RowBuffer, bytesMax: number): boolean => buffer.plainBytes >= bytesMax || buffer.rowCount >= rowGroupRowsMax

function rowsThatFit(memory: LinearMemory, buffer: RowBuffer, rows: WriteRows, first: number, bytesMax: number): { readonly count: number; readonly plainBytes: number } {
  const { u32 } = memory
  const texts = rows.vectors.flatMap((vector, ordinal) => (vector?.kind === 'bytes' && buffer.columns[ordinal] !== undefined ? [vector.refs >>> 2] : []))
  if (buffer.keys.kind === 'bytes') texts.push(rows.keys >>> 2)
  const fixedBytes = 8 * (1 + buffer.columns.filter((column) => column !== undefined).length)
  const rowsMax = Math.min(rows.rowCount - first, rowGroupRowsMax - buffer.rowCount)
  const room = bytesMax - buffer.plainBytes
  let plainBytes = 0
  let count = 0
  while (count < rowsMax && plainBytes < room) {
    const length = 2 * (first + count) + 1
    for (const refs of texts) plainBytes += u32[refs + length]!
    plainBytes += fixedBytes
    count += 1
  }
  return { count, plainBytes }
}

/** Appends rows of one vector; `source` 0 means that all are null. */
function appendColumn(kernel: Kernel, column: ColumnBuffer, source: Pointer, nulls: Pointer, rowCount: number, first: number, count: number): void {
  const { u8 } = kernel.memory
  const values = extend(kernel, column.values, count * 8)
  if (source === 0) {
    u8.fill(0, values, values + count * 8)
    appendBits(kernel, column.nulls, rowCount, 0, first, count)
    setBits(u8, column.nulls.address, rowCount, count)
    column.hasNulls = true
    return
  }
  const from = source + first * 8
  if (column.kind === 'bytes') appendTexts(kernel, column, from, count, values)
  else u8.copyWithin(values, from, from + count * 8)
  if (appendBits(kernel, column.nulls, rowCount, nulls, first, count) > 0) column.hasNulls = true
}

/** Copies texts, and writes their offsets at `out`. */
function appendTexts(kernel: Kernel, column: ColumnBuffer, refs: Pointer, count: number, out: Pointer): void {
  const { u32 } = kernel.memory
  let total = 0, gaps = 0, repeats = 0
  for (let word = refs >>> 2, end = word + 2 * count, last = 0, next = 0; word < end; word += 2) {
    const start = u32[word]!, bytes = u32[word + 1]!
    if (start !== next) gaps++
    if (start === last && bytes > 0) repeats++
    total += bytes
    last = start
    next = start + bytes
  }
  if (repeats === 0 && gaps > count >>> 1) appendScattered(kernel, column, refs, count, out, total)
  else appendSpans(kernel, column, refs, count, out, total)
  column.dataBytes += total
}

/** Texts of which most stand by themselves, by one kernel call. */
function appendScattered(kernel: Kernel, { text }: ColumnBuffer, refs: Pointer, count: number, out: Pointer, total: number): void {
  const { memory: { u32 }, exports } = kernel
  const before = text.byteLength
  const to = extend(kernel, text, total)
  // Where each ends stands behind where the pairs grow, which get there only when it was read.
  const ends = out + 4 * count
  exports.valuesTexts(refs, count, to, ends, before)
  for (let row = 0, start = before; row < count; row++) {
    const end = u32[(ends >>> 2) + row]!
    u32[(out >>> 2) + 2 * row] = end === start ? 0 : start
    u32[(out >>> 2) + 2 * row + 1] = end - start
    start = end
  }
}

/** Copies texts that lie side by side at once and a repeated one only once. */
function appendSpans(kernel: Kernel, column: ColumnBuffer, refs: Pointer, count: number, out: Pointer, total: number): void {
  const { u8, u32 } = kernel.memory
  const { text } = column
  let to = reserveBytes(kernel, text, total)
  let spanStart = 0
  let spanEnd = -1
  let lastOffset = 0
  let lastStart = -1
  let lastBytes = 0
  for (let row = 0; row < count; row++) {
    const start = u32[(refs >>> 2) + 2 * row]!
    const bytes = u32[(refs >>> 2) + 2 * row + 1]!
    if (start !== lastStart || bytes !== lastBytes) {
      if (bytes > 0 && start !== spanEnd) {
        if (spanEnd > spanStart) to = copySpan(u8, spanStart, spanEnd, to)
        spanStart = spanEnd = start
      }
      lastOffset = to - text.address + (spanEnd - spanStart)
      if (bytes > 0) spanEnd += bytes
      else lastOffset = 0
      lastStart = start
      lastBytes = bytes
    }
    u32[(out >>> 2) + 2 * row] = lastOffset
    u32[(out >>> 2) + 2 * row + 1] = bytes
  }
  if (spanEnd > spanStart) to = copySpan(u8, spanStart, spanEnd, to)
  text.byteLength = to - text.address
}

/** Below this many bytes a loop is faster than `copyWithin`. */
const loopBytesMax = 24

function copySpan(u8: Uint8Array, start: Pointer, end: Pointer, to: Pointer): Pointer {
  if (end - start > loopBytesMax) u8.copyWithin(to, start, end)
  else for (let i = start; i < end; i++) u8[to + i - start] = u8[i]!
  return to + end - start
}

/** Appends `count` bits from bit `first` of `source` (0 = all clear) at bit `bitCount`; returns how many are set. */
function appendBits(kernel: Kernel, bitmap: LinearBuffer, bitCount: number, source: Pointer, first: number, count: number): number {
  const bytes = align8(Math.ceil((bitCount + count) / 8))
  const added = bytes - bitmap.byteLength
  const { u8 } = kernel.memory
  if (added > 0) {
    const fresh = extend(kernel, bitmap, added)
    u8.fill(0, fresh, fresh + added)
  }
  if (source === 0) return 0
  let set = 0
  for (let i = 0; i < count; i++) {
    const from = first + i
    if (((u8[source + (from >>> 3)]! >>> (from & 7)) & 1) === 0) continue
    const to = bitCount + i
    u8[bitmap.address + (to >>> 3)]! |= 1 << (to & 7)
    set += 1
  }
  return set
}

function setBits(u8: Uint8Array, bitmap: Pointer, first: number, count: number): void {
  for (let bit = first; bit < first + count; bit++) u8[bitmap + (bit >>> 3)]! |= 1 << (bit & 7)
}
