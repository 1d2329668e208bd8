/** Twin of assembly/column/text/write.ts: the same choices, hence the same bytes. */
import type { ColumnExports } from '../../column.ts'
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import type { LzExports } from '../../lz.ts'
import { codesBytes } from './chunk-write.ts'
import type { ChunkWriter } from './chunk-write.ts'
import { dictionaryScratchBytes } from './dictionary.ts'
import type { Dictionary, DictionaryBuilder } from './dictionary.ts'
import { bitWidth32, blockCount, blockRows, columnKinds, encodings, entryBytes, packedBytes, padded8, subBlockBytes, sumBytes } from './layout.ts'
import type { ChunkLayout } from './layout.ts'
import type { ColumnParts } from './parts.ts'
import type { TextPlaces } from './text.ts'

const subBlockTextBytes = 8192
const lzTextBytesMin = 512
const endsBytes = blockRows * 8

export interface TextWriterParts {
  readonly layout: ChunkLayout
  readonly writer: ChunkWriter
  readonly places: TextPlaces
  readonly dictionaries: DictionaryBuilder
  readonly lz: LzExports
  readonly writeSums: ColumnParts['writeSums']
}

interface Column {
  readonly refs: Pointer
  readonly nulls: Pointer
  readonly count: number
  readonly out: Pointer
  readonly scratch: Pointer
  /** Offset of the first section. */
  readonly start: number
}

export const textScratchBytes = (count: number, dataBytes: number, lz: LzExports): number =>
  codesBytes + endsBytes + count * 8 + dictionaryScratchBytes(count) + (count + 1) * subBlockBytes + 64 + lz.lzTableBytes() + dataBytes + lz.lzBound(dataBytes)

export function createTextWriter(memory: LinearMemory, parts: TextWriterParts): Pick<ColumnExports, 'columnEncodeBytes' | 'columnEncodeKeys'> {
  const { u8, u32 } = memory
  const { layout, writer, dictionaries } = parts
  const plainWriter = createPlainWriter(memory, parts)
  const writeLz = createLzWriter(memory, parts)
  const writeDictionary = createDictionaryWriter(memory, parts)

  const allEqual = (refs: Pointer, count: number): boolean => {
    const text = u32[refs >>> 2]!, byteLength = u32[(refs >>> 2) + 1]!
    for (let i = 1, at = (refs >>> 2) + 2; i < count; i++, at += 2) if (u32[at + 1] !== byteLength || !dictionaries.isEqual(u32[at]!, text, byteLength)) return false
    return true
  }

  const writeConstant = ({ count, out, start }: Column, refs: Pointer): number => {
    const byteLength = count === 0 ? 0 : u32[(refs >>> 2) + 1]!
    u32[(out >>> 2) + 6] = start
    u32[(out >>> 2) + 7] = byteLength
    if (byteLength !== 0) u8.copyWithin(out + start, u32[refs >>> 2]!, u32[refs >>> 2]! + byteLength)
    return writer.finish(out, encodings.textConstant, start + byteLength)
  }

  const dictionaryBytes = ({ distinct, textBytes }: Dictionary): number => padded8((distinct + 1) * 4) + textBytes

  const columnEncodeKeys = (refs: Pointer, count: number, out: Pointer, scratch: Pointer): number => {
    const column: Column = { refs, nulls: 0, count, out, scratch, start: writer.begin(out, columnKinds.bytes, count, 0) }
    return writer.finish(out, encodings.textPlain, plainWriter.write(column, plainWriter.measure(column).textBytes))
  }

  const columnEncodeBytes = (refs: Pointer, nulls: Pointer, count: number, out: Pointer, scratch: Pointer): number => {
    const rest = scratch + codesBytes + endsBytes
    const filled = writer.fillNullSlots(refs, nulls, count, rest)
    const column: Column = { refs, nulls, count, out, scratch, start: writer.begin(out, columnKinds.bytes, count, nulls) }
    if (allEqual(filled, count)) return writeConstant(column, filled)
    const { bytes: endBytes, textBytes } = plainWriter.measure(column)
    const plain = endBytes + textBytes
    const dictionary = dictionaries.collect(filled, count)
    const width = dictionary === undefined ? 0 : bitWidth32(dictionary.distinct - 1)
    const coded = dictionary === undefined ? Infinity : dictionaryBytes(dictionary) + packedBytes(count, width)
    const clustered = dictionary === undefined ? Infinity : dictionaryBytes(dictionary) + padded8(dictionary.runs * 2) + packedBytes(dictionary.runs, width)
    const best = Math.min(plain, coded, clustered)
    if (plain === best || (textBytes >= lzTextBytesMin && best > plain >>> 1)) {
      const end = plainWriter.write(column, textBytes)
      const lzBytes = textBytes >= lzTextBytesMin ? writeLz(column, textBytes, best, rest + count * 8 + dictionaryScratchBytes(count)) : 0
      if (lzBytes !== 0) return lzBytes
      if (plain === best || dictionary === undefined) return writer.finish(out, encodings.textPlain, end)
      u8.fill(0, out + 16, out + 48)
    }
    return writeDictionary(column, dictionary!, width, clustered < coded, layout)
  }
  return { columnEncodeBytes, columnEncodeKeys }
}

