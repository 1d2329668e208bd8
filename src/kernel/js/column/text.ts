/** Twin of assembly/column/text/{places,decode,search,compare}.ts: where the text of a row stands, and searches on it. */
import type { ColumnExports } from '../../column.ts'
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import type { LzExports } from '../../lz.ts'
import { columnKinds, encodings, subBlockBytes } from './layout.ts'
import type { ChunkLayout } from './layout.ts'
import type { ColumnNulls } from './nulls.ts'

export type TextReaders = Pick<ColumnExports, 'columnDecodeScratchBytes' | 'columnDecodeBytes' | 'columnGetBytes' | 'columnLowerBoundBytes'>
export type TextPlaces = ReturnType<typeof createTextPlaces>

/** From this length on the native compare beats a loop. */
const bulkCompareBytes = 48

/** Unsigned bytes, shorter first. */
export function createCompareBytes({ u8, buffer }: LinearMemory): (a: Pointer, aBytes: number, b: Pointer, bBytes: number) => number {
  return (a, aBytes, b, bBytes) => {
    const shared = Math.min(aBytes, bBytes)
    if (shared >= bulkCompareBytes) return buffer.compare(buffer, b, b + bBytes, a, a + aBytes)
    for (let i = 0; i < shared; i++) {
      const difference = u8[a + i]! - u8[b + i]!
      if (difference !== 0) return difference
    }
    return aBytes - bBytes
  }
}

/** Row ends, sub-blocks and runs; offsets are relative to the uncompressed text. */
export function createTextPlaces({ u8, u16, u32 }: LinearMemory, layout: ChunkLayout, lz: LzExports) {
  const end = (chunk: Pointer, entry: Pointer, i: number): number => {
    const line = layout.baseLow(entry) + Math.imul(layout.slopeLow(entry), i) + ((layout.fraction(entry) * i) >>> 16)
    return (line + layout.packedBits(layout.packed(chunk, entry), layout.width(entry), i)) >>> 0
  }

  const start = (chunk: Pointer, row: number): number => {
    if (row >= layout.count(chunk)) return layout.textBytes(chunk)
    const entry = layout.entry(chunk, row >> 10)
    return layout.textStartOf(entry) + ((row & 1023) === 0 ? 0 : end(chunk, entry, (row & 1023) - 1))
  }

  const record = (chunk: Pointer, index: number): number => (layout.entries(chunk) + index * subBlockBytes) >>> 2
  const firstRow = (chunk: Pointer, index: number): number => u32[record(chunk, index)]!
  const subBlockStart = (chunk: Pointer, index: number): number => u32[record(chunk, index) + 1]!
  const storedStart = (chunk: Pointer, index: number): number => u32[record(chunk, index) + 2]!

  const subBlockOf = (chunk: Pointer, row: number): number => {
    let low = 0, high = layout.entryCount(chunk) - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (firstRow(chunk, middle) <= row) low = middle
      else high = middle - 1
    }
    return low
  }

  const expand = (chunk: Pointer, index: number, out: Pointer): boolean => {
    const byteLength = subBlockStart(chunk, index + 1) - subBlockStart(chunk, index)
    const stored = storedStart(chunk, index + 1) - storedStart(chunk, index)
    const from = layout.text(chunk) + storedStart(chunk, index)
    if (stored !== byteLength) return lz.lzDecompress(from, stored, out, byteLength) === byteLength
    u8.copyWithin(out, from, from + byteLength)
    return true
  }

  const runOf = (chunk: Pointer, row: number): number => {
    const ends = layout.runEnds(chunk) >>> 1
    let low = 0, high = layout.runCount(chunk) - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (u16[ends + middle]! <= row) low = middle + 1
      else high = middle
    }
    return low
  }

  return { end, start, firstRow, subBlockStart, storedStart, subBlockOf, expand, runOf }
}

