/**
 * The layout of table files, shared by their writer, reader and verifier. Never change these numbers: files live
 * longer than versions. A change that old readers cannot pass over gets a new version.
 *
 * Little-endian. Everything starts at a multiple of 8, nothing lies between the parts, and every byte is covered by
 * exactly one checksum (xxh64, seed 0).
 *
 *   0            header, 64 bytes
 *                  0 magic "LSMTSST1"   8 u16 version   10 u16 checksum algorithm (1 = xxh64)   12 u32 table id
 *                 16 f64 file number   24 zeros   56 u64 xxh64 of the 56 bytes before
 *   64           row groups: each row group's chunks in slot order (below), each followed by zeros to a multiple of
 *                  8; the checksum in the directory covers those zeros
 *   F            filter: split-block bloom filter of the keys (src/kernel/bloom.ts), a multiple of 32 bytes, or 0
 *   F + filter   footer (below)
 *   end - 64     trailer, 64 bytes
 *                  0 f64 F   8 u32 filter bytes   12 u32 footer bytes   16 u64 xxh64 of the filter
 *                 24 u64 xxh64 of the footer   32 u16 version   34 u16 checksum algorithm   36 u32 0
 *                 40 f64 file bytes   48 magic "LSMTSSTE"   56 u64 xxh64 of the 56 bytes before
 *
 * The tail is filter, footer and trailer: read in one request and used in place in linear memory.
 *
 * Chunk slots of a row group: 0 the keys (the key column itself for key forms i64 and bytes, key bytes for composite
 * keys); 1 tombstones, an i64 chunk of 0 and 1, absent when the row group has none; then the columns in ordinal order,
 * without the one that slot 0 is. A tombstone row has its key; its other columns are null.
 *
 * Footer of a file with n row groups, c columns, k key columns, s slots, r range tombstones, t columns of text:
 *   header 128 bytes
 *      0 u32 footer bytes   4 u32 n   8 u32 c   12 u32 k   16 u32 key form (1 i64, 2 bytes, 3 composite)   20 u32 s
 *     24 u32 table id   28 u32 r   32 f64 file number   40 f64 rows   48 f64 tombstones   56 f64 min sequence
 *     64 f64 max sequence   72 u32 data bytes   76 u32 p: bytes that all first keys begin with   80 zeros
 *   column kinds      c × u8 (1 i64, 2 f64, 3 bytes)                     each section is followed by zeros to a multiple of 8
 *   key ordinals      k × u32
 *   row counts        n × u32
 *   live row counts   n × u32: rows that are no tombstones
 *   directory         n × s × { u32 byte offset / 8, u32 encoded bytes (0 = no chunk), u64 xxh64 }
 *   zone maps         c × as src/kernel/zone-map.ts draws them, over live rows only, so that counts, extremes and sums
 *                     in them are those of rows a reader sees
 *   first keys        n × { u32 bytes p..p+4, u32 bytes p+4..p+8 of the first key as big-endian numbers, zeros where shorter }
 *   first key refs    n × ref
 *   text extremes     t × n × { ref of the exact minimum, ref of the maximum }; offset 2^32-1 = none kept
 *   key bounds        ref of the smallest key, ref of the largest; range tombstones included
 *   range tombstones  r × { ref of the start, ref of the end (exclusive) }, ascending by start
 *   data              the bytes that refs { u32 offset from the start of data, u32 bytes } point to
 */
import { keyForm } from '../layout.ts'
import type { KeyForm, PhysicalKind, TableLayout } from '../layout.ts'
import type { ChunkName } from './table.ts'

export const headerMagic = 'LSMTSST1'
export const trailerMagic = 'LSMTSSTE'
/**
 * Version 2 stores keys of text so that what they begin with alike is written once (encoding 21 of chunks), version 3
 * differences without what all of them are multiples of (encoding 7), version 4 sums of the parts of compressed text
 * (encoding 20), so that one can be read without the others.
 */
export const formatVersion = 4
/** Older ones that are read. */
export const readableVersions: readonly number[] = [1, 2, 3, formatVersion]
export const checksumAlgorithm = 1
export const headerBytes = 64
export const trailerBytes = 64
export const footerHeaderBytes = 128
export const directoryEntryBytes = 16
export const refBytes = 8
/** Offset of a ref that points nowhere. */
export const noRef = 0xffff_ffff
/** Longest text kept as an exact extreme. */
export const extremeBytesMax = 256
/** Row numbers are 16 bits wide in column chunks. */
export const rowGroupRowsMax = 65_535

