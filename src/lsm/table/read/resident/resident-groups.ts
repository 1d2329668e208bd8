/**
 * What is in memory of one file's row groups, told in one place for `columnGetNewest` and `mergeLanes`: a point read of a row group that
 * was read so before, and of which nothing left the cache since, is part of one kernel call that touches a line or two of the file beside
 * the key and the value. Asking the cache for each chunk touched some dozen objects, which are each file's own and mostly not in the
 * processor's first cache when files are asked in turn.
 *
 * Point reads use what was told of a row group until one of its chunks moves, leaves or loses its mark, whatever becomes of others: files
 * that are read for the first time, or of which the cache has a part, move chunks all the time. Walks, which go on from row group to
 * row group, use only what was told under the file's version, which each such move ends. Nothing is marked as used by reads of what is told.
 */
import { keysFoundBy, residentGroupBytes, residentHeadBytes } from '../../../../kernel/column.ts'
import type { LinearMemory, Pointer } from '../../../../kernel/linear-memory.ts'
import type { CachedFile, ChunkCache, Frame } from '../../chunk-cache.ts'
import { keySlot, tombstoneSlot } from '../../format.ts'
import type { Tail } from '../tail-view.ts'

/** Words of the record: of its head, and of a row group. */
const rowCountsWord = 13, keysWord = 3

export class ResidentGroups {
  readonly address: Pointer
  private readonly memory: LinearMemory
  private readonly cache: ChunkCache
  /** Pinned. */
  private readonly frame: Frame
  private readonly slotCount: number
  private readonly groupBytes: number

  constructor(memory: LinearMemory, cache: ChunkCache, frame: Frame, { slots, layout: { columns } }: Pick<Tail, 'slots' | 'layout'>) {
    this.address = cache.addressOf(frame)
    this.memory = memory
    this.cache = cache
    this.frame = frame
    this.slotCount = slots.count
    this.groupBytes = residentGroupBytes(columns.length)
  }

  /** A chunk may have moved, or lost its mark: what was told of its row group is no longer used. */
  forgetChunk(index: number): void {
    this.memory.f64[this.address >>> 3]! += 1
    this.untell(index)
  }

  /** Has the next point read of a chunk's row group go by whoever looks after its chunks. */
  untell(index: number): void {
    this.memory.u32[(this.groupAt(Math.floor(index / this.slotCount)) >>> 2) + keysWord] = keysFoundBy.isUntold
  }

  /** The tail may have: what was told of it is no longer used. */
  forgetTail(): void {
    this.memory.f64[this.address >>> 3]! += 1
    this.memory.u32[(this.address >>> 2) + rowCountsWord] = 0
  }

  /** Notes the tail, which is in memory and was marked. */
  noteTail({ footer, filter, sections, shape, sharedKeyBytes, layout: { columns } }: Tail): void {
    const { memory: { u32, f64 }, address } = this
    f64[(address >>> 3) + 1] = f64[address >>> 3]!
    if (u32[(address >>> 2) + rowCountsWord] !== 0) return
    u32.set([
      shape.rowGroupCount, sharedKeyBytes, footer + sections.firstKeys, footer + sections.firstKeyRefs, footer + sections.data, columns.length,
      filter.address, filter.byteLength, shape.rangeTombstoneCount === 0 ? 0 : 1, footer + sections.rowCounts,
    ], (address >>> 2) + 4)
  }

  /** Notes a row group all of whose chunks are cached whole and were marked. */
  note(tail: Tail, cached: CachedFile, rowGroup: number): void {
    const keyIndex = this.cache.keyIndex(cached, rowGroup * this.slotCount + keySlot)
    this.noteChunks(tail, cached, rowGroup, keyIndex === 0 ? keysFoundBy.isSearch : keyIndex)
  }

  /** Notes, for walks, one of which the keys, the tombstones and some columns are so. */
  noteSome(tail: Tail, cached: CachedFile, rowGroup: number): void {
    // Who finds a row takes it that all of it is there.
    this.noteChunks(tail, cached, rowGroup, this.memory.u32[(this.groupAt(rowGroup) >>> 2) + keysWord]!)
  }

  /** Point reads have searched its keys so often that these should have an index. */
  isSearchedOften(rowGroup: number): boolean {
    return this.memory.u32[(this.groupAt(rowGroup) >>> 2) + keysWord] === keysFoundBy.searchesMax
  }

  private groupAt(rowGroup: number): Pointer {
    return this.address + residentHeadBytes + rowGroup * this.groupBytes
  }

  private noteChunks({ slots, layout: { columns } }: Tail, cached: CachedFile, rowGroup: number, keysFound: Pointer): void {
    const { cache, address, memory: { u32, f64 } } = this
    const first = rowGroup * slots.count, group = this.groupAt(rowGroup), at = group >>> 2
    f64[group >>> 3] = f64[address >>> 3]!
    u32[at + 2] = cache.peek(cached, first + keySlot)
    u32[at + keysWord] = keysFound
    u32[at + 4] = cache.peek(cached, first + tombstoneSlot)
    for (let ordinal = 0; ordinal < columns.length; ordinal++) u32[at + 5 + ordinal] = cache.peek(cached, first + slots.ofColumn[ordinal]!)
  }

  free(): void {
    this.cache.unpin(this.frame)
  }
}

/** Room for what is to be told of a file; undefined where there is none. For walks others are evicted, which may be the file's tail. */
export function makeResident(memory: LinearMemory, cache: ChunkCache, tail: Tail, mayEvict: boolean): ResidentGroups | undefined {
  const { shape, layout } = tail
  const byteLength = residentHeadBytes + shape.rowGroupCount * residentGroupBytes(layout.columns.length)
  const frame = mayEvict || cache.hasRoom(byteLength) ? cache.tryReserve(byteLength) : 0
  if (frame === 0) return undefined
  const resident = new ResidentGroups(memory, cache, frame, tail)
  memory.u8.fill(0, resident.address, resident.address + byteLength)
  memory.f64[resident.address >>> 3] = 1
  return resident
}
