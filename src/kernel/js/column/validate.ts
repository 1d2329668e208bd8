/** Twin of assembly/column/validate.ts: the same checks in the same order, hence the same numbers. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import type { ColumnFront } from './front.ts'
import { blockCount, checkpointBytes, columnKinds, countMax, encodings, entryBytes, exceptionBytes, exponentMax, headerBytes, isDelta, nullBitmapBytes, packedBytes, subBlockBytes, sumBytes } from './layout.ts'
import type { ChunkLayout } from './layout.ts'
import type { TextPlaces } from './text.ts'

const malformed = { header: 1, nulls: 2, data: 3, block: 4, dictionary: 5, codes: 6, text: 7, subBlock: 8 } as const
const expansionMax = 256

function kindFits(kind: number, encoding: number): boolean {
  if (encoding === encodings.constant || encoding === encodings.plain) return kind === columnKinds.i64 || kind === columnKinds.f64
  if (encoding === encodings.frame || encoding === encodings.linear || isDelta(encoding)) return kind === columnKinds.i64
  if (encoding === encodings.decimal) return kind === columnKinds.f64
  return kind === columnKinds.bytes && encoding >= encodings.textConstant && encoding <= encodings.textFront
}

export function createValidator(memory: LinearMemory, layout: ChunkLayout, places: TextPlaces, front: ColumnFront): (chunk: Pointer, chunkBytes: number) => number {
  const { u8, u16, u32 } = memory

  const inside = (chunk: Pointer, offset: number, bytes: number): boolean => (offset & 7) === 0 && offset >= headerBytes && offset + bytes <= layout.byteLength(chunk)
  const sectionInside = (chunk: Pointer, field: number, bytes: number): boolean => inside(chunk, layout.header(chunk, field), bytes)

  const nullsInside = (chunk: Pointer): boolean => {
    const offset = layout.header(chunk, 12), count = layout.count(chunk)
    if ((layout.flags(chunk) !== 0) !== (offset !== 0)) return false
    if (offset === 0) return true
    const bytes = nullBitmapBytes(count)
    if (!inside(chunk, offset, bytes)) return false
    for (let row = count; row < bytes * 8; row++) if (layout.isNull(chunk + offset, row)) return false
    return true
  }

  const codesInside = (chunk: Pointer, entry: Pointer, rows: number, widthMax: number): boolean =>
    layout.width(entry) <= widthMax && inside(chunk, u32[(entry >>> 2) + 4]!, packedBytes(rows, layout.width(entry)))

  const exceptionsInside = (chunk: Pointer, entry: Pointer, rows: number): boolean => {
    const count = layout.exceptionCount(entry), offset = u32[(entry >>> 2) + 5]!
    if (count === 0) return true
    if (!inside(chunk, offset, exceptionBytes(count))) return false
    for (let k = 0, before = -1; k < count; k++) {
      const row = u16[((chunk + offset) >>> 1) + k]!
      if (row <= before || row >= rows) return false
      before = row
    }
    return true
  }

  const validateNumbers = (chunk: Pointer, encoding: number): number => {
    if (encoding === encodings.decimal && Math.abs(layout.exponent(chunk)) > exponentMax) return malformed.header
    for (let block = 0; block < blockCount(layout.count(chunk)); block++) {
      const entry = layout.entry(chunk, block), rows = layout.rowsOf(chunk, block)
      if (!codesInside(chunk, entry, rows, 64)) return malformed.block
      if (isDelta(encoding) && !inside(chunk, u32[(entry >>> 2) + 5]!, checkpointBytes(rows))) return malformed.block
      if (encoding === encodings.decimal && !exceptionsInside(chunk, entry, rows)) return malformed.block
    }
    return 0
  }

  const runsInside = (chunk: Pointer): boolean => {
    const runs = layout.runCount(chunk), count = layout.count(chunk)
    if (runs > count || runs === 0 || !sectionInside(chunk, 44, runs * 2)) return false
    let before = 0
    for (let run = 0; run < runs; run++) {
      const end = u16[(layout.runEnds(chunk) >>> 1) + run]!
      if (end <= before) return false
      before = end
    }
    return before === count
  }

  const offsetsAscend = (chunk: Pointer, entryCount: number): boolean => {
    for (let i = 0, before = 0, at = layout.entries(chunk) >>> 2; i <= entryCount; i++) {
      const offset = u32[at + i]!
      if (offset < before || offset > layout.textBytes(chunk)) return false
      before = offset
    }
    return true
  }

  const validateDictionary = (chunk: Pointer, encoding: number): number => {
    const entryCount = layout.entryCount(chunk), width = layout.codeWidth(chunk)
    if (entryCount === 0 || entryCount > countMax || !sectionInside(chunk, 36, (entryCount + 1) * 4)) return malformed.dictionary
    if (!sectionInside(chunk, 24, layout.textBytes(chunk))) return malformed.text
    if (!offsetsAscend(chunk, entryCount)) return malformed.dictionary
    if (encoding === encodings.textRuns && !runsInside(chunk)) return malformed.codes
    const codes = encoding === encodings.textRuns ? layout.runCount(chunk) : layout.count(chunk)
    if (width > 16 || !sectionInside(chunk, 20, packedBytes(codes, width))) return malformed.codes
    if (entryCount >= 2 ** width) return 0
    for (let i = 0; i < codes; i++) if (layout.packedGet(layout.data(chunk), width, i) >= entryCount) return malformed.codes
    return 0
  }

  /** The block's last end, or Infinity when ends do not ascend. */
  const lastEnd = (chunk: Pointer, entry: Pointer, rows: number): number => {
    let before = 0
    for (let i = 0; i < rows; i++) {
      const end = places.end(chunk, entry, i)
      if (end < before) return Infinity
      before = end
    }
    return before
  }

  const validateText = (chunk: Pointer, encoding: number): number => {
    const textBytes = layout.textBytes(chunk)
    if (textBytes > 0x7fff_ffff) return malformed.text
    let start = 0
    for (let block = 0; block < blockCount(layout.count(chunk)); block++) {
      const entry = layout.entry(chunk, block), rows = layout.rowsOf(chunk, block)
      if (!codesInside(chunk, entry, rows, 32) || layout.textStartOf(entry) !== start) return malformed.block
      start += lastEnd(chunk, entry, rows)
      if (start > textBytes) return malformed.text
    }
    if (start !== textBytes) return malformed.text
    if (encoding === encodings.textLz) return validateSubBlocks(chunk, textBytes)
    if (encoding === encodings.textFront) return sectionInside(chunk, 24, layout.entryCount(chunk)) && front.fits(chunk) ? 0 : malformed.text
    return sectionInside(chunk, 24, textBytes) ? 0 : malformed.text
  }

  const subBlockFits = (chunk: Pointer, index: number): boolean => {
    const row = places.firstRow(chunk, index + 1), start = places.subBlockStart(chunk, index + 1)
    if (row <= places.firstRow(chunk, index) || row > layout.count(chunk) || start !== places.start(chunk, row)) return false
    const stored = places.storedStart(chunk, index + 1) - places.storedStart(chunk, index)
    return stored >= 0 && start - places.subBlockStart(chunk, index) <= (stored + 1) * expansionMax
  }

  const sumsFit = (chunk: Pointer, subBlocks: number): boolean => {
    const sums = layout.sums(chunk), byteLength = (subBlocks + 1) * sumBytes
    return sums === 0 || (sectionInside(chunk, 44, byteLength) && sums + byteLength <= layout.header(chunk, 24))
  }

  const validateSubBlocks = (chunk: Pointer, textBytes: number): number => {
    const count = layout.count(chunk), subBlocks = layout.entryCount(chunk)
    if (subBlocks < 1 || subBlocks > count || !sectionInside(chunk, 36, (subBlocks + 1) * subBlockBytes)) return malformed.subBlock
    if (places.firstRow(chunk, 0) !== 0 || places.subBlockStart(chunk, 0) !== 0 || places.storedStart(chunk, 0) !== 0) return malformed.subBlock
    for (let index = 0; index < subBlocks; index++) if (!subBlockFits(chunk, index)) return malformed.subBlock
    if (!sumsFit(chunk, subBlocks)) return malformed.subBlock
    if (places.firstRow(chunk, subBlocks) !== count || places.subBlockStart(chunk, subBlocks) !== textBytes) return malformed.subBlock
    return sectionInside(chunk, 24, places.storedStart(chunk, subBlocks)) ? 0 : malformed.text
  }

  return (chunk, chunkBytes) => {
    if (chunkBytes < headerBytes || (chunkBytes & 7) !== 0 || layout.byteLength(chunk) !== chunkBytes) return malformed.header
    const count = layout.count(chunk), encoding = layout.encoding(chunk)
    if (count > countMax || u8[chunk + 2]! > 1) return malformed.header
    if (!nullsInside(chunk)) return malformed.nulls
    if (!kindFits(layout.kind(chunk), encoding)) return malformed.header
    if (encoding === encodings.constant) return sectionInside(chunk, 20, 8) ? 0 : malformed.data
    if (encoding === encodings.plain) return sectionInside(chunk, 20, count * 8) ? 0 : malformed.data
    if (encoding === encodings.textConstant) return sectionInside(chunk, 24, layout.textBytes(chunk)) ? 0 : malformed.text
    if (encoding === encodings.textDictionary || encoding === encodings.textRuns) return validateDictionary(chunk, encoding)
    if (!sectionInside(chunk, 16, blockCount(count) * entryBytes)) return malformed.block
    return encoding === encodings.textPlain || encoding === encodings.textLz || encoding === encodings.textFront ? validateText(chunk, encoding) : validateNumbers(chunk, encoding)
  }
}
