/**
 * Writes one table file: rows in ascending key order are cut into row groups, encoded, and written behind one another;
 * filter, footer and trailer follow, and only then does the file become visible, whole and durable. A writer that
 * failed is aborted and leaves nothing.
 */
import { invariant } from '../../errors.ts'
import { bloomFilterBytes } from '../../kernel/bloom.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { ObjectWriter } from '../../storage/storage.ts'
import { tableFileName } from './table-file-name.ts'
import { checksumAlgorithm, formatVersion, headerBytes, headerMagic, trailerBytes, trailerMagic } from './format.ts'
import { footerSectionsOf, writeFooter } from './write/footer-writer.ts'
import type { FooterContents } from './write/footer-writer.ts'
import { checkAscending, lastKeyOf } from './key-order.ts'
import { createLinearBuffer, extend, freeLinearBuffer } from './write/linear-buffer.ts'
import type { LinearBuffer } from './write/linear-buffer.ts'
import { bufferRows, clearRowBuffer, createRowBuffer, freeRowBuffer, isFull } from './write/row-buffer.ts'
import type { RowBuffer } from './write/row-buffer.ts'
import { createEncoderBuffers, createRowGroupRecords, encodeRowGroup, freeEncoder } from './write/row-group-encoder.ts'
import type { EncoderBuffers, RowGroupRecords } from './write/row-group-encoder.ts'
import type { RangeTombstone, TableMeta, TableWriter, TableWriterOptions, WriteRows } from './table.ts'

/** Encoded bytes are handed to storage in pieces of about this size. */
const writeBytesMin = 1 << 20

interface WriterState {
  readonly options: TableWriterOptions
  readonly file: ObjectWriter
  readonly rows: RowBuffer
  readonly buffers: EncoderBuffers
  readonly records: RowGroupRecords
  /** Bloom hash pairs of all keys. */
  readonly hashes: LinearBuffer
  readonly rangeTombstones: RangeTombstone[]
  lastKey: Uint8Array | undefined
  /** Bytes handed to storage. */
  writtenBytes: number
  /** At which the row group that is filled ends. */
  plainBytesMax: number
  rowCount: number
  open: boolean
}

export async function createTableWriter(options: TableWriterOptions): Promise<TableWriter> {
  const state: WriterState = {
    options,
    file: await options.storage.create(tableFileName(options.shard, options.fileNumber)),
    rows: createRowBuffer(options.layout),
    buffers: createEncoderBuffers(),
    records: createRowGroupRecords(),
    hashes: createLinearBuffer(),
    rangeTombstones: [],
    lastKey: undefined,
    writtenBytes: 0,
    plainBytesMax: options.settings.rowGroupBytes,
    rowCount: 0,
    open: true,
  }
  try {
    writeFileHeader(state)
  } catch (error) {
    release(state)
    await state.file.abort()
    throw error
  }
  return {
    get byteLength() {
      return state.writtenBytes + state.buffers.output.byteLength
    },
    get rowCount() {
      return state.rowCount
    },
    append: (rows) => append(state, rows),
    addRangeTombstone(tombstone) {
      invariant(Buffer.compare(tombstone.start, tombstone.end) < 0, 'a range tombstone that ends where it starts, or before')
      state.rangeTombstones.push(tombstone)
    },
    finish: (sequences) => finish(state, sequences),
    async abort() {
      release(state)
      await state.file.abort()
    },
  }
}

async function append(state: WriterState, rows: WriteRows): Promise<void> {
  invariant(state.open, 'rows appended to a finished table file')
  if (rows.rowCount === 0) return
  const { kernel, settings } = state.options
  const { kind } = state.rows.keys
  const disorder = checkAscending(kernel.memory, kind, rows, state.lastKey)
  invariant(disorder === undefined, `keys out of order in a table file: ${disorder}`)
  state.lastKey = lastKeyOf(kernel.memory, kind, rows)
  if (settings.filterBitsPerKey > 0) {
    const out = extend(kernel, state.hashes, rows.rowCount * 8)
    if (kind === 'i64') kernel.exports.bloomHashI64(rows.keys, rows.rowCount, out)
    else kernel.exports.bloomHashRefs(rows.keys, rows.rowCount, out)
  }
  for (let first = 0; first < rows.rowCount; ) {
    const count = bufferRows(kernel, state.rows, rows, first, state.plainBytesMax)
    first += count
    state.rowCount += count
    if (isFull(state.rows, state.plainBytesMax)) await endRowGroup(state)
  }
}

async function endRowGroup(state: WriterState): Promise<void> {
  const { output } = state.buffers
  // A large row group finds the buffer empty, so that the two never stand in it together.
  if (output.byteLength > 0 && output.byteLength + state.rows.plainBytes > writeBytesMin) await writeOutput(state)
  const before = output.byteLength
  encodeRowGroup(state.options.kernel, state.rows, state.buffers, state.records, state.writtenBytes)
  state.plainBytesMax = plainBytesAfter(state, output.byteLength - before)
  clearRowBuffer(state.rows)
  if (output.byteLength >= writeBytesMin) await writeOutput(state)
}

/**
 * How much the next row group takes, by how the last one was encoded: rows that take little in the file are read many at a
 * time for the same bytes, and each row group costs scans and the footer the same. So it grows until it takes half of
 * `rowGroupBytes` as encoded.
 */
