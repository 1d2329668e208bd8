/**
 * Which rows of an open file's row groups stand, as of a sequence number: those whose keys nothing later than the file's
 * own operations and up to that number has written. A file does not change, and what has a later word on a key keeps it
 * wherever flushes and compactions move it, so this depends on the file and the number alone and only ever shrinks; a
 * read of a later snapshot goes on from here with what was written since. (Delete vectors are kept like that, for
 * instance by Delta Lake and StarRocks; these are not durable, and are found out anew when they are gone.) What range
 * tombstones delete is not in it.
 *
 * Bitmaps are in the chunk cache, within its bound, and evicted as chunks are; the numbers beside them are as long as the
 * row groups are many.
 */
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import type { CachedFile, ChunkCache } from '../chunk-cache.ts'

export class KeptRows {
  private readonly memory: LinearMemory
  private readonly cache: ChunkCache
  private readonly bitmaps: CachedFile
  /** By row group; -1: nothing is known. */
  private readonly sequences: Float64Array
  private readonly hiddenCounts: Uint32Array

  constructor(memory: LinearMemory, cache: ChunkCache, rowGroupCount: number) {
    this.memory = memory
    this.cache = cache
    this.bitmaps = cache.addFile(rowGroupCount)
    this.sequences = new Float64Array(rowGroupCount).fill(-1)
    this.hiddenCounts = new Uint32Array(rowGroupCount)
  }

  /** As of which sequence number, not above `sequence`, it is known; -1: it is not. */
  knownSince(rowGroup: number, sequence: number): number {
    const known = this.sequences[rowGroup]!
    if (known > sequence || (this.hiddenCounts[rowGroup] !== 0 && this.bitmaps.frames[rowGroup] === 0)) return -1
    return known
  }

  /** How many rows of a row group of which that is known do not stand. */
  hiddenCount(rowGroup: number): number {
    return this.hiddenCounts[rowGroup]!
  }

  /** Writes the bitmap of a row group of which some rows are hidden to `selection`. */
  copyTo(rowGroup: number, selection: Pointer, byteLength: number): void {
    const bitmap = this.cache.peek(this.bitmaps, rowGroup)
    this.cache.mark(this.bitmaps.frames[rowGroup]!)
    this.memory.u8.copyWithin(selection, bitmap, bitmap + byteLength)
  }

  /** Nothing was written to a row group's keys up to `sequence` after what is known. */
  advance(rowGroup: number, sequence: number): void {
    if (sequence > this.sequences[rowGroup]!) this.sequences[rowGroup] = sequence
  }

  /** Takes what was found out, unless more is known or there is no room. May evict chunks that are not pinned. */
  keep(rowGroup: number, sequence: number, selection: Pointer, byteLength: number, hiddenCount: number): void {
    if (sequence < this.sequences[rowGroup]!) return
    const bitmap = hiddenCount === 0 ? 0 : this.bitmapOf(rowGroup, byteLength)
    if (hiddenCount > 0 && bitmap === 0) return
    if (bitmap !== 0) this.memory.u8.copyWithin(bitmap, selection, selection + byteLength)
    this.sequences[rowGroup] = sequence
    this.hiddenCounts[rowGroup] = hiddenCount
  }

  free(): void {
    this.cache.removeFile(this.bitmaps)
  }

  /** Where a row group's bitmap is or may be written; 0: there is no room. */
  private bitmapOf(rowGroup: number, byteLength: number): Pointer {
    const { cache, bitmaps } = this
    if (bitmaps.frames[rowGroup] !== 0) return cache.peek(bitmaps, rowGroup)
    const frame = cache.tryReserve(byteLength)
    if (frame === 0) return 0
    cache.publish(bitmaps, rowGroup, frame)
    cache.mark(frame)
    cache.unpin(frame)
    return cache.addressOf(frame)
  }
}
