/** Verifies one row group: its chunks against their checksums, and its rows against what the file says about them. */
import { corruption } from '../../../errors.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import type { PhysicalKind } from '../../layout.ts'
import { keySlot, tombstoneSlot, zoneMapFields } from '../format.ts'
import { checkAscending, keyAt } from '../key-order.ts'
import { checkChunk, chunkName, directoryEntry, storedOnlyEncoding } from '../read/chunk-loader.ts'
import { bytesAt, textExtremesAt, zoneMapAt } from '../read/tail-view.ts'
import type { Tail } from '../read/tail-view.ts'
import { expectIn } from '../read/tail.ts'
import { computeZoneRecord, extremesOf, zoneRecordBytes } from '../write/zone-record.ts'
import type { Arena } from './arena.ts'
import type { Check } from './finding.ts'

export interface RowGroupBytes {
  readonly kernel: Kernel
  readonly tail: Tail
  readonly arena: Arena
  readonly check: Check
  readonly rowGroup: number
  /** The row group's bytes, and where they start in the file. */
  readonly chunks: Pointer
  readonly start: number
}

/** A decoded chunk. `nulls` is always a bitmap. */
interface Decoded {
  readonly kind: PhysicalKind
  readonly values: Pointer
  readonly nulls: Pointer
  readonly hasNulls: boolean
}

/** Returns a copy of the last key; undefined when the key chunk is not readable. */
export function verifyRowGroup(group: RowGroupBytes, lastKey: Uint8Array | undefined): Uint8Array | undefined {
  const { kernel, tail, check, rowGroup } = group
  const slots = tail.slots.kinds.map((_, slot) => check(() => decodeSlot(group, slot)))
  const rowCount = kernel.memory.u32[((tail.footer + tail.sections.rowCounts) >>> 2) + rowGroup]!
  const keys = slots[keySlot]
  const tombstones = check(() => tombstoneBits(group, slots[tombstoneSlot], rowCount))
  if (keys !== undefined) {
    check(() => checkKeys(group, keys, rowCount, lastKey))
    check(() => checkFilter(group, keys, rowCount))
  }
  if (tombstones !== undefined) {
    tail.slots.ofColumn.forEach((slot, ordinal) => {
      const column = slots[slot]
      if (column !== undefined) check(() => checkColumn(group, ordinal, column, tombstones, rowCount))
    })
  }
  return keys === undefined ? undefined : keyAt(kernel.memory, keys.kind, keys.values, rowCount - 1)
}

const indexOf = (group: RowGroupBytes, slot: number): number => group.rowGroup * group.tail.slots.count + slot

/** Checks and decodes a chunk; undefined when the row group has none in this slot. */
function decodeSlot(group: RowGroupBytes, slot: number): Decoded | undefined {
  const { kernel, tail, arena } = group
  const { exports, memory } = kernel
  const index = indexOf(group, slot)
  const entry = directoryEntry(tail, index) >>> 2
  if (memory.u32[entry + 1] === 0) return undefined
  const stored = group.chunks + memory.u32[entry]! * 8 - group.start
  checkChunk(kernel, tail, index, stored)
  const chunk = exports.columnEncoding(stored) === storedOnlyEncoding ? expanded(group, stored) : stored
  const kind = tail.slots.kinds[slot]!
  const rowCount = exports.columnCount(chunk)
  const values = arena.allocate(rowCount * 8)
  const nullBytes = Math.ceil(rowCount / 64) * 8
  const nulls = arena.allocate(nullBytes)
  memory.u8.fill(0, nulls, nulls + nullBytes)
  const scratch = kind === 'bytes' ? arena.allocate(exports.columnDecodeScratchBytes(chunk)) : 0
  const status =
    kind === 'bytes'
      ? exports.columnDecodeBytes(chunk, 0, rowCount, values, nulls, scratch)
      : (kind === 'i64' ? exports.columnDecodeI64 : exports.columnDecodeF64)(chunk, 0, rowCount, values, nulls)
  if (status < 0) throw corruption('column chunk', { file: tail.file, block: chunkName(tail, index), expected: 'values', actual: `status ${status}` })
  return { kind, values, nulls, hasNulls: status > 0 }
}

function expanded({ kernel: { exports }, arena }: RowGroupBytes, stored: Pointer): Pointer {
  const chunk = arena.allocate(exports.columnExpandedBytes(stored))
  exports.columnExpand(stored, chunk)
  return chunk
}

/** The tombstones as a bitmap with their count, which must be what the footer's row counts say. */
interface Tombstones {
  readonly bits: Pointer
  readonly count: number
}

function tombstoneBits(group: RowGroupBytes, chunk: Decoded | undefined, rowCount: number): Tombstones {
  const { kernel: { memory }, tail, arena, rowGroup } = group
  const byteLength = Math.ceil(rowCount / 64) * 8
  const bits = arena.allocate(byteLength)
  memory.u8.fill(0, bits, bits + byteLength)
  let count = 0
  for (let row = 0; chunk !== undefined && row < rowCount; row++) {
    const value = memory.i64[(chunk.values >>> 3) + row]!
    if (value !== 0n && value !== 1n) throw corruption('tombstones', { file: tail.file, block: `row group ${rowGroup}, tombstones`, expected: '0 or 1', actual: String(value) })
    if (value === 0n) continue
    memory.u8[bits + (row >>> 3)]! |= 1 << (row & 7)
    count += 1
  }
  const live = memory.u32[((tail.footer + tail.sections.liveRowCounts) >>> 2) + rowGroup]!
  expectIn(tail.file)(`row group ${rowGroup}, tombstones`, rowCount - live, count)
  return { bits, count }
}

