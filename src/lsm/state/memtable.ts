/**
 * A memtable: the skiplist kernel's ordered map with the segments of linear memory it lives in. Written by the tree
 * until it is frozen; then only read, also by a worker that is given its address. Its memory is freed when the tree
 * and the last snapshot have let go of it.
 */
import { invariant, LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { tableKey } from '../batch-builder.ts'
import type { ImageKeeper, MemtableImages } from '../image/image.ts'
import { compareBoundaries, compareBytes, copyOut } from '../keys/key-bytes.ts'
import type { Boundary } from '../keys/key-bytes.ts'
import { coverOf, emptyCover } from '../keys/range-cover.ts'
import type { Interval, RangeCover } from '../keys/range-cover.ts'
import { allocateBeforeCache, tryAllocateBeforeCache } from './memtable-memory.ts'
import type { MemtableMemory } from './memtable-memory.ts'

export interface Memtable {
  readonly handle: Pointer
  /** Sequence number of the last operation applied before it was started. */
  readonly startSequence: number
  /** Its sequence numbers are its own: every read sees all of them. */
  readonly seesAll: boolean
  /** Nothing was applied yet. */
  readonly isEmpty: boolean
  usedBytes(): number
  entryCount(): number
  rangeCount(): number
  /** Up to which of its sequence numbers a read at `sequence` of the tree sees. */
  bound(sequence: number): number
  /** What its range tombstones up to `sequence` delete of one table; kept while none is added. */
  cover(tableId: number, sequence: number): RangeCover
  /** Applies a whole batch that stands in linear memory. */
  apply(batch: Pointer, batchBytes: number): void
  /** Gives all keys their place in the order; to be called before another thread reads. */
  order(): void
  /** Images of it, where it is one of a tree. */
  readonly images: MemtableImages | undefined
  retain(): void
  release(): void
}

const segmentBytesMin = 64 * 1024
const segmentBytesMax = 1024 * 1024
const ownSegmentBytesMin = 4 * 1024

/** What a memtable of a tree is made with. */
export interface MemtableOptions {
  readonly kernel: Kernel
  readonly memory: MemtableMemory
  readonly images: ImageKeeper
  readonly expectedBytes: number
}

/** A memtable with one reference, the caller's. */
export function createMemtable({ kernel, memory, images, expectedBytes }: MemtableOptions, startSequence: number): Memtable {
  const segmentBytes = Math.min(segmentBytesMax, Math.max(segmentBytesMin, expectedBytes >>> 3))
  return newMemtable({ kernel, memory, images }, startSequence, () => segmentBytes, false)
}

/** A memtable with sequence numbers of its own, all of which every read sees: small at first, since most stay so. */
export function createOwnMemtable(kernel: Kernel, memory: MemtableMemory): Memtable {
  return newMemtable({ kernel, memory }, 0, (usedBytes) => Math.min(segmentBytesMax, Math.max(ownSegmentBytesMin, usedBytes)), true)
}

/** `segmentBytes`: how large the next segment is to be, by the bytes of those before. */
function newMemtable({ kernel, memory, images }: Pick<MemtableOptions, 'kernel' | 'memory'> & Partial<MemtableOptions>, startSequence: number, segmentBytes: (bytes: number) => number, seesAll: boolean): Memtable {
  const { heap, exports } = kernel
  const segments: Pointer[] = []
  let bytes = 0
  const keep = (segment: Pointer, byteLength: number): Pointer => {
    segments.push(segment)
    bytes += byteLength
    memory.bytes += byteLength
    return segment
  }
  const firstBytes = segmentBytes(0)
  const handle = exports.skiplistCreate(keep(allocateBeforeCache(heap, memory, firstBytes), firstBytes), firstBytes)
  let references = 1

  /** What must be had where there is not as much in a row as a segment should have. */
  const addSegment = (needed: number): void => {
    const wanted = Math.max(segmentBytes(bytes), needed)
    const address = tryAllocateBeforeCache(heap, memory, wanted)
    const byteLength = address === 0 ? needed : wanted
    exports.skiplistAddSegment(handle, keep(address || heap.allocate(needed), byteLength), byteLength)
  }
  // No accessors: they would make every memtable an object of its own kind, and point reads ask those of all shards.
  const memtable = {
    images: undefined as MemtableImages | undefined,
    handle,
    startSequence,
    isEmpty: true,
    usedBytes: () => exports.skiplistUsedBytes(handle),
    entryCount: () => exports.skiplistEntryCount(handle),
    rangeCount: () => exports.skiplistRangeCount(handle),
    seesAll,
    bound: (sequence: number) => (seesAll ? Number.MAX_SAFE_INTEGER : sequence),
    cover: keptCovers(kernel, handle),
    apply(batch: Pointer, batchBytes: number): void {
      memtable.isEmpty = false
      for (;;) {
        const outcome = exports.skiplistApply(handle, batch, batchBytes)
        if (outcome === 0) return
        if (outcome < 0) throw new LsmtError('XX000', 'internal error: the memtable refused a batch as malformed')
        addSegment(outcome)
      }
    },
    order: () => exports.skiplistOrder(handle),
    retain(): void {
      invariant(references > 0, 'a freed memtable is retained')
      references++
    },
    release(): void {
      invariant(references > 0, 'a freed memtable is released')
      if (--references > 0) return
      memtable.images?.free()
      for (const segment of segments) heap.free(segment)
      memory.bytes -= bytes
      memory.onFreed()
    },
  }
  memtable.images = images?.imagesOf(memtable)
  return memtable
}

/** By table, while no range tombstone is added. */
function keptCovers(kernel: Kernel, handle: Pointer): Memtable['cover'] {
  const covers = new Map<number, { readonly rangeCount: number; readonly sequence: number; readonly cover: RangeCover }>()
  return (tableId, sequence) => {
    const rangeCount = kernel.exports.skiplistRangeCount(handle)
    if (rangeCount === 0) return emptyCover
    const known = covers.get(tableId)
    if (known !== undefined && known.rangeCount === rangeCount && known.sequence === sequence) return known.cover
    // Ranges come in the order of their sequences: when the last is in, all are, for this and every later sequence.
    const isComplete = rangeSequence(kernel, handle, rangeCount - 1) <= sequence
    if (isComplete && known?.rangeCount === rangeCount && known.sequence === Infinity) return known.cover
    const cover = memtableCover(kernel, handle, tableId, sequence)
    covers.set(tableId, { rangeCount, sequence: isComplete ? Infinity : sequence, cover })
    return cover
  }
}

const rangeRecordBytes = 24

function rangeSequence({ heap, memory, exports }: Kernel, handle: Pointer, index: number): number {
  const record = heap.allocate(rangeRecordBytes)
  exports.skiplistRangeAt(handle, index, record)
  const sequence = memory.view.getFloat64(record + 16, true)
  heap.free(record)
  return sequence
}

/** What a memtable's range tombstones up to `sequence` delete of one table, as primary-key bytes. */
export function memtableCover({ heap, memory, exports }: Kernel, handle: Pointer, tableId: number, sequence: number): RangeCover {
  const count = exports.skiplistRangeCount(handle)
  if (count === 0) return emptyCover
  const intervals: Interval[] = []
  const record = heap.allocate(rangeRecordBytes)
  for (let i = 0; i < count; i++) {
    exports.skiplistRangeAt(handle, i, record)
    if (memory.view.getFloat64(record + 16, true) > sequence) continue
    const [start, startBytes, end, endBytes] = memory.u32.subarray(record >>> 2, (record >>> 2) + 4)
    // An end of no bytes means no end.
    const interval = withinTable(copyOut(memory, start!, startBytes!), endBytes === 0 ? undefined : copyOut(memory, end!, endBytes!), tableId)
    if (interval !== undefined) intervals.push(interval)
  }
  heap.free(record)
  return coverOf(intervals)
}

/** The part of [start, end), keys with table ids, that lies in one table, without the id. */
function withinTable(start: Uint8Array, end: Boundary, tableId: number): Interval | undefined {
  const first = tableKey(tableId), next = tableKey(tableId + 1)
  if (compareBoundaries(end, first) <= 0 || compareBytes(start, next) >= 0) return undefined
  return {
    start: compareBytes(start, first) <= 0 ? new Uint8Array(0) : start.slice(first.length),
    end: end === undefined || compareBytes(end, next) >= 0 ? undefined : end.slice(first.length),
  }
}
