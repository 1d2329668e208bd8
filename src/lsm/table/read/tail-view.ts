/** A validated tail of a table file in linear memory: what stands where, and the keys that row groups begin with. */
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import type { TableLayout } from '../../layout.ts'
import { noRef, zoneMapFields } from '../format.ts'
import type { RangeTombstone } from '../table.ts'
import type { ChunkSlots, FooterSections, FooterShape } from '../format.ts'

export interface Tail {
  readonly file: string
  readonly filter: { readonly address: Pointer; readonly byteLength: number }
  readonly footer: Pointer
  readonly sections: FooterSections
  readonly shape: FooterShape
  readonly layout: TableLayout
  readonly slots: ChunkSlots
  /** Bytes that all first keys begin with; their prefixes in the footer are what follows. */
  readonly sharedKeyBytes: number
  /** Where the row groups end in the file. */
  readonly filterOffset: number
}

/** Address and length of ref `index` of a section. The refs of a validated footer are in bounds. */
export function refAt({ u32 }: LinearMemory, tail: Tail, section: number, index: number): { readonly address: Pointer; readonly byteLength: number } {
  const ref = (tail.footer + section + index * 8) >>> 2
  return { address: tail.footer + tail.sections.data + u32[ref]!, byteLength: u32[ref + 1]! }
}

/** A copy of what ref `index` of a section points to. */
export function bytesAt(memory: LinearMemory, tail: Tail, section: number, index: number): Uint8Array {
  const { address, byteLength } = refAt(memory, tail, section, index)
  return memory.u8.slice(address, address + byteLength)
}

/** Copies of the range tombstones' ends. */
export function rangeTombstonesOf(memory: LinearMemory, tail: Tail): RangeTombstone[] {
  const copy = (index: number): Uint8Array => bytesAt(memory, tail, tail.sections.rangeTombstones, index)
  return Array.from({ length: tail.shape.rangeTombstoneCount }, (_, i) => ({ start: copy(i * 2), end: copy(i * 2 + 1) }))
}

/** Address of a column's zone map. */
export const zoneMapAt = (tail: Tail, ordinal: number): Pointer =>
  tail.footer + tail.sections.zoneMaps + ordinal * zoneMapFields(tail.shape.rowGroupCount).byteLength

/** Exact extremes of a text column in a row group; undefined when none were kept. */
export function textExtremesAt(memory: LinearMemory, tail: Tail, rowGroup: number, ordinal: number): { readonly min: Uint8Array; readonly max: Uint8Array } | undefined {
  if (tail.layout.columns[ordinal] !== 'bytes') return undefined
  const textColumn = tail.layout.columns.slice(0, ordinal).filter((kind) => kind === 'bytes').length
  const index = (textColumn * tail.shape.rowGroupCount + rowGroup) * 2
  const { textExtremes } = tail.sections
  if (memory.u32[(tail.footer + textExtremes + index * 8) >>> 2] === noRef) return undefined
  return { min: bytesAt(memory, tail, textExtremes, index), max: bytesAt(memory, tail, textExtremes, index + 1) }
}

/**
 * The last row group whose first key is <= the `keyBytes` bytes at `key` in `bytes`; -1 when all are above. After what
 * all first keys share, 8 bytes decide nearly always without touching the keys.
 */
export function searchFirstKeys(memory: LinearMemory, tail: Tail, bytes: Uint8Array, key: number, keyBytes: number): number {
  const { u32 } = memory
  const shared = tail.sharedKeyBytes
  if (shared > 0) {
    const order = orderToShared(memory, tail, bytes, key, keyBytes)
    if (order !== 0) return order < 0 ? -1 : tail.shape.rowGroupCount - 1
  }
  const high = prefixHalf(bytes, key + shared, keyBytes - shared)
  const low = prefixHalf(bytes, key + shared + 4, keyBytes - shared - 4)
  const prefixes = (tail.footer + tail.sections.firstKeys) >>> 2
  let from = 0
  let to = tail.shape.rowGroupCount
  while (from < to) {
    const middle = (from + to) >>> 1
    const firstHigh = u32[prefixes + middle * 2]!
    const firstLow = u32[prefixes + middle * 2 + 1]!
    const isAbove = firstHigh !== high ? firstHigh > high : firstLow !== low ? firstLow > low : restIsAbove(memory, tail, middle, bytes, key, keyBytes)
    if (isAbove) to = middle
    else from = middle + 1
  }
  return from - 1
}

/** How a key stands to all keys that begin with the shared bytes: 0 = it begins with them too. */
function orderToShared({ u32, u8 }: LinearMemory, tail: Tail, bytes: Uint8Array, key: number, keyBytes: number): number {
  const first = tail.footer + tail.sections.data + u32[(tail.footer + tail.sections.firstKeyRefs) >>> 2]!
  const compared = Math.min(keyBytes, tail.sharedKeyBytes)
  for (let i = 0; i < compared; i++) {
    const difference = bytes[key + i]! - u8[first + i]!
    if (difference !== 0) return difference
  }
  return compared < tail.sharedKeyBytes ? -1 : 0
}

/** Up to 4 bytes as a big-endian number, zeros where there are none. */
function prefixHalf(bytes: Uint8Array, at: number, byteLength: number): number {
  if (byteLength >= 4) return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  let half = 0
  for (let i = 0; i < 4; i++) half = (half << 8) | (i < byteLength ? bytes[at + i]! : 0)
  return half >>> 0
}

/** Whether a first key of the same prefix is above the key: by the bytes after the prefix, then by length. */
function restIsAbove({ u32, u8 }: LinearMemory, tail: Tail, rowGroup: number, bytes: Uint8Array, key: number, keyBytes: number): boolean {
  const ref = ((tail.footer + tail.sections.firstKeyRefs) >>> 2) + rowGroup * 2
  const first = tail.footer + tail.sections.data + u32[ref]!
  const firstBytes = u32[ref + 1]!
  const shared = Math.min(firstBytes, keyBytes)
  for (let i = tail.sharedKeyBytes + 8; i < shared; i++) {
    const difference = u8[first + i]! - bytes[key + i]!
    if (difference !== 0) return difference > 0
  }
  return firstBytes > keyBytes
}
