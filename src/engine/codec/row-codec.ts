/**
 * Row bytes (drawn in src/kernel/row.ts) from engine values. The key's columns are not in them: the key bytes are.
 * A row arrives checked (src/engine/check-value.ts), so nothing is refused here but text that is not Unicode.
 */
import { physicalKind } from '../schema.ts'
import type { TableSchema } from '../schema.ts'
import type { PhysicalKind, TableLayout } from '../../lsm/layout.ts'
import { valueOrdinals } from '../../lsm/layout.ts'
import type { EngineRow, EngineValue } from '../engine.ts'
import { writeI64 } from './byte-target.ts'
import type { ByteTarget } from './byte-target.ts'
import { textBytesMax, writeText } from './text-bytes.ts'

/** How a table's rows are written; made once a table. */
export interface RowCodec {
  /** Value columns: those not in the key, in ordinal order. */
  readonly ordinals: readonly number[]
  readonly kinds: readonly PhysicalKind[]
  readonly bitmapBytes: number
  /** Bytes before the text part. */
  readonly fixedBytes: number
}

const headerBytes = 4

/** The physical shape of a table. */
export function tableLayout(table: TableSchema): TableLayout {
  return { tableId: table.tableId, columns: table.columns.map((column) => physicalKind(column.type)), key: table.primaryKey }
}

export function rowCodec(layout: TableLayout): RowCodec {
  const ordinals = valueOrdinals(layout)
  const kinds = ordinals.map((ordinal) => layout.columns[ordinal]!)
  const bitmapBytes = Math.ceil(ordinals.length / 8)
  const slotBytes = kinds.reduce((sum, kind) => sum + (kind === 'bytes' ? 4 : 8), 0)
  return { ordinals, kinds, bitmapBytes, fixedBytes: headerBytes + bitmapBytes + slotBytes }
}

/** Upper bound of the bytes of a row. */
export function rowBytesMax(codec: RowCodec, row: EngineRow): number {
  let bytes = codec.fixedBytes
  for (let i = 0; i < codec.ordinals.length; i++) {
    const value = row[codec.ordinals[i]!]
    if (typeof value === 'string') bytes += textBytesMax(value)
    else if (value instanceof Uint8Array) bytes += value.length
  }
  return bytes
}

/** Writes a row at `at`, which has room for `rowBytesMax`; returns its bytes. */
export function writeRow(codec: RowCodec, target: ByteTarget, at: number, row: EngineRow): number {
  const { buffer, view } = target
  const { ordinals, kinds } = codec
  view.setUint32(at, ordinals.length, true)
  const bitmap = at + headerBytes
  let slot = bitmap + codec.bitmapBytes
  // A call to fill costs as much as the bits of hundreds of columns.
  for (let i = bitmap; i < slot; i++) buffer[i] = 0
  const textFrom = at + codec.fixedBytes
  let textTo = textFrom
  for (let i = 0; i < ordinals.length; i++) {
    const value = row[ordinals[i]!]!
    if (value === null) buffer[bitmap + (i >>> 3)]! |= 1 << (i & 7)
    switch (kinds[i]!) {
      case 'i64':
        writeI64(view, slot, (value ?? 0) as number | bigint)
        slot += 8
        break
      case 'f64':
        view.setFloat64(slot, (value ?? 0) as number, true)
        slot += 8
        break
      case 'bytes':
        if (value !== null) textTo += writeBytesValue(buffer, textTo, value)
        view.setUint32(slot, textTo - textFrom, true)
        slot += 4
        break
    }
  }
  return textTo - at
}

function writeBytesValue(buffer: Buffer, at: number, value: EngineValue): number {
  if (typeof value === 'string') return writeText(buffer, at, value)
  const bytes = value as Uint8Array
  buffer.set(bytes, at)
  return bytes.length
}