function createPlainWriter({ u8, u32, i32 }: LinearMemory, { layout, writer }: TextWriterParts) {
  const rowBytes = (refs: Pointer, nulls: Pointer, row: number): number => (layout.isNull(nulls, row) ? 0 : u32[(refs >>> 2) + 2 * row + 1]!)

  /** Text ends of a block as i64, from the block's own start; returns the last. */
  const blockEnds = ({ refs, nulls }: Column, first: number, rows: number, ends: Pointer): number => {
    let end = 0
    for (let i = 0; i < rows; i++) {
      end += rowBytes(refs, nulls, first + i)
      u32[(ends >>> 2) + 2 * i] = end
      i32[(ends >>> 2) + 2 * i + 1] = 0
    }
    return end
  }

  const measure = (column: Column): { bytes: number; textBytes: number } => {
    const ends = column.scratch + codesBytes
    let bytes = 0, textBytes = 0
    for (let block = 0; block < blockCount(column.count); block++) {
      const rows = Math.min(column.count - (block << 10), blockRows)
      textBytes += blockEnds(column, block << 10, rows, ends)
      bytes += entryBytes + writer.planLinear(ends, rows, column.out + column.start)
    }
    return { bytes, textBytes }
  }

  /** Writes directory, ends and text; returns the offset after the text. */
  const write = (column: Column, textBytes: number): number => {
    const { refs, nulls, count, out, scratch, start } = column
    const ends = scratch + codesBytes
    let offset = start + blockCount(count) * entryBytes, text = 0
    for (let block = 0; block < blockCount(count); block++) {
      const rows = Math.min(count - (block << 10), blockRows), entry = out + start + block * entryBytes
      const bytes = blockEnds(column, block << 10, rows, ends)
      writer.planLinear(ends, rows, entry)
      u32[(entry >>> 2) + 5] = text
      offset = writer.writeLineCodes(ends, rows, entry, out, offset, scratch)
      text += bytes
    }
    u32.set([start, 0, offset, textBytes], (out >>> 2) + 4)
    for (let row = 0, to = out + offset; row < count; row++) {
      const from = u32[(refs >>> 2) + 2 * row]!, bytes = rowBytes(refs, nulls, row)
      u8.copyWithin(to, from, from + bytes)
      to += bytes
    }
    return offset + textBytes
  }

  return { measure, write }
}

