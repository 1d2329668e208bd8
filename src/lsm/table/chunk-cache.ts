/**
 * The chunk cache: column chunks of open table files in linear memory, and their tails (filters and footers) in the same
 * way, together bounded by `bytesMax`. Replacement is CLOCK (Corbató 1968): a hit sets one byte, the hand clears it and
 * evicts what it finds cleared. A chunk comes in unmarked, so that a scan, which uses each chunk once, does not push out
 * what is used again and again. Pinned chunks stay; when nothing else is left, a reservation is error 53200.
 *
 * A chunk of compressed text that point reads keep asking for is replaced by its expanded form (src/lsm/table/read/expand-chunk.ts),
 * which counts with the bytes that it takes and is evicted like any other; read again from its file, it is compressed. So is a
 * chunk of keys that they keep searching, by one with an index behind it.
 *
 * Each open file has a table of frame numbers by chunk index, so a hit is two array loads. Evicting a chunk clears
 * its entry. A frame that is pinned while its file is closed is freed by its last unpin.
 */
import { invariant, LsmtError } from '../../errors.ts'
import type { LinearHeap } from '../../kernel/heap/linear-heap.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { addFrame, createFrames, slackBytes } from './chunk-frames.ts'
import type { CachedFile, Frame, Frames } from './chunk-frames.ts'

export interface ChunkCacheCounts {
  /** Chunks that were found; one for all of a row group that a point read found by its record. */
  hits: number
  misses: number
  evictions: number
  /** Chunks that were replaced by their expanded form. */
  expansions: number
  /** Chunks of keys that were replaced by themselves with an index. */
  keyIndexes: number
  chunks: number
  /** Bytes of chunks and tails. */
  chunkBytes: number
  scratchBytes: number
}

export interface ChunkCache {
  readonly bytesMax: number
  readonly counts: Readonly<ChunkCacheCounts>
  /** Registers a file of `chunkCount` chunks; see `CachedFile.onMoved`. */
  addFile(chunkCount: number, onMoved?: CachedFile['onMoved']): CachedFile
  /** Forgets a file's chunks. */
  removeFile(file: CachedFile): void
  /** Forgets one of a file's chunks. */
  remove(file: CachedFile, index: number): void
  /** Makes a cached chunk that of the same index of another table, which has none. */
  move(from: CachedFile, to: CachedFile, index: number): void
  /** Address of a cached chunk, marked as used; 0 when it is not cached. Valid until the next reservation unless pinned. */
  lookup(file: CachedFile, index: number): Pointer
  /** The same, without marking or counting. */
  peek(file: CachedFile, index: number): Pointer
  /** Marks and counts chunks [from, to) as used, those that are cached; gives how many these are. */
  touchAll(file: CachedFile, from: number, to: number): number
  /** Counts what was found without asking. */
  countHit(): void
  /** Pins a cached chunk; 0 when it is not cached. */
  pin(file: CachedFile, index: number): Frame
  unpin(frame: Frame): void
  /** Marks a chunk as used, so that it outlives the next turn of the hand. */
  mark(frame: Frame): void
  /** Memory for a chunk that is about to be read, pinned and not yet to be found. Throws 53200 when all else is pinned. */
  reserve(byteLength: number): Frame
  /** The same, or 0: for what may as well not be kept. */
  tryReserve(byteLength: number): Frame
  addressOf(frame: Frame): Pointer
  /** Makes a reserved frame the cached chunk of an index, still pinned. Returns the frame that counts: another load may have been faster. */
  publish(file: CachedFile, index: number, frame: Frame): Frame
  /** Where the index of a cached chunk of keys is; 0: it has none. */
  keyIndex(file: CachedFile, index: number): Pointer
  /** A point read had to expand a part of a cached chunk, or to search it. */
  notePartRead(file: CachedFile, index: number): void
  /** How often that was since the hand passed last, up to 255. */
  partReads(file: CachedFile, index: number): number
  /** Whether so many bytes more fit in without an eviction. */
  hasRoom(byteLength: number): boolean
  /**
   * Replaces a cached chunk by what `write` makes of it in `byteLength` bytes. May evict others. false, with the chunk where it was, when it is
   * pinned, there is no room, or `write` gives false. `keyIndexOffset`: where in these bytes there is an index of keys.
   */
  rewrite(file: CachedFile, index: number, byteLength: number, write: (from: Pointer, to: Pointer) => boolean, keyIndexOffset?: number): boolean
  /** At least `byteLength` bytes for use until the caller's next await or next call of this. May evict chunks that are not pinned. */
  scratch(byteLength: number): Pointer
  /** At least `byteLength` bytes outside linear memory, for use until the caller's next await or next call of this. */
  staging(byteLength: number): Uint8Array
  /** Frees one chunk that is not pinned; false when there is none. */
  evict(): boolean
  /** Frees everything that is not pinned. */
  clear(): void
}

const roundedBytes = (byteLength: number): number => Math.ceil((byteLength + slackBytes) / 16) * 16

const nobodyTold = (): void => {}

