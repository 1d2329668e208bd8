/**
 * Rows of engine values as bytes in linear memory, for files that live as long as a query: every value comes back as the
 * same JavaScript value. No format for longer: it may change with any release. Little-endian:
 *
 *   u64 xxh64 of all that follows │ u32 payload bytes │ u32 rows │ u32 values a row │ u32 zero │ payload: tagged values
 *
 * A tag is one byte; its value follows, unaligned.
 */
import { corruption, invariant } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { LinearMemory, Pointer } from '../../kernel/linear-memory.ts'
import { isWellFormed } from '../check-value.ts'
import { readText, textBytesMax, writeText } from '../codec/text-bytes.ts'
import type { EngineRow, EngineValue } from '../engine.ts'

const tags = { null: 0, i8: 1, i16: 2, i32: 3, f64: 4, i64: 5, digits: 6, shortText: 7, text: 8, utf16: 9, bytes: 10 } as const

const headerBytes = 24

/** Bytes that a block of these rows takes at most. */
export function blockBytesMax(rows: readonly EngineRow[]): number {
  let bytes = headerBytes
  for (const row of rows) bytes += rowBytesMax(row)
  return bytes
}

export function rowBytesMax(row: EngineRow): number {
  let bytes = 0
  for (const value of row) bytes += valueBytesMax(value)
  return bytes
}

function valueBytesMax(value: EngineValue): number {
  if (typeof value === 'number') return 9
  if (value === null) return 1
  if (typeof value === 'string') return 5 + textBytesMax(value)
  if (value instanceof Uint8Array) return 5 + value.length
  return BigInt.asIntN(64, value) === value ? 9 : 5 + String(value).length
}

/** Writes a block at `at`, which has room for `blockBytesMax`; returns its bytes. */
export function writeBlock({ memory, exports }: Kernel, at: Pointer, rows: readonly EngineRow[]): number {
  const width = rows[0]?.length ?? 0
  let end = at + headerBytes
  for (const row of rows) {
    invariant(row.length === width, () => `a row of ${row.length} values among rows of ${width}`)
    for (const value of row) end = writeValue(memory, end, value)
  }
  const { view } = memory
  view.setUint32(at + 8, end - at - headerBytes, true)
  view.setUint32(at + 12, rows.length, true)
  view.setUint32(at + 16, width, true)
  view.setUint32(at + 20, 0, true)
  exports.checksumXxh64(at + 8, end - at - 8, at)
  return end - at
}

function writeValue(memory: LinearMemory, at: Pointer, value: EngineValue): Pointer {
  const { u8, view } = memory
  if (typeof value === 'number') return writeNumber(memory, at, value)
  if (value === null) {
    u8[at] = tags.null
    return at + 1
  }
  if (typeof value === 'string') return writeString(memory, at, value)
  if (value instanceof Uint8Array) {
    u8.set(value, at + 5)
    return sized(memory, at, tags.bytes, value.length)
  }
  if (BigInt.asIntN(64, value) !== value) return sized(memory, at, tags.digits, writeText(memory.buffer, at + 5, String(value)))
  u8[at] = tags.i64
  view.setBigInt64(at + 1, value, true)
  return at + 9
}

/** Tag and length before what has been written already. */
function sized({ u8, view }: LinearMemory, at: Pointer, tag: number, byteLength: number): Pointer {
  u8[at] = tag
  view.setUint32(at + 1, byteLength, true)
  return at + 5 + byteLength
}

function writeNumber({ u8, view }: LinearMemory, at: Pointer, value: number): Pointer {
  if ((value | 0) !== value || Object.is(value, -0)) {
    u8[at] = tags.f64
    view.setFloat64(at + 1, value, true)
    return at + 9
  }
  if (value >= -0x80 && value < 0x80) {
    u8[at] = tags.i8
    view.setInt8(at + 1, value)
    return at + 2
  }
  if (value >= -0x8000 && value < 0x8000) {
    u8[at] = tags.i16
    view.setInt16(at + 1, value, true)
    return at + 3
  }
  u8[at] = tags.i32
  view.setInt32(at + 1, value, true)
  return at + 5
}

function writeString(memory: LinearMemory, at: Pointer, text: string): Pointer {
  // Functions of text may cut between the halves of a character.
  if (!isWellFormed(text)) return sized(memory, at, tags.utf16, memory.buffer.write(text, at + 5, 'utf16le'))
  if (textBytesMax(text) > 0xff) return sized(memory, at, tags.text, writeText(memory.buffer, at + 5, text))
  const byteLength = writeText(memory.buffer, at + 2, text)
  memory.u8[at] = tags.shortText
  memory.u8[at + 1] = byteLength
  return at + 2 + byteLength
}

/** The rows of the block at `at`, checked against its checksum. `file` and `byteOffset` are for the message. */
export function readBlock({ memory, exports, heap }: Kernel, at: Pointer, byteLength: number, file: string, byteOffset: number): readonly EngineRow[] {
  const { view } = memory
  const sum = heap.allocate(8)
  exports.checksumXxh64(at + 8, byteLength - 8, sum)
  const [expected, actual] = [view.getBigUint64(at, true), view.getBigUint64(sum, true)]
  heap.free(sum)
  if (expected !== actual) throw corruption('spilled rows', { file, block: `the block at ${byteOffset}`, byteOffset, expected: expected.toString(16), actual: actual.toString(16) })
  const [rowCount, width] = [view.getUint32(at + 12, true), view.getUint32(at + 16, true)]
  const cursor: Cursor = { memory, at: at + headerBytes }
  return Array.from({ length: rowCount }, () => {
    const row: EngineValue[] = []
    for (let i = 0; i < width; i++) row.push(readValue(cursor))
    return row
  })
}

interface Cursor {
  readonly memory: LinearMemory
  at: Pointer
}

function readValue(cursor: Cursor): EngineValue {
  const { memory: { u8, view, buffer } } = cursor
  const at = cursor.at + 1
  const tag = u8[cursor.at]!
  switch (tag) {
    case tags.null:
      cursor.at = at
      return null
    case tags.i8:
      cursor.at = at + 1
      return view.getInt8(at)
    case tags.i16:
      cursor.at = at + 2
      return view.getInt16(at, true)
    case tags.i32:
      cursor.at = at + 4
      return view.getInt32(at, true)
    case tags.f64:
      cursor.at = at + 8
      return view.getFloat64(at, true)
    case tags.i64:
      cursor.at = at + 8
      return view.getBigInt64(at, true)
    case tags.shortText:
      cursor.at = at + 1 + u8[at]!
      return readText(buffer, at + 1, u8[at]!)
    case tags.digits:
      return BigInt(sizedText(cursor, 'latin1'))
    case tags.text:
      return sizedText(cursor, 'utf8')
    case tags.utf16:
      return sizedText(cursor, 'utf16le')
    case tags.bytes: {
      const { from, end } = sizedRange(cursor)
      return u8.slice(from, end)
    }
  }
  invariant(false, `unknown tag ${tag} among spilled values`)
}

/** Moves the cursor behind a value of a length. */
function sizedRange(cursor: Cursor): { readonly from: Pointer; readonly end: Pointer } {
  const from = cursor.at + 5
  cursor.at = from + cursor.memory.view.getUint32(cursor.at + 1, true)
  return { from, end: cursor.at }
}

function sizedText(cursor: Cursor, encoding: 'latin1' | 'utf8' | 'utf16le'): string {
  const { from, end } = sizedRange(cursor)
  return cursor.memory.buffer.toString(encoding, from, end)
}
