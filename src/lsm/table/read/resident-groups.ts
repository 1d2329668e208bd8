/**
 * What is in memory of one file's row groups, told in one place for `columnGetResident`: a point read of a row group that
 * was read so before, and of which nothing left the cache since, is one kernel call that touches a line or two beside the key
 * and the value. Asking the cache for each chunk touched some dozen objects, which are each file's own and mostly not in the
 * processor's first cache when files are asked in turn.
 *
 * Nothing is marked as used by such a read: under one version of the cache's placement no mark is lost.
 */
import { residentGroupBytes, residentHeadBytes } from '../../../kernel/column.ts'
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import type { CachedFile, ChunkCache, Frame } from '../chunk-cache.ts'
import { keySlot, tombstoneSlot } from '../format.ts'
import type { Tail } from './tail-view.ts'

export class ResidentGroups {
  readonly address: Pointer
  /** Of the cache's placement when something was noted last: until it changes, the record may be read. */
  version = 0
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

  /** Notes a row group all of whose chunks are cached whole and were marked, and whose keys have an index, of a file whose tail was. */
  note(tail: Tail, cached: CachedFile, rowGroup: number): void {
    const { slots, layout: { columns } } = tail, { cache, memory: { u32, f64 } } = this
    if (this.version !== cache.placement.version) this.noteTail(tail)
    const first = rowGroup * slots.count, group = this.address + residentHeadBytes + rowGroup * residentGroupBytes(columns.length), at = group >>> 2
    f64[group >>> 3] = this.version
    u32[at + 2] = cache.peek(cached, first + keySlot)
    u32[at + 3] = cache.keyIndex(cached, first + keySlot)
    u32[at + 4] = cache.peek(cached, first + tombstoneSlot)
    for (let ordinal = 0; ordinal < columns.length; ordinal++) u32[at + 5 + ordinal] = cache.peek(cached, first + slots.ofColumn[ordinal]!)
  }

  free(): void {
    this.cache.unpin(this.frame)
  }

  private noteTail({ footer, sections, shape, sharedKeyBytes, layout: { columns } }: Tail): void {
    this.version = this.cache.placement.version
    this.memory.u32.set([shape.rowGroupCount, sharedKeyBytes, footer + sections.firstKeys, footer + sections.firstKeyRefs, footer + sections.data, columns.length], this.address >>> 2)
  }
}

/** Room for what is to be told of a file; undefined where there is none. */
export function makeResident(memory: LinearMemory, cache: ChunkCache, { shape, layout }: Tail): ResidentGroups | undefined {
  const byteLength = residentHeadBytes + shape.rowGroupCount * residentGroupBytes(layout.columns.length)
  const frame = cache.hasRoom(byteLength) ? cache.tryReserve(byteLength) : 0
  if (frame === 0) return undefined
  const address = cache.addressOf(frame)
  memory.u8.fill(0, address, address + byteLength)
  return new ResidentGroups(memory, cache, frame)
}