export function createTextReaders(memory: LinearMemory, layout: ChunkLayout, nulls: ColumnNulls, places: TextPlaces): TextReaders {
  const { u32 } = memory
  const decode = createTextDecoder(memory, layout, places)

  const columnDecodeBytes = (chunk: Pointer, first: number, count: number, refs: Pointer, bitmap: Pointer, scratch: Pointer): number => {
    if (layout.kind(chunk) !== columnKinds.bytes || first < 0 || count < 0 || (first & 7) !== 0 || first + count > layout.count(chunk)) return -1
    if (count === 0) return 0
    if (!decode(chunk, first, count, refs, scratch)) return -1
    return nulls.apply(chunk, first, count, refs, bitmap)
  }

  const columnGetBytes = (chunk: Pointer, row: number, out: Pointer, scratch: Pointer): number => {
    if (layout.kind(chunk) !== columnKinds.bytes || row < 0 || row >= layout.count(chunk)) return -1
    if (layout.isNull(layout.nulls(chunk), row)) {
      u32[out >>> 2] = 0
      u32[(out >>> 2) + 1] = 0
      return 0
    }
    if (layout.encoding(chunk) !== encodings.textLz) return decode(chunk, row, 1, out, scratch) ? 1 : -1
    if (scratch === 0) return -2
    const index = places.subBlockOf(chunk, row), start = places.start(chunk, row)
    u32[out >>> 2] = scratch + start - places.subBlockStart(chunk, index)
    u32[(out >>> 2) + 1] = places.start(chunk, row + 1) - start
    return u32[(out >>> 2) + 1] === 0 || places.expand(chunk, index, scratch) ? 1 : -1
  }

  return {
    columnDecodeScratchBytes: (chunk) => (layout.encoding(chunk) === encodings.textLz ? layout.textBytes(chunk) : 0),
    columnDecodeBytes,
    columnGetBytes,
    columnLowerBoundBytes: createTextSearch(memory, layout, places),
  }
}

/** Writes the refs of a range; false when compressed text is malformed. */
function createTextDecoder({ u16, u32 }: LinearMemory, layout: ChunkLayout, places: TextPlaces) {
  const fill = (refs: Pointer, count: number, address: Pointer, byteLength: number): void => {
    for (let i = 0, at = refs >>> 2; i < count; i++, at += 2) {
      u32[at] = address
      u32[at + 1] = byteLength
    }
  }

  const decodeCodes = (chunk: Pointer, first: number, count: number, refs: Pointer): void => {
    const packed = layout.data(chunk), width = layout.codeWidth(chunk)
    const entries = layout.entries(chunk) >>> 2, text = layout.text(chunk)
    for (let i = 0, at = refs >>> 2; i < count; i++, at += 2) {
      const code = layout.packedGet(packed, width, first + i), start = u32[entries + code]!
      u32[at] = text + start
      u32[at + 1] = u32[entries + code + 1]! - start
    }
  }

  const decodeRuns = (chunk: Pointer, first: number, count: number, refs: Pointer): void => {
    const ends = layout.runEnds(chunk) >>> 1, entries = layout.entries(chunk) >>> 2
    const stop = first + count
    for (let run = places.runOf(chunk, first), row = first; row < stop; run++) {
      const end = Math.min(u16[ends + run]!, stop)
      const code = layout.packedGet(layout.data(chunk), layout.codeWidth(chunk), run), start = u32[entries + code]!
      fill(refs + (row - first) * 8, end - row, layout.text(chunk) + start, u32[entries + code + 1]! - start)
      row = end
    }
  }

  const decodePlain = (chunk: Pointer, first: number, count: number, refs: Pointer, text: Pointer): void => {
    let before = places.start(chunk, first)
    for (let row = first, at = refs >>> 2; row < first + count; row++, at += 2) {
      const entry = layout.entry(chunk, row >> 10)
      const end = layout.textStartOf(entry) + places.end(chunk, entry, row & 1023)
      u32[at] = text + before
      u32[at + 1] = end - before
      before = end
    }
  }

  return (chunk: Pointer, first: number, count: number, refs: Pointer, scratch: Pointer): boolean => {
    const encoding = layout.encoding(chunk)
    if (encoding === encodings.textConstant) fill(refs, count, layout.text(chunk), layout.textBytes(chunk))
    else if (encoding === encodings.textDictionary) decodeCodes(chunk, first, count, refs)
    else if (encoding === encodings.textRuns) decodeRuns(chunk, first, count, refs)
    else if (encoding === encodings.textPlain) decodePlain(chunk, first, count, refs, layout.text(chunk))
    else {
      for (let index = places.subBlockOf(chunk, first); index <= places.subBlockOf(chunk, first + count - 1); index++) {
        if (!places.expand(chunk, index, scratch + places.subBlockStart(chunk, index))) return false
      }
      decodePlain(chunk, first, count, refs, scratch)
    }
    return true
  }
}

