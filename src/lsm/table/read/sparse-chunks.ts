/**
 * Chunks of compressed text of which only parts are in memory. A point read wants one value of a row group; where storage
 * reads synchronously, it brings of a large chunk of text the head, which tells where each row is, and the part of some
 * 8 KiB that has the value, and not what a dozen of such reads would come to. Head and parts have sums of their own
 * (assembly/column/layout.ts), so nothing is used that was not checked.
 *
 * Such a chunk has a frame of its full size, in which everything comes to its place, so that it is read like a whole one by
 * whoever keeps to a row whose part is there; marks behind it tell which parts are. It is no chunk to anybody else: scans
 * find none and bring the whole, which takes its place. So does the expanded form, when it is asked for often enough.
 */
import { corruption, invariant } from '../../../errors.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import type { ObjectReader } from '../../../storage/storage.ts'
import type { CachedFile, ChunkCache, Frame } from '../chunk-cache.ts'
import { countRequest } from '../fetch.ts'
import type { ReadStats } from '../fetch.ts'
import { align8, keySlot, tombstoneSlot } from '../format.ts'
import { checkChunk, checkForm, chunkBytes, chunkName, directoryEntry, guideBytes, publishChunk, readable, unpinAll } from './chunk-loader.ts'
import type { OpenFile } from './open-file.ts'
import { nearReads, planReads } from './read-plan.ts'
import type { ChunkRange, PlannedRead } from './read-plan.ts'
import { closedError } from './tail-loader.ts'

type ReadSync = NonNullable<ObjectReader['readSync']>

/** A chunk of less is read whole: what goes with it would cost as much as is spared. */
const sparseBytesMin = 16 * 1024
/** What is read first of a chunk: mostly its whole head. */
const beginningBytes = 4 * 1024
/** A place in a chunk, or a sum. */
const workBytes = 8

/** A chunk that is being read: where its bytes are, or those of its beginning, and where they go. */
interface Coming extends ChunkRange {
  frame: Frame
  isWhole: boolean
}

/** On this thread: pins the chunks of a row group, of large ones of text what can be had without the rest. */
export function pinRowGroupSync(file: OpenFile, rowGroup: number, readSync: ReadSync, stats?: ReadStats): Frame[] {
  const { cache, cached, sparse, tail: { slots } } = file
  if (file.closed) throw closedError(file.tail.file)
  const pinned: Frame[] = [], coming: Coming[] = []
  try {
    for (let index = rowGroup * slots.count; index < (rowGroup + 1) * slots.count; index++) {
      if (chunkBytes(file, index) === 0) continue
      const frame = cache.pin(sparse !== undefined && sparse.frames[index] !== 0 ? sparse : cached, index)
      if (frame !== 0) pinned.push(frame)
      else coming.push(reserve(file, index))
    }
    for (const read of planReads(coming, nearReads)) bring(file, read, readSync, stats)
  } catch (error) {
    unpinAll(cache, [...pinned, ...coming.map(({ frame }) => frame)])
    throw error
  }
  for (const { index, frame, isWhole } of coming) pinned.push(isWhole ? publishChunk(file, index, frame) : cache.publish(sparseChunks(file), index, frame))
  return pinned
}

const sparseChunks = (file: OpenFile): CachedFile => (file.sparse ??= file.cache.addFile(file.cached.frames.length))

function reserve(file: OpenFile, index: number): Coming {
  const { cache, kernel: { memory: { u32 } }, tail } = file
  const isWhole = !mayBeSparse(file, index), byteLength = align8(chunkBytes(file, index))
  const frame = cache.reserve(byteLength + (isWhole ? guideBytes(file, index) : markBytes(byteLength)))
  return { index, byteOffset: u32[directoryEntry(tail, index) >>> 2]! * 8, byteLength: isWhole ? byteLength : beginningBytes, frame, isWhole }
}

function mayBeSparse(file: OpenFile, index: number): boolean {
  const { slots } = file.tail, slot = index % slots.count
  return slot !== keySlot && slot !== tombstoneSlot && slots.kinds[slot] === 'bytes' && chunkBytes(file, index) >= sparseBytesMin
}

/** Into the frame of the only chunk, or into a buffer from which the bytes of each are copied. */
function bring(file: OpenFile, { byteOffset, byteLength, chunks }: PlannedRead<Coming>, readSync: ReadSync, stats: ReadStats | undefined): void {
  const { cache, kernel: { memory: { u8 } } } = file
  const first = cache.addressOf(chunks[0]!.frame)
  const into = chunks.length === 1 ? u8.subarray(first, first + byteLength) : stagingOf(cache, byteLength)
  countRequest(stats, byteLength)
  readSync(into, byteOffset)
  for (const chunk of chunks) {
    const from = chunk.byteOffset - byteOffset
    if (chunks.length > 1) u8.set(into.subarray(from, from + chunk.byteLength), cache.addressOf(chunk.frame))
    if (chunk.isWhole) chunk.frame = readable(file, chunk.index, chunk.frame)
    else chunk.isWhole = !takeHead(file, chunk, readSync, stats)
  }
}

/** Reads on this thread take turns, so ordinary ones share a buffer; the longest are not worth keeping one for. */
const stagingBytesMax = 512 * 1024

