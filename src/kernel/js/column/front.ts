/** Twin of assembly/column/text/front.ts. */
import type { ColumnExports } from '../../column.ts'
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { encodings, frontRows, padded8 } from './layout.ts'
import type { ChunkLayout } from './layout.ts'
import { sharedEndOf } from './sections.ts'
import type { TextPlaces } from './text.ts'

export type ColumnFront = ReturnType<typeof createColumnFront>

const sharedMax = 65_535

export function createColumnFront({ u8, u32, view }: LinearMemory, layout: ChunkLayout, places: TextPlaces) {
  /** Bytes that the rows [first, end) all begin with. */
  const sharedBytes = (chunk: Pointer, first: number, end: number): number => {
    const text = layout.text(chunk), start = places.start(chunk, first)
    let next = places.start(chunk, first + 1), shared = Math.min(next - start, sharedMax)
    for (let row = first + 1; row < end; row++) {
      const at = next
      next = places.start(chunk, row + 1)
      shared = Math.min(shared, next - at)
      let same = 0
      while (same < shared && u8[text + start + same] === u8[text + at + same]) same++
      shared = same
    }
    return shared
  }

  const writeGroup = (chunk: Pointer, first: number, end: number, shared: number, to: Pointer): void => {
    const text = layout.text(chunk)
    view.setUint16(to, shared, true)
    for (let row = first, at = to + 2; row < end; row++) {
      const from = places.start(chunk, row) + (row === first ? 0 : shared), next = places.start(chunk, row + 1)
      u8.copyWithin(at, text + from, text + next)
      at += next - from
    }
  }

  const columnFront: ColumnExports['columnFront'] = (chunk, out) => {
    const count = layout.count(chunk)
    if (layout.encoding(chunk) !== encodings.textPlain || layout.flags(chunk) !== 0 || count === 0) return 0
    const shared = sharedEndOf(layout, chunk), textOffset = padded8(shared), textBytes = layout.textBytes(chunk)
    const storedMax = textBytes - (textBytes >>> 3)
    let stored = 0
    for (let first = 0; first < count; first += frontRows) {
      const end = Math.min(first + frontRows, count), prefix = sharedBytes(chunk, first, end)
      const bytes = 2 + places.start(chunk, end) - places.start(chunk, first) - prefix * (end - first - 1)
      if (stored + bytes > storedMax) return 0
      writeGroup(chunk, first, end, prefix, out + textOffset + stored)
      stored += bytes
    }
    const byteLength = padded8(textOffset + stored)
    u8.copyWithin(out, chunk, chunk + shared)
    u8.fill(0, out + shared, out + textOffset)
    u8.fill(0, out + textOffset + stored, out + byteLength)
    u8[out] = encodings.textFront
    u32[(out + 8) >>> 2] = byteLength
    u32[(out + 24) >>> 2] = textOffset
    u32[(out + 32) >>> 2] = stored
    return byteLength
  }

  /** Brings the text of a chunk that was found well-formed to `text`. */
  const expand = (chunk: Pointer, text: Pointer): void => {
    const count = layout.count(chunk)
    for (let first = 0, from = layout.text(chunk); first < count; first += frontRows) {
      const shared = view.getUint16(from, true), group = text + places.start(chunk, first)
      from += 2
      for (let row = first; row < Math.min(first + frontRows, count); row++) {
        let to = text + places.start(chunk, row)
        const next = text + places.start(chunk, row + 1)
        if (row !== first) {
          u8.copyWithin(to, group, group + shared)
          to += shared
        }
        u8.copyWithin(to, from, from + next - to)
        from += next - to
      }
    }
  }

  /** Whether the groups fill the stored text, and no row is shorter than what its group shares. */
  const fits = (chunk: Pointer): boolean => {
    const count = layout.count(chunk), stored = layout.entryCount(chunk), text = layout.text(chunk)
    let at = 0
    for (let first = 0; first < count; first += frontRows) {
      if (at + 2 > stored) return false
      const shared = view.getUint16(text + at, true)
      at += 2
      for (let row = first; row < Math.min(first + frontRows, count); row++) {
        const bytes = places.start(chunk, row + 1) - places.start(chunk, row)
        if (bytes < shared) return false
        at += row === first ? bytes : bytes - shared
      }
      if (at > stored) return false
    }
    return at === stored
  }

  return { columnFront, expand, fits }
}