/** Keys are not null, ascend, follow the last row group's, and begin with the first key in the footer. */
function checkKeys({ kernel: { memory }, tail, rowGroup }: RowGroupBytes, keys: Decoded, rowCount: number, lastKey: Uint8Array | undefined): void {
  const block = `row group ${rowGroup}, keys`
  const expect = expectIn(tail.file)
  expect(`${block}, nulls`, false, keys.hasNulls)
  const first = keyAt(memory, keys.kind, keys.values, 0)
  const hexOf = (key: Uint8Array): string => Buffer.from(key).toString('hex')
  expect(`${block}, first key`, hexOf(bytesAt(memory, tail, tail.sections.firstKeyRefs, rowGroup)), hexOf(first))
  const disorder = checkAscending(memory, keys.kind, { rowCount, keys: keys.values }, lastKey)
  if (disorder !== undefined) throw corruption('keys', { file: tail.file, block, expected: 'ascending keys', actual: disorder })
}

/** The filter must know every key. */
function checkFilter({ kernel, tail, arena, rowGroup }: RowGroupBytes, keys: Decoded, rowCount: number): void {
  const { exports, memory } = kernel
  const hashes = arena.allocate(rowCount * 8)
  if (keys.kind === 'i64') exports.bloomHashI64(keys.values, rowCount, hashes)
  else exports.bloomHashRefs(keys.values, rowCount, hashes)
  const filters = arena.allocate(16)
  memory.u32[filters >>> 2] = tail.filter.address
  memory.u32[(filters >>> 2) + 1] = tail.filter.byteLength
  for (let row = 0; row < rowCount; row++) {
    if (exports.bloomProbe(hashes + row * 8, filters, 1, filters + 8) === 1) continue
    throw corruption('filter', { file: tail.file, block: 'filter', expected: `the key of row ${row} of row group ${rowGroup}`, actual: 'not in it' })
  }
}

/** A column is null in tombstone rows, and its zone map and extremes are those of its live rows. */
function checkColumn(group: RowGroupBytes, ordinal: number, column: Decoded, tombstones: Tombstones, rowCount: number): void {
  const { kernel, tail, arena, rowGroup } = group
  const isKey = tail.slots.ofColumn[ordinal] === keySlot
  if (!isKey) expectNullTombstones(group, ordinal, column, tombstones, rowCount)
  const record = arena.allocate(zoneRecordBytes)
  const nulls = isKey ? tombstones.bits : column.nulls
  computeZoneRecord(kernel, { kind: column.kind, values: column.values, nulls, rowCount, tombstoneCount: tombstones.count }, record)
  const expect = expectIn(tail.file)
  expect(`zone map, row group ${rowGroup}, column ${ordinal}`, recordHex(kernel, record), storedHex(kernel, tail, rowGroup, ordinal))
  if (column.kind !== 'bytes') return
  const describe = (extremes: { readonly min: Uint8Array; readonly max: Uint8Array } | undefined): string =>
    extremes === undefined ? 'none' : `${Buffer.from(extremes.min).toString('hex')} to ${Buffer.from(extremes.max).toString('hex')}`
  const found = describe(textExtremesAt(kernel.memory, tail, rowGroup, ordinal))
  expect(`text extremes, row group ${rowGroup}, column ${ordinal}`, describe(extremesOf(kernel, column.values, record)), found)
}

function expectNullTombstones({ kernel: { memory: { u8 } }, tail, rowGroup }: RowGroupBytes, ordinal: number, column: Decoded, tombstones: Tombstones, rowCount: number): void {
  for (let byte = 0; byte < Math.ceil(rowCount / 8); byte++) {
    const notNull = u8[tombstones.bits + byte]! & ~u8[column.nulls + byte]!
    if (notNull === 0) continue
    const row = byte * 8 + 31 - Math.clz32(notNull)
    throw corruption('tombstone', { file: tail.file, block: `row group ${rowGroup}, column ${ordinal}`, expected: `null in row ${row}`, actual: 'a value' })
  }
}

/** The 36 bytes of a record that a zone map keeps: min, max, nulls, sum. */
const recordHex = ({ memory: { buffer } }: Kernel, record: Pointer): string =>
  `${buffer.toString('hex', record, record + 20)}${buffer.toString('hex', record + 24, record + 40)}`

function storedHex({ memory: { buffer } }: Kernel, tail: Tail, rowGroup: number, ordinal: number): string {
  const zoneMap = zoneMapAt(tail, ordinal)
  const fields = zoneMapFields(tail.shape.rowGroupCount)
  const part = (field: number, size: number): string => buffer.toString('hex', zoneMap + field + rowGroup * size, zoneMap + field + (rowGroup + 1) * size)
  return part(fields.min, 8) + part(fields.max, 8) + part(fields.nulls, 4) + part(fields.sum, 16)
}