const stagingOf = (cache: ChunkCache, byteLength: number): Uint8Array => (byteLength <= stagingBytesMax ? cache.staging(byteLength).subarray(0, byteLength) : Buffer.allocUnsafe(byteLength))

/** Completes the head that a chunk begins with, and begins its marks. Of one that has no parts, reads and checks all, and gives false. */
function takeHead(file: OpenFile, { index, frame, byteLength: readBytes }: Coming, readSync: ReadSync, stats: ReadStats | undefined): boolean {
  const { cache, kernel: { exports, memory }, tail } = file
  const chunk = cache.addressOf(frame), byteLength = chunkBytes(file, index), headBytes = exports.columnHeadBytes(chunk, byteLength)
  const wanted = headBytes === 0 ? align8(byteLength) : headBytes
  if (wanted > readBytes) readRange(file, index, chunk, readBytes, wanted, readSync, stats)
  if (headBytes === 0) {
    checkChunk(file.kernel, tail, index, chunk)
    return false
  }
  expectSum(file, index, 'head', exports.columnHeadIsGood(chunk, cache.scratch(workBytes)))
  checkForm(file.kernel, tail, index, chunk)
  memory.u8.fill(0, marksAt(chunk, byteLength), marksAt(chunk, byteLength) + markBytes(byteLength))
  return true
}

/** Whether all that a row needs is in memory, of a row group whose chunks are there as `pinRowGroupSync` brings them. `work`: 8 bytes. */
export function hasParts(file: OpenFile, rowGroup: number, row: number, work: Pointer): boolean {
  return sparseIn(file, rowGroup).every(({ index, chunk }) => hasPart(file, index, chunk, file.kernel.exports.columnPart(chunk, row, work)))
}

/** Brings what a row needs and is not there. */
export function readParts(file: OpenFile, rowGroup: number, row: number, readSync: ReadSync, stats?: ReadStats): void {
  const { kernel: { exports, memory } } = file
  if (file.closed) throw closedError(file.tail.file)
  // Had before chunks are looked up: it may have to be made room for.
  const work = file.cache.scratch(workBytes)
  for (const { index, chunk } of sparseIn(file, rowGroup)) {
    const part = exports.columnPart(chunk, row, work)
    if (hasPart(file, index, chunk, part)) continue
    const from = memory.u32[work >>> 2]!
    readRange(file, index, chunk, from, from + memory.u32[(work >>> 2) + 1]!, readSync, stats)
    expectSum(file, index, `part ${part}`, exports.columnPartIsGood(chunk, part, work))
    memory.u8[markAt(file, index, chunk, part)]! |= 1 << (part & 7)
  }
}

/** Makes a sparse chunk a whole one. Where that fails it is gone, so that whoever wants a row of it meets the failure. */
export function completeChunk(file: OpenFile, index: number, readSync: ReadSync): boolean {
  const { cache, cached, sparse } = file
  invariant(sparse !== undefined, 'there is no sparse chunk')
  const chunk = cache.peek(sparse, index), byteLength = align8(chunkBytes(file, index))
  try {
    readRange(file, index, chunk, file.kernel.exports.columnHeadBytes(chunk, chunkBytes(file, index)), byteLength, readSync, undefined)
    checkChunk(file.kernel, file.tail, index, chunk)
  } catch {
    cache.remove(sparse, index)
    return false
  }
  cache.move(sparse, cached, index)
  return true
}

interface SparseChunk {
  readonly index: number
  readonly chunk: Pointer
}

function sparseIn({ cache, sparse, tail: { slots } }: OpenFile, rowGroup: number): readonly SparseChunk[] {
  if (sparse === undefined) return []
  const first = rowGroup * slots.count
  const chunks: SparseChunk[] = []
  for (let index = first; index < first + slots.count; index++) {
    const chunk = cache.peek(sparse, index)
    if (chunk !== 0) chunks.push({ index, chunk })
  }
  return chunks
}

/** A bit for each part; each has 16 bytes of the head at least. */
const markBytes = (chunkByteLength: number): number => Math.ceil(chunkByteLength / 128)
const marksAt = (chunk: Pointer, chunkByteLength: number): Pointer => chunk + align8(chunkByteLength)
const markAt = (file: OpenFile, index: number, chunk: Pointer, part: number): Pointer => marksAt(chunk, chunkBytes(file, index)) + (part >>> 3)

const hasPart = (file: OpenFile, index: number, chunk: Pointer, part: number): boolean => (file.kernel.memory.u8[markAt(file, index, chunk, part)]! & (1 << (part & 7))) !== 0

/** Reads bytes [from, to) of a chunk to their place. */
function readRange({ kernel: { memory }, tail }: OpenFile, index: number, chunk: Pointer, from: number, to: number, readSync: ReadSync, stats: ReadStats | undefined): void {
  countRequest(stats, to - from)
  readSync(memory.u8.subarray(chunk + from, chunk + to), memory.u32[directoryEntry(tail, index) >>> 2]! * 8 + from)
}

function expectSum({ tail }: OpenFile, index: number, what: string, isGood: number): void {
  if (isGood === 0) throw corruption('column chunk', { file: tail.file, block: `${chunkName(tail, index)}, ${what}`, expected: 'bytes of the sum that the chunk has of them', actual: 'others' })
}
