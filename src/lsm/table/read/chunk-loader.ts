/**
 * Brings chunks of one table file into the cache and pins them. Every chunk that is read passes its checksum and the
 * kernel's validation before it can be found there, so that later reads need no checks.
 */
import { corruption, invariant } from '../../../errors.ts'
import { keyGuideBytes } from '../../../kernel/column.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { physicalKindNumber } from '../../layout.ts'
import { readCounting } from '../fetch.ts'
import type { ReadStats } from '../fetch.ts'
import type { ChunkCache, Frame } from '../chunk-cache.ts'
import { align8, directoryEntryBytes, keySlot } from '../format.ts'
import type { OpenFile } from './open-file.ts'
import { farReads, nearReads, planReads } from './read-plan.ts'
import type { ChunkRange, PlannedRead } from './read-plan.ts'
import { closedError } from './tail-loader.ts'
import type { Tail } from './tail-view.ts'
import { expectChecksum, expectIn } from './tail.ts'

/** Address of a chunk's directory entry. */
export const directoryEntry = (tail: Tail, index: number): Pointer => tail.footer + tail.sections.directory + index * directoryEntryBytes

/** Encoded bytes of a chunk; 0 when there is none. */
export const chunkBytes = (file: OpenFile, index: number): number => file.kernel.memory.u32[(directoryEntry(file.tail, index) >>> 2) + 1]!

/** With the tail held: pins chunks by index (ascending; absent ones are passed over), reading what is not cached with as few requests as pay. */
export async function pinChunks(file: OpenFile, indexes: readonly number[], stats?: ReadStats): Promise<Frame[]> {
  const plan = startPins(file, indexes)
  if (plan.reads.length === 0) return plan.pinned
  const reading = Promise.allSettled(plan.reads.map((read) => readAsync(file, plan, read, stats)))
  file.running.add(reading)
  const outcomes = await reading
  file.running.delete(reading)
  const failure = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failure !== undefined) {
    dropPins(file, plan)
    throw failure.reason
  }
  return finishPins(file, plan)
}

/** The same for chunks that are all cached; undefined, with none pinned, when one is not. */
export function pinChunksCached(file: OpenFile, indexes: readonly number[]): Frame[] | undefined {
  if (file.closed) throw closedError(file.tail.file)
  const { frames } = file.cached
  for (const index of indexes) if (frames[index] === 0 && chunkBytes(file, index) !== 0) return undefined
  const pinned: Frame[] = []
  for (const index of indexes) if (frames[index] !== 0) pinned.push(file.cache.pin(file.cached, index))
  return pinned
}

export function unpinAll(cache: ChunkCache, frames: readonly Frame[]): void {
  for (const frame of frames) cache.unpin(frame)
}

/** What was cached and is pinned, and frames that wait for their bytes, by chunk index. */
interface PinPlan {
  readonly pinned: Frame[]
  readonly reserved: Map<number, Frame>
  readonly reads: readonly PlannedRead[]
}

function startPins(file: OpenFile, indexes: readonly number[]): PinPlan {
  if (file.closed) throw closedError(file.tail.file)
  const pinned: Frame[] = []
  const reserved = new Map<number, Frame>()
  const missing: ChunkRange[] = []
  const { u32 } = file.kernel.memory
  for (const index of indexes) {
    const entry = directoryEntry(file.tail, index) >>> 2
    const byteLength = align8(u32[entry + 1]!)
    if (byteLength === 0) continue
    const frame = file.cache.pin(file.cached, index)
    if (frame === 0) missing.push({ index, byteOffset: u32[entry]! * 8, byteLength })
    else pinned.push(frame)
  }
  const plan = { pinned, reserved, reads: planReads(missing, file.object.readSync === undefined ? farReads : nearReads) }
  try {
    for (const { index, byteLength } of missing) reserved.set(index, file.cache.reserve(byteLength + guideBytes(file, index)))
  } catch (error) {
    dropPins(file, plan)
    throw error
  }
  return plan
}

/** Makes the chunks that were read findable, once all of them are good. */
function finishPins(file: OpenFile, { pinned, reserved, reads }: PinPlan): Frame[] {
  if (file.closed) {
    dropPins(file, { pinned, reserved, reads })
    throw closedError(file.tail.file)
  }
  for (const [index, frame] of reserved) pinned.push(publishChunk(file, index, frame))
  return pinned
}

/** Makes a whole chunk findable, in the place of what there was of it. */
export function publishChunk({ cache, cached, sparse }: OpenFile, index: number, frame: Frame): Frame {
  if (sparse !== undefined) cache.remove(sparse, index)
  return cache.publish(cached, index, frame)
}

function dropPins(file: OpenFile, { pinned, reserved }: PinPlan): void {
  unpinAll(file.cache, pinned)
  unpinAll(file.cache, [...reserved.values()])
}