interface CacheState {
  readonly heap: LinearHeap
  readonly bytesMax: number
  readonly frames: Frames
  readonly counts: ChunkCacheCounts
  readonly scratch: { address: Pointer; bytes: number }
  staging: Uint8Array
}

export function createChunkCache(heap: LinearHeap, bytesMax: number): ChunkCache {
  const frames = createFrames()
  const counts: ChunkCacheCounts = { hits: 0, misses: 0, evictions: 0, expansions: 0, keyIndexes: 0, chunks: 0, chunkBytes: 0, scratchBytes: 0 }
  const state: CacheState = { heap, bytesMax, frames, counts, scratch: { address: 0, bytes: 0 }, staging: new Uint8Array(0) }
  return {
    bytesMax,
    counts,
    addFile: (chunkCount, onMoved = nobodyTold) => ({ frames: new Uint32Array(chunkCount), onMoved }),
    removeFile: (file) => removeFile(state, file),
    remove: (file, index) => remove(state, file, index),
    move: (from, to, index) => move(state, from, to, index),
    lookup: (file, index) => frames.addresses[touch(state, file, index)]!,
    peek: (file, index) => frames.addresses[file.frames[index]!]!,
    touchAll: (file, from, to) => touchAll(state, file, from, to),
    countHit: () => void (counts.hits += 1),
    pin(file, index) {
      const frame = touch(state, file, index)
      if (frame !== 0) frames.pins[frame]! += 1
      return frame
    },
    unpin: (frame) => unpin(state, frame),
    mark: (frame) => void (frames.referenced[frame] = 1),
    reserve: (byteLength) => reserve(state, byteLength),
    tryReserve: (byteLength) => tryReserve(state, byteLength),
    addressOf: (frame) => frames.addresses[frame]!,
    publish: (file, index, frame) => publish(state, file, index, frame),
    keyIndex: (file, index) => frames.keyIndexes[file.frames[index]!]!,
    notePartRead: (file, index) => void (frames.partReads[file.frames[index]!]! += frames.partReads[file.frames[index]!]! < 255 ? 1 : 0),
    partReads: (file, index) => frames.partReads[file.frames[index]!]!,
    hasRoom: (byteLength) => counts.chunkBytes + counts.scratchBytes + roundedBytes(byteLength) <= bytesMax,
    rewrite: (file, index, byteLength, write, keyIndexOffset) => rewrite(state, file, index, byteLength, write, keyIndexOffset),
    scratch: (byteLength) => (byteLength <= state.scratch.bytes ? state.scratch.address : resizeScratch(state, byteLength)),
    staging: (byteLength) => (byteLength <= state.staging.length ? state.staging : resizeStaging(state, byteLength)),
    evict: () => evictOne(state),
    clear: () => clear(state),
  }
}

/** The frame of a chunk, marked as used and counted; 0 when it is not cached. */
function touch({ frames, counts }: CacheState, file: CachedFile, index: number): Frame {
  const frame = file.frames[index]!
  if (frame === 0) {
    counts.misses += 1
    return 0
  }
  counts.hits += 1
  frames.referenced[frame] = 1
  return frame
}

/** One that is not cached is no miss: there may be none. */
function touchAll({ frames, counts }: CacheState, file: CachedFile, from: number, to: number): number {
  let cached = 0
  for (let index = from; index < to; index++) {
    const frame = file.frames[index]!
    if (frame === 0) continue
    frames.referenced[frame] = 1
    cached++
  }
  counts.hits += cached
  return cached
}

function unpin(state: CacheState, frame: Frame): void {
  const { frames } = state
  invariant(frames.pins[frame]! > 0, () => `chunk frame ${frame} is not pinned`)
  frames.pins[frame]! -= 1
  if (frames.pins[frame] === 0 && frames.owners[frame] === undefined) release(state, frame)
}

function reserve(state: CacheState, byteLength: number): Frame {
  const frame = tryReserve(state, byteLength)
  if (frame === 0) throw full(state, roundedBytes(byteLength))
  return frame
}

/** 0 when all else is pinned. */
function tryReserve(state: CacheState, byteLength: number): Frame {
  const bytes = roundedBytes(byteLength)
  const address = tryAllocate(state, bytes)
  return address === 0 ? 0 : takeFrame(state, address, bytes)
}

function takeFrame({ frames, counts }: CacheState, address: Pointer, bytes: number): Frame {
  const frame = frames.free.pop() ?? addFrame(frames)
  frames.addresses[frame] = address
  frames.bytes[frame] = bytes
  frames.pins[frame] = 1
  frames.referenced[frame] = 0
  frames.partReads[frame] = 0
  frames.keyIndexes[frame] = 0
  counts.chunks += 1
  counts.chunkBytes += bytes
  return frame
}

function publish(state: CacheState, file: CachedFile, index: number, frame: Frame): Frame {
  const { frames } = state
  const other = file.frames[index]!
  if (other !== 0) {
    frames.pins[other]! += 1
    unpin(state, frame)
    return other
  }
  file.frames[index] = frame
  frames.owners[frame] = file
  frames.indexes[frame] = index
  return frame
}