/** Turns the plain chunk just written into lz if that saves an eighth of `best`; returns its length, or 0. */
function createLzWriter({ u8, u32 }: LinearMemory, { writer, places, lz, writeSums }: TextWriterParts) {
  const storeSubBlock = (text: Pointer, byteLength: number, out: Pointer, table: Pointer): number => {
    const compressed = lz.lzCompress(text, byteLength, out, byteLength, table)
    if (compressed === 0) u8.copyWithin(out, text, text + byteLength)
    return compressed === 0 ? byteLength : compressed
  }

  return ({ count, out, start }: Column, textBytes: number, best: number, scratch: Pointer): number => {
    const textOffset = u32[(out >>> 2) + 6]!
    const table = (scratch + 15) & ~15
    const records = table + lz.lzTableBytes(), stored = records + (count + 1) * subBlockBytes
    let subBlocks = 0, first = 0, firstStart = 0, storedBytes = 0
    for (let row = 1; row <= count; row++) {
      const end = places.start(out, row)
      if (row < count && end - firstStart < subBlockTextBytes) continue
      u32.set([first, firstStart, storedBytes], (records + subBlocks++ * subBlockBytes) >>> 2)
      storedBytes += storeSubBlock(out + textOffset + firstStart, end - firstStart, stored + storedBytes, table)
      first = row
      firstStart = end
    }
    u32.set([count, textBytes, storedBytes], (records + subBlocks * subBlockBytes) >>> 2)
    const recordBytes = (subBlocks + 1) * subBlockBytes, sums = padded8(textOffset + recordBytes)
    const sumsEnd = sums + (subBlocks + 1) * sumBytes, head = padded8(sumsEnd)
    if (head - start + storedBytes > best - (best >>> 3)) return 0
    u8.copyWithin(out + textOffset, records, records + recordBytes)
    writer.padTo8(out, textOffset + recordBytes)
    writer.padTo8(out, sumsEnd)
    u8.copyWithin(out + head, stored, stored + storedBytes)
    u32[(out >>> 2) + 6] = head
    u32[(out >>> 2) + 8] = subBlocks
    u32[(out >>> 2) + 9] = textOffset
    u32[(out >>> 2) + 11] = sums
    const byteLength = writer.finish(out, encodings.textLz, head + storedBytes)
    writeSums(out, table)
    return byteLength
  }
}

function createDictionaryWriter({ u8, u16, u32 }: LinearMemory, { writer, dictionaries }: TextWriterParts) {
  /** Writes the run ends and returns the runs' codes and the offset after the ends. */
  const writeRuns = (codes: Uint32Array, out: Pointer, offset: number): { runCodes: Uint32Array; end: number } => {
    const runCodes = codes.filter((code, row) => code !== codes[row + 1])
    let run = 0
    codes.forEach((code, row) => { if (code !== codes[row + 1]) u16[((out + offset) >>> 1) + run++] = row + 1 })
    return { runCodes, end: writer.padTo8(out, offset + runCodes.length * 2) }
  }

  const writeEntries = (order: Uint32Array, entries: Uint32Array, out: Pointer, offset: number): number => {
    const textOffset = writer.padTo8(out, offset + (order.length + 1) * 4)
    let text = 0
    order.forEach((entry, rank) => {
      u32[((out + offset) >>> 2) + rank] = text
      u8.copyWithin(out + textOffset + text, entries[2 * entry]!, entries[2 * entry]! + entries[2 * entry + 1]!)
      text += entries[2 * entry + 1]!
    })
    u32[((out + offset) >>> 2) + order.length] = text
    u32[(out >>> 2) + 6] = textOffset
    u32[(out >>> 2) + 7] = text
    return textOffset + text
  }

  return ({ out, scratch, start }: Column, dictionary: Dictionary, width: number, asRuns: boolean, layout: ChunkLayout): number => {
    const order = dictionaries.sort(dictionary)
    const { runCodes, end: codesOffset } = asRuns ? writeRuns(dictionary.codes, out, start) : { runCodes: dictionary.codes, end: start }
    if (asRuns) u32.set([runCodes.length, start], (out >>> 2) + 10)
    // The codes are laid where encoders find a column's filled refs, which are done with.
    const codes = scratch + codesBytes + endsBytes
    u32.set(runCodes, codes >>> 2)
    u8[out + 3] = width
    u32[(out >>> 2) + 5] = codesOffset
    const entriesOffset = codesOffset + layout.pack(codes, runCodes.length, width, out + codesOffset)
    u32[(out >>> 2) + 8] = order.length
    u32[(out >>> 2) + 9] = entriesOffset
    const end = writeEntries(order, dictionary.entries, out, entriesOffset)
    return writer.finish(out, asRuns ? encodings.textRuns : encodings.textDictionary, end)
  }
}