function plainBytesAfter({ rows: { plainBytes }, options: { settings: { rowGroupBytes, rowGroupGrowthMax } } }: WriterState, encodedBytes: number): number {
  const growth = plainBytes / (2 * encodedBytes)
  return Math.round(rowGroupBytes * Math.min(rowGroupGrowthMax, Math.max(1, growth)))
}

async function writeOutput(state: WriterState): Promise<void> {
  const { output } = state.buffers
  await state.file.append(state.options.kernel.memory.u8.subarray(output.address, output.address + output.byteLength))
  state.writtenBytes += output.byteLength
  output.byteLength = 0
}

async function finish(state: WriterState, sequences: { readonly min: number; readonly max: number }): Promise<TableMeta> {
  invariant(state.open, 'a table file finished twice')
  invariant(state.rowCount + state.rangeTombstones.length > 0, 'a table file without rows and range tombstones')
  if (state.rows.rowCount > 0) await endRowGroup(state)
  const contents = footerContents(state, sequences)
  const tailBytes = writeTail(state, contents)
  await writeOutput(state)
  await state.file.publish()
  const meta = metaOf(state, contents, tailBytes)
  release(state)
  return meta
}

function footerContents(state: WriterState, sequences: { readonly min: number; readonly max: number }): FooterContents {
  const { records, options, lastKey } = state
  const rangeTombstones = state.rangeTombstones.toSorted((a, b) => Buffer.compare(a.start, b.start))
  const ends = rangeTombstones.flatMap(({ start, end }) => [start, end])
  const keys = [...records.firstKeys.slice(0, 1), ...(lastKey === undefined ? [] : [lastKey]), ...ends].toSorted((a, b) => Buffer.compare(a, b))
  return { layout: options.layout, fileNumber: options.fileNumber, records, minKey: keys[0]!, maxKey: keys.at(-1)!, rangeTombstones, sequences }
}

function metaOf(state: WriterState, { records, minKey, maxKey, rangeTombstones, sequences }: FooterContents, tailBytes: number): TableMeta {
  return {
    fileNumber: state.options.fileNumber,
    tableId: state.options.layout.tableId,
    byteLength: state.writtenBytes,
    tailBytes,
    rowCount: state.rowCount,
    tombstoneCount: records.tombstoneCounts.reduce((sum, count) => sum + count, 0),
    rowGroupCount: records.rowCounts.length,
    minKey,
    maxKey,
    minSequence: sequences.min,
    maxSequence: sequences.max,
    rangeTombstoneCount: rangeTombstones.length,
  }
}

function writeFileHeader({ options: { kernel, layout, fileNumber }, buffers: { output } }: WriterState): void {
  const { u8, view, buffer } = kernel.memory
  const header = extend(kernel, output, headerBytes)
  u8.fill(0, header, header + headerBytes)
  buffer.write(headerMagic, header, 'latin1')
  view.setUint16(header + 8, formatVersion, true)
  view.setUint16(header + 10, checksumAlgorithm, true)
  view.setUint32(header + 12, layout.tableId, true)
  view.setFloat64(header + 16, fileNumber, true)
  kernel.exports.checksumXxh64(header, headerBytes - 8, header + headerBytes - 8)
}

/** Filter, footer and trailer behind the output; returns their bytes. */
function writeTail(state: WriterState, contents: FooterContents): number {
  const { kernel } = state.options
  const { output } = state.buffers
  const filterOffset = state.writtenBytes + output.byteLength
  const filterBytes = writeFilter(state)
  const footerBytes = footerSectionsOf(contents).byteLength
  writeFooter(kernel, contents, extend(kernel, output, footerBytes))
  const trailer = extend(kernel, output, trailerBytes)
  const tailBytes = filterBytes + footerBytes + trailerBytes
  const { u8, view, buffer } = kernel.memory
  u8.fill(0, trailer, trailer + trailerBytes)
  view.setFloat64(trailer, filterOffset, true)
  view.setUint32(trailer + 8, filterBytes, true)
  view.setUint32(trailer + 12, footerBytes, true)
  kernel.exports.checksumXxh64(trailer - footerBytes - filterBytes, filterBytes, trailer + 16)
  kernel.exports.checksumXxh64(trailer - footerBytes, footerBytes, trailer + 24)
  view.setUint16(trailer + 32, formatVersion, true)
  view.setUint16(trailer + 34, checksumAlgorithm, true)
  view.setFloat64(trailer + 40, filterOffset + tailBytes, true)
  buffer.write(trailerMagic, trailer + 48, 'latin1')
  kernel.exports.checksumXxh64(trailer, trailerBytes - 8, trailer + trailerBytes - 8)
  return tailBytes
}

function writeFilter({ options, rowCount, hashes, buffers }: WriterState): number {
  const { kernel, settings } = options
  const filterBytes = settings.filterBitsPerKey > 0 && rowCount > 0 ? bloomFilterBytes(rowCount, settings.filterBitsPerKey) : 0
  if (filterBytes === 0) return 0
  const filter: Pointer = extend(kernel, buffers.output, filterBytes)
  kernel.memory.u8.fill(0, filter, filter + filterBytes)
  kernel.exports.bloomBuild(hashes.address, rowCount, filter, filterBytes)
  return filterBytes
}

/** Frees what the writer holds in linear memory. */
function release(state: WriterState): void {
  const { kernel } = state.options
  state.open = false
  freeRowBuffer(kernel, state.rows)
  freeEncoder(kernel, state.buffers, state.records)
  freeLinearBuffer(kernel, state.hashes)
}