export const keyFormNumber: Readonly<Record<KeyForm, number>> = { i64: 1, bytes: 2, composite: 3 }

export const alignUp = (byteLength: number, alignment: number): number => Math.ceil(byteLength / alignment) * alignment
export const align8 = (byteLength: number): number => alignUp(byteLength, 8)

/** Bytes that two keys begin with alike: for the first and the last of some in order, those that all have. */
export function sharedBytes(first: Uint8Array, last: Uint8Array): number {
  const most = Math.min(first.length, last.length)
  let shared = 0
  while (shared < most && first[shared] === last[shared]) shared += 1
  return shared
}

/** Slots 0 and 1 of every row group. */
export const keySlot = 0
export const tombstoneSlot = 1

/** Which slot each column is in, and what each slot holds. */
export interface ChunkSlots {
  readonly count: number
  /** By ordinal. */
  readonly ofColumn: readonly number[]
  /** By slot. */
  readonly kinds: readonly PhysicalKind[]
  /** By slot: what it holds, for messages. */
  readonly names: readonly ChunkName[]
}

export function chunkSlots(layout: TableLayout): ChunkSlots {
  const direct = keyForm(layout) === 'composite' ? undefined : layout.key[0]
  const kinds: PhysicalKind[] = [direct === undefined ? 'bytes' : layout.columns[direct]!, 'i64']
  const names: ChunkName[] = [direct ?? 'key', 'tombstones']
  const ofColumn = layout.columns.map((kind, ordinal) => {
    if (ordinal === direct) return keySlot
    names.push(ordinal)
    return kinds.push(kind) - 1
  })
  return { count: kinds.length, ofColumn, kinds, names }
}

/** The slot of a chunk by name; undefined when a file of this layout has no such column. */
export function slotOf(slots: ChunkSlots, name: ChunkName): number | undefined {
  if (name === 'key') return keySlot
  return name === 'tombstones' ? tombstoneSlot : slots.ofColumn[name]
}

/** Bytes of one column's zone map over `rowGroupCount` row groups, and where its fields start. */
export function zoneMapFields(rowGroupCount: number): { readonly min: number; readonly max: number; readonly nulls: number; readonly sum: number; readonly byteLength: number } {
  const max = rowGroupCount * 8
  const nulls = max * 2
  const sum = nulls + align8(rowGroupCount * 4)
  return { min: 0, max, nulls, sum, byteLength: sum + rowGroupCount * 16 }
}

/** The counts that a footer's shape follows from. */
export interface FooterShape {
  readonly rowGroupCount: number
  readonly columnCount: number
  readonly textColumnCount: number
  readonly keyColumnCount: number
  readonly slotCount: number
  readonly rangeTombstoneCount: number
  readonly dataBytes: number
}

/** Where each section of a footer starts, from the footer's start. */
export interface FooterSections {
  readonly columnKinds: number
  readonly keyOrdinals: number
  readonly rowCounts: number
  readonly liveRowCounts: number
  readonly directory: number
  readonly zoneMaps: number
  readonly firstKeys: number
  readonly firstKeyRefs: number
  readonly textExtremes: number
  readonly keyBounds: number
  readonly rangeTombstones: number
  readonly data: number
  readonly byteLength: number
}

export function footerSections(shape: FooterShape): FooterSections {
  const n = shape.rowGroupCount
  let end = footerHeaderBytes
  const section = (byteLength: number): number => {
    const start = end
    end += align8(byteLength)
    return start
  }
  return {
    columnKinds: section(shape.columnCount),
    keyOrdinals: section(shape.keyColumnCount * 4),
    rowCounts: section(n * 4),
    liveRowCounts: section(n * 4),
    directory: section(n * shape.slotCount * directoryEntryBytes),
    zoneMaps: section(shape.columnCount * zoneMapFields(n).byteLength),
    firstKeys: section(n * 8),
    firstKeyRefs: section(n * refBytes),
    textExtremes: section(shape.textColumnCount * n * 2 * refBytes),
    keyBounds: section(2 * refBytes),
    rangeTombstones: section(shape.rangeTombstoneCount * 2 * refBytes),
    data: section(shape.dataBytes),
    get byteLength() {
      return end
    },
  }
}
