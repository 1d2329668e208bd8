/**
 * What is in memory of one file's row groups, told in one place for `columnGetNewest` and `mergeLanes`: a point read of a row group that
 * was read so before, and of which nothing left the cache since, is part of one kernel call that touches a line or two of the file beside
 * the key and the value. Asking the cache for each chunk touched some dozen objects, which are each file's own and mostly not in the
 * processor's first cache when files are asked in turn.
 *
 * Nothing is marked as used by such a read: under one version no chunk of the file lost its mark.
 */
import { residentGroupBytes, residentHeadBytes } from '../../../../kernel/column.ts'
import type { LinearMemory, Pointer } from '../../../../kernel/linear-memory.ts'
import type { CachedFile, ChunkCache, Frame } from '../../chunk-cache.ts'
import { keySlot, tombstoneSlot } from '../../format.ts'
import type { Tail } from '../tail-view.ts'

export class ResidentGroups {
  readonly address: Pointer
  private readonly memory: LinearMemory
  private readonly cache: ChunkCache
  /** Pinned. */
  private readonly frame: Frame

  constructor(memory: LinearMemory, cache: ChunkCache, frame: Frame) {
    this.address = cache.addressOf(frame)
    this.memory = memory
    this.cache = cache
    this.frame = frame
  }

  /** Something of the file may have moved, or lost its mark: what was told is no longer used. */
  forget(): void {
    this.memory.f64[this.address >>> 3]! += 1
  }

  /** Notes the tail, which is in memory and was marked. */
  noteTail({ footer, filter, sections, shape, sharedKeyBytes, layout: { columns } }: Tail): void {
    const { memory: { u32, f64 }, address } = this
    if (f64[(address >>> 3) + 1] === f64[address >>> 3]) return
    f64[(address >>> 3) + 1] = f64[address >>> 3]!
    u32.set([
      shape.rowGroupCount, sharedKeyBytes, footer + sections.firstKeys, footer + sections.firstKeyRefs, footer + sections.data, columns.length,
      filter.address, filter.byteLength, shape.rangeTombstoneCount === 0 ? 0 : 1,
    ], (address >>> 2) + 4)
  }

  /** Notes a row group all of whose chunks are cached whole and were marked, and whose keys have an index. */
  note(tail: Tail, cached: CachedFile, rowGroup: number): void {
    if (this.keyIndexOf(tail, rowGroup) === 0) this.noteChunks(tail, cached, rowGroup, this.cache.keyIndex(cached, rowGroup * tail.slots.count + keySlot))
  }

  /** Notes, for walks, one of which the keys, the tombstones and some columns are so. */
  noteSome(tail: Tail, cached: CachedFile, rowGroup: number): void {
    // Who finds a row by the index takes it that all of it is there.
    this.noteChunks(tail, cached, rowGroup, this.keyIndexOf(tail, rowGroup))
  }

  /** What was noted of it; 0: nothing, or not all that it has. */
  private keyIndexOf(tail: Tail, rowGroup: number): Pointer {
    const { address, memory: { u32, f64 } } = this, group = this.groupAt(tail, rowGroup)
    return f64[group >>> 3] === f64[address >>> 3] ? u32[(group >>> 2) + 3]! : 0
  }

  private groupAt({ layout: { columns } }: Tail, rowGroup: number): Pointer {
    return this.address + residentHeadBytes + rowGroup * residentGroupBytes(columns.length)
  }

  private noteChunks(tail: Tail, cached: CachedFile, rowGroup: number, keyIndex: Pointer): void {
    const { cache, address, memory: { u32, f64 } } = this, { slots, layout: { columns } } = tail
    const first = rowGroup * slots.count, group = this.groupAt(tail, rowGroup), at = group >>> 2
    f64[group >>> 3] = f64[address >>> 3]!
    u32[at + 2] = cache.peek(cached, first + keySlot)
    u32[at + 3] = keyIndex
    u32[at + 4] = cache.peek(cached, first + tombstoneSlot)
    for (let ordinal = 0; ordinal < columns.length; ordinal++) u32[at + 5 + ordinal] = cache.peek(cached, first + slots.ofColumn[ordinal]!)
  }

  free(): void {
    this.cache.unpin(this.frame)
  }
}

/** Room for what is to be told of a file; undefined where there is none. For walks others are evicted, which may be the file's tail. */
export function makeResident(memory: LinearMemory, cache: ChunkCache, { shape, layout }: Tail, mayEvict: boolean): ResidentGroups | undefined {
  const byteLength = residentHeadBytes + shape.rowGroupCount * residentGroupBytes(layout.columns.length)
  const frame = mayEvict || cache.hasRoom(byteLength) ? cache.tryReserve(byteLength) : 0
  if (frame === 0) return undefined
  const resident = new ResidentGroups(memory, cache, frame)
  memory.u8.fill(0, resident.address, resident.address + byteLength)
  resident.forget()
  return resident
}