async function readAsync(file: OpenFile, plan: PinPlan, read: PlannedRead, stats: ReadStats | undefined): Promise<void> {
  const into = destination(file, plan, read)
  await readCounting(file.object, into, read.byteOffset, stats)
  scatter(file, plan, read, into)
}

/** Where a read goes: straight into the frame of its only chunk, or into a buffer that several are copied from. */
function destination(file: OpenFile, plan: PinPlan, read: PlannedRead): Uint8Array {
  const [only, ...more] = read.chunks
  if (more.length > 0) return Buffer.allocUnsafe(read.byteLength)
  const address = file.cache.addressOf(plan.reserved.get(only!.index)!)
  return file.kernel.memory.u8.subarray(address, address + read.byteLength)
}

/** Copies chunks to their frames, where they are not there already, and checks them. */
function scatter(file: OpenFile, plan: PinPlan, read: PlannedRead, bytes: Uint8Array): void {
  for (const { index, byteOffset, byteLength } of read.chunks) {
    const address = file.cache.addressOf(plan.reserved.get(index)!)
    const from = byteOffset - read.byteOffset
    if (read.chunks.length > 1) file.kernel.memory.u8.set(bytes.subarray(from, from + byteLength), address)
    plan.reserved.set(index, readable(file, index, plan.reserved.get(index)!))
  }
}

/** The form in which keys are stored and nothing reads them (assembly/column/layout.ts). */
export const storedOnlyEncoding = 21

/** Room for a guide behind a chunk of keys. */
export function guideBytes({ tail: { slots, footer, sections }, kernel: { memory: { u32 } } }: OpenFile, index: number): number {
  if (index % slots.count !== keySlot || slots.kinds[keySlot] !== 'bytes') return 0
  return keyGuideBytes(u32[((footer + sections.rowCounts) >>> 2) + Math.floor(index / slots.count)]!)
}

/**
 * Checks a chunk that was read, and gives the frame of the form that is read, in the place of its own where that is another. `stored` has room
 * for a guide, which keys get.
 */
export function readable(file: OpenFile, index: number, stored: Frame): Frame {
  const { kernel, kernel: { exports }, tail, cache } = file, address = cache.addressOf(stored)
  checkChunk(kernel, tail, index, address)
  const frame = exports.columnEncoding(address) === storedOnlyEncoding ? expanded(file, index, stored) : stored
  if (index % tail.slots.count === keySlot) exports.columnGuide(cache.addressOf(frame))
  return frame
}

function expanded(file: OpenFile, index: number, stored: Frame): Frame {
  const { kernel: { exports }, cache } = file, address = cache.addressOf(stored), byteLength = exports.columnExpandedBytes(address)
  const frame = cache.reserve(byteLength + guideBytes(file, index))
  const written = exports.columnExpand(address, cache.addressOf(frame))
  cache.unpin(stored)
  invariant(written === byteLength, 'a chunk that was found well-formed cannot be expanded')
  return frame
}

/** What a chunk is, for messages: `row group 3, column 2`. */
export function chunkName(tail: Tail, index: number): string {
  const name = tail.slots.names[index % tail.slots.count]!
  return `row group ${Math.floor(index / tail.slots.count)}, ${typeof name === 'number' ? `column ${name}` : name}`
}

/** Checks the bytes of a chunk against the directory, and that they are a well-formed chunk of the right kind. */
export function checkChunk(kernel: Kernel, tail: Tail, index: number, address: Pointer): void {
  const entry = directoryEntry(tail, index)
  const byteLength = kernel.memory.u32[(entry >>> 2) + 1]!
  expectChecksum(kernel, tail.file, chunkName(tail, index), address, align8(byteLength), entry + 8)
  checkForm(kernel, tail, index, address)
}

/** The second half of `checkChunk`. Of a chunk of compressed text its head is enough. */
export function checkForm({ exports, memory }: Kernel, tail: Tail, index: number, address: Pointer): void {
  const byteLength = memory.u32[(directoryEntry(tail, index) >>> 2) + 1]!, block = chunkName(tail, index)
  const expect = expectIn(tail.file)
  const status = exports.columnValidate(address, byteLength)
  if (status !== 0) throw corruption('column chunk', { file: tail.file, block, expected: 'a well-formed chunk', actual: `status ${status}` })
  const rowGroup = Math.floor(index / tail.slots.count)
  expect(`${block}, rows`, memory.u32[((tail.footer + tail.sections.rowCounts) >>> 2) + rowGroup], exports.columnCount(address))
  expect(`${block}, kind`, physicalKindNumber[tail.slots.kinds[index % tail.slots.count]!], exports.columnKind(address))
}