function rewrite(state: CacheState, file: CachedFile, index: number, byteLength: number, write: (from: Pointer, to: Pointer) => boolean, keyIndexOffset = 0): boolean {
  const { frames, counts } = state
  const before = file.frames[index]!
  if (before === 0 || frames.pins[before]! > 0) return false
  frames.pins[before] = 1
  const after = tryReserve(state, byteLength)
  const isWritten = after !== 0 && write(frames.addresses[before]!, frames.addresses[after]!)
  if (isWritten) {
    file.onMoved(index)
    frames.owners[before] = undefined
    frames.owners[after] = file
    frames.indexes[after] = index
    frames.referenced[after] = 1
    file.frames[index] = after
    if (keyIndexOffset === 0) counts.expansions += 1
    else {
      counts.keyIndexes += 1
      frames.keyIndexes[after] = frames.addresses[after]! + keyIndexOffset
    }
  }
  unpin(state, before)
  if (after !== 0) unpin(state, after)
  return isWritten
}

function removeFile(state: CacheState, file: CachedFile): void {
  for (let index = 0; index < file.frames.length; index++) remove(state, file, index)
}

function remove(state: CacheState, file: CachedFile, index: number): void {
  const frame = file.frames[index]!
  if (frame === 0) return
  file.onMoved(index)
  if (state.frames.pins[frame] === 0) release(state, frame)
  else state.frames.owners[frame] = undefined
  file.frames[index] = 0
}

function move({ frames }: CacheState, from: CachedFile, to: CachedFile, index: number): void {
  const frame = from.frames[index]!
  invariant(frame !== 0 && to.frames[index] === 0, () => `chunk ${index} cannot be moved`)
  from.onMoved(index)
  from.frames[index] = 0
  to.frames[index] = frame
  frames.owners[frame] = to
}

/** Frees everything that is not pinned, scratch included. */
function clear(state: CacheState): void {
  const { frames, scratch, counts } = state
  for (let frame = 1; frame <= frames.count; frame++) {
    if (frames.addresses[frame] !== 0 && frames.pins[frame] === 0) release(state, frame)
  }
  if (scratch.address !== 0) state.heap.free(scratch.address)
  counts.scratchBytes -= scratch.bytes
  scratch.address = 0
  scratch.bytes = 0
}

function resizeScratch(state: CacheState, byteLength: number): Pointer {
  const { scratch } = state
  const bytes = Math.max(4096, 2 ** Math.ceil(Math.log2(byteLength)))
  const address = tryAllocate(state, bytes)
  if (address === 0) throw full(state, bytes)
  if (scratch.address !== 0) state.heap.free(scratch.address)
  state.counts.scratchBytes += bytes - scratch.bytes
  scratch.address = address
  scratch.bytes = bytes
  return address
}

function resizeStaging(state: CacheState, byteLength: number): Uint8Array {
  state.staging = new Uint8Array(2 ** Math.ceil(Math.log2(byteLength)))
  return state.staging
}

/** Memory within the bound, evicting as needed; 0 when all else is pinned. */
function tryAllocate(state: CacheState, byteLength: number): Pointer {
  const { counts, bytesMax } = state
  while (counts.chunkBytes + counts.scratchBytes + byteLength > bytesMax) {
    if (!evictOne(state)) return 0
  }
  for (;;) {
    const address = state.heap.tryAllocate(byteLength)
    if (address !== 0) return address
    if (!evictOne(state)) return 0
  }
}

function full({ counts, bytesMax }: CacheState, byteLength: number): LsmtError {
  const used = counts.chunkBytes + counts.scratchBytes
  return new LsmtError('53200', `no room for ${byteLength} bytes in the chunk cache: running reads and open files use ${used} of ${bytesMax} bytes`, {
    hint: 'raise the cache size or the kernel memory, or run fewer reads at once',
  })
}

/** Evicts one chunk; false when two turns of the hand (the first clears marks) found only pinned ones. */
function evictOne(state: CacheState): boolean {
  const { frames } = state
  for (let step = 0; step < 2 * frames.count; step++) {
    const hand = (frames.hand = frames.hand >= frames.count ? 1 : frames.hand + 1)
    if (frames.addresses[hand] === 0 || frames.pins[hand] !== 0) continue
    if (frames.referenced[hand] === 0) {
      state.counts.evictions += 1
      release(state, hand)
      return true
    }
    frames.referenced[hand] = 0
    frames.partReads[hand] = 0
    frames.owners[hand]?.onMoved(frames.indexes[hand]!)
  }
  return false
}

function release({ frames, heap, counts }: CacheState, frame: Frame): void {
  const owner = frames.owners[frame]
  if (owner !== undefined) {
    owner.frames[frames.indexes[frame]!] = 0
    owner.onMoved(frames.indexes[frame]!)
  }
  frames.owners[frame] = undefined
  heap.free(frames.addresses[frame]!)
  counts.chunks -= 1
  counts.chunkBytes -= frames.bytes[frame]!
  frames.addresses[frame] = 0
  frames.free.push(frame)
}

export type { CachedFile, Frame }