function createTextSearch(memory: LinearMemory, layout: ChunkLayout, places: TextPlaces): ColumnExports['columnLowerBoundBytes'] {
  const { u16, u32 } = memory
  const compare = createCompareBytes(memory)

  const firstNotBelow = (low: number, high: number, isBelow: (index: number) => boolean): number => {
    while (low < high) {
      const middle = (low + high) >> 1
      if (isBelow(middle)) low = middle + 1
      else high = middle
    }
    return low
  }

  const searchRows = (chunk: Pointer, text: Pointer, low: number, high: number, key: Pointer, keyBytes: number): number => firstNotBelow(low, high, (row) => {
    const start = places.start(chunk, row)
    return compare(text + start, places.start(chunk, row + 1) - start, key, keyBytes) < 0
  })

  const searchSubBlocks = (chunk: Pointer, key: Pointer, keyBytes: number, scratch: Pointer): number => {
    let malformed = false
    const index = firstNotBelow(0, layout.entryCount(chunk), (middle) => {
      if (!places.expand(chunk, middle, scratch)) malformed = true
      return compare(scratch, places.start(chunk, places.firstRow(chunk, middle) + 1) - places.subBlockStart(chunk, middle), key, keyBytes) < 0
    }) - 1
    if (malformed || (index >= 0 && !places.expand(chunk, index, scratch))) return -1
    if (index < 0) return 0
    return searchRows(chunk, scratch - places.subBlockStart(chunk, index), places.firstRow(chunk, index), places.firstRow(chunk, index + 1), key, keyBytes)
  }

  const searchCodes = (chunk: Pointer, key: Pointer, keyBytes: number): number => {
    const entries = layout.entries(chunk) >>> 2, text = layout.text(chunk), packed = layout.data(chunk), width = layout.codeWidth(chunk)
    const wanted = firstNotBelow(0, layout.entryCount(chunk), (code) => compare(text + u32[entries + code]!, u32[entries + code + 1]! - u32[entries + code]!, key, keyBytes) < 0)
    const runs = layout.encoding(chunk) === encodings.textRuns
    const index = firstNotBelow(0, runs ? layout.runCount(chunk) : layout.count(chunk), (i) => layout.packedGet(packed, width, i) < wanted)
    if (!runs) return index
    return index === 0 ? 0 : u16[(layout.runEnds(chunk) >>> 1) + index - 1]!
  }

  return (chunk, key, keyBytes, scratch) => {
    if (layout.kind(chunk) !== columnKinds.bytes) return -1
    const count = layout.count(chunk), encoding = layout.encoding(chunk)
    if (count === 0) return 0
    if (encoding === encodings.textConstant) return compare(layout.text(chunk), layout.textBytes(chunk), key, keyBytes) < 0 ? count : 0
    if (encoding === encodings.textPlain) return searchRows(chunk, layout.text(chunk), 0, count, key, keyBytes)
    if (encoding === encodings.textLz) return searchSubBlocks(chunk, key, keyBytes, scratch)
    return searchCodes(chunk, key, keyBytes)
  }
}
