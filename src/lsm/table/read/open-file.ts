/** One open table file, as the parts of its reader see it. What follows from its tail may be asked for while that is in memory. */
import type { Kernel } from '../../../kernel/kernel.ts'
import type { ObjectReader } from '../../../storage/storage.ts'
import { coverOf, emptyCover } from '../../keys/range-cover.ts'
import type { RangeCover } from '../../keys/range-cover.ts'
import type { CachedFile, ChunkCache } from '../chunk-cache.ts'
import type { ChunkSlots } from '../format.ts'
import type { ChunkName, TableMeta } from '../table.ts'
import { KeptRows } from './kept-rows.ts'
import { KeptTotals } from './kept-totals.ts'
import { makeResident } from './resident/resident-groups.ts'
import type { ResidentGroups } from './resident/resident-groups.ts'
import { rangeTombstonesOf } from './tail-view.ts'
import type { Tail } from './tail-view.ts'
import { TailLoader } from './tail-loader.ts'

export interface OpenFileOptions {
  readonly kernel: Kernel
  readonly cache: ChunkCache
  readonly meta: TableMeta
  readonly name: string
  readonly object: ObjectReader
  /** Its tail stays, once it was read. */
  readonly keepsTail: boolean
}

export class OpenFile {
  readonly kernel: Kernel
  readonly cache: ChunkCache
  readonly object: ObjectReader
  readonly loader: TailLoader
  /** Reads under way; `close` waits for them. */
  readonly running = new Set<Promise<unknown>>()
  closed = false
  /** Index of a chunk that is to be expanded if that pays (src/lsm/table/read/expand-chunk.ts); -1: none. */
  askedOften = -1
  /** Made when it is first asked for a key, where there is room, or walked over. */
  resident: ResidentGroups | undefined
  /** Which slots lists of columns that were pinned are in. */
  slotLists: readonly { readonly of: ChunkSlots; readonly columns: readonly ChunkName[]; readonly wanted: readonly number[] }[] = []
  /** What its range tombstones delete; undefined until the tail was read once, where there are any. */
  cover: RangeCover | undefined
  private readonly meta: TableMeta
  private readonly keepsTail: boolean
  /** Chunks of which only parts are in memory (src/lsm/table/read/sparse-chunks.ts), none of which is among `cached`; undefined: there were none yet. */
  sparse: CachedFile | undefined
  private chunks: CachedFile | undefined
  private rows: KeptRows | undefined
  private totals: KeptTotals | undefined

  constructor({ kernel, cache, meta, name, object, keepsTail }: OpenFileOptions) {
    this.kernel = kernel
    this.cache = cache
    this.object = object
    this.meta = meta
    this.keepsTail = keepsTail
    this.cover = meta.rangeTombstoneCount === 0 ? emptyCover : undefined
    this.loader = new TailLoader({ kernel, cache, meta, object, stays: keepsTail, file: name, running: this.running, onRead: (tail) => this.noteCover(tail), onMoved: () => this.resident?.forgetTail() })
  }

  get tail(): Tail {
    return this.loader.tail
  }

  get cached(): CachedFile {
    return (this.chunks ??= this.cache.addFile(this.meta.rowGroupCount * this.tail.slots.count, (index) => this.resident?.forgetChunk(index)))
  }

  get kept(): KeptRows {
    return (this.rows ??= new KeptRows(this.kernel.memory, this.cache, this.meta.rowGroupCount))
  }

  get keptTotals(): KeptTotals {
    return (this.totals ??= new KeptTotals(this.kernel.memory, this.cache, this.meta.rowGroupCount, this.tail.layout.columns.length))
  }

  /** Notes, for reads that follow, where the tail is, which was marked. */
  noteTail(): void {
    if (this.resident === undefined && this.keepsTail) this.makeResident()
    this.resident?.noteTail(this.tail)
  }

  makeResident(mayEvict = false): void {
    this.resident ??= makeResident(this.kernel.memory, this.cache, this.tail, mayEvict)
  }

  /** Intervals of keys, which stay when the tail goes. */
  private noteCover(tail: Tail): void {
    this.cover ??= coverOf(rangeTombstonesOf(this.kernel.memory, tail))
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    await Promise.all(this.running)
    this.loader.close()
    for (const chunks of [this.chunks, this.sparse]) if (chunks !== undefined) this.cache.removeFile(chunks)
    this.resident?.free()
    this.resident = undefined
    this.rows?.free()
    this.totals?.free()
    await this.object.close()
  }
}
