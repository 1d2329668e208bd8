/** The physical shape of a table as the tree knows it: kinds by ordinal, and which ordinals form the key. */

export type PhysicalKind = 'i64' | 'f64' | 'bytes'

/** A value of one column, in its physical kind. */
export type PhysicalValue = bigint | number | Uint8Array

/** Kind numbers in files and kernels; never change them. */
export const physicalKindNumber: Readonly<Record<PhysicalKind, number>> = { i64: 1, f64: 2, bytes: 3 }

export interface TableLayout {
  /** Never reused; truncating a table gives it a new one. */
  readonly tableId: number
  /** All columns by ordinal, those of the key included. Only ever grows at its end. */
  readonly columns: readonly PhysicalKind[]
  /** Ordinals of the key's columns, in key order. */
  readonly key: readonly number[]
  /** What rows that were written before a column was there have in it, by ordinal; in columns left out they are null. */
  readonly missing?: readonly MissingValue[]
}

/** A chunk of a row group: of a column by ordinal, of a composite key's bytes, or of what is deleted. */
export type ChunkName = number | 'key' | 'tombstones'

export interface MissingValue {
  readonly ordinal: number
  readonly value: PhysicalValue
}

/** A value as stored bytes: 8 little-endian, or the text itself. */
export function encodeValue(kind: PhysicalKind, value: PhysicalValue): Uint8Array {
  if (value instanceof Uint8Array) return value
  const bytes = Buffer.alloc(8)
  if (kind === 'f64') bytes.writeDoubleLE(Number(value))
  else bytes.writeBigInt64LE(BigInt(value))
  return bytes
}

export function decodeValue(kind: PhysicalKind, bytes: Uint8Array): PhysicalValue {
  if (kind === 'bytes') return bytes
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return kind === 'f64' ? buffer.readDoubleLE() : buffer.readBigInt64LE()
}

/**
 * How a table file stores keys. 'i64' and 'bytes': the key is one column and its key bytes are that column (see
 * src/kernel/row.ts), stored once. 'composite': key bytes are stored as a chunk of their own beside the columns.
 *
 * Composite key bytes are the columns' bytes one after the other: i64 8 bytes big-endian with the sign bit flipped; f64
 * 8 bytes big-endian, all bits flipped when negative, otherwise the sign bit (-0 is written as 0, NaN as 0x7ff8…0);
 * bytes (the last one too) with every 0x00 as 0x00 0xff, ended by 0x00 0x01. Keys are never null.
 */
export type KeyForm = 'i64' | 'bytes' | 'composite'

export function keyForm(layout: TableLayout): KeyForm {
  const [only, ...more] = layout.key
  if (only === undefined || more.length > 0) return 'composite'
  const kind = layout.columns[only]
  return kind === 'i64' || kind === 'bytes' ? kind : 'composite'
}

/** Ordinals of the value columns, in the order in which rows hold them. */
export function valueOrdinals(layout: TableLayout): readonly number[] {
  return layout.columns.map((_, ordinal) => ordinal).filter((ordinal) => !layout.key.includes(ordinal))
}
