/**
 * Reads one table file. Opening is one request, for the tail; after that every answer comes from the cache, or says
 * what must be fetched. A file that fails a check is XX001 (or XX002 for an unknown version) and yields no rows.
 */
import { invariant } from '../../errors.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { chunkBytes, chunkName, pinChunks, pinChunksCached, unpinAll } from './read/chunk-loader.ts'
import type { Frame } from './chunk-cache.ts'
import type { OpenFile } from './read/chunk-loader.ts'
import { createRowFinder } from './read/find-row.ts'
import { slotOf } from './format.ts'
import { tableFileName } from './table-file-name.ts'
import { bytesAt, refAt, searchFirstKeys, textExtremesAt, zoneMapAt } from './read/tail-view.ts'
import { checkLengths, readTail } from './read/tail.ts'
import type { ChunkName, OpenTableOptions, PinnedChunks, TableReader } from './table.ts'
import type { ReadStats } from './fetch.ts'

export async function openTable(options: OpenTableOptions): Promise<TableReader> {
  const { storage, kernel, cache, meta, shard } = options
  const name = tableFileName(shard, meta.fileNumber)
  const object = await storage.open(name, meta.byteLength)
  let address: Pointer = 0
  try {
    checkLengths(name, meta, object.byteLength)
    address = cache.allocateFixed(meta.tailBytes)
    await object.read(kernel.memory.u8.subarray(address, address + meta.tailBytes), meta.byteLength - meta.tailBytes)
    const tail = readTail(kernel, name, meta, address)
    const cached = cache.addFile(meta.rowGroupCount * tail.slots.count)
    return createReader(options, { kernel, cache, cached, tail, object, running: new Set(), closed: false }, address)
  } catch (error) {
    if (address !== 0) cache.freeFixed(address, meta.tailBytes)
    await object.close()
    throw error
  }
}

function createReader({ meta }: OpenTableOptions, file: OpenFile, tailAddress: Pointer): TableReader {
  const { kernel, cache, tail } = file
  const { memory } = kernel
  const { footer, sections, slots, layout } = tail
  const rowCounts = footer + sections.rowCounts
  const finder = createRowFinder(file)
  return {
    meta,
    layout,
    rangeTombstones: rangeTombstonesOf(file),
    filter: tail.filter,
    rowCounts,
    liveRowCounts: footer + sections.liveRowCounts,
    rowGroupOf: (key, keyBytes) => searchFirstKeys(memory, tail, memory.u8, key, keyBytes),
    rowGroupsIn: (lower, upper) => rowGroupsIn(file, lower, upper),
    rowGroupRows: (rowGroup) => memory.u32[(rowCounts >>> 2) + rowGroup]!,
    firstKey: (rowGroup) => refAt(memory, tail, sections.firstKeyRefs, rowGroup),
    find: (rowGroup, key, keyBytes, _columns, stats) => finder.find(rowGroup, key, keyBytes, stats),
    chunk(rowGroup, column) {
      const slot = slotOf(slots, column)
      if (slot === undefined) return 0
      const index = rowGroup * slots.count + slot
      if (file.cached.frames[index] !== 0) return cache.lookup(file.cached, index)
      return chunkBytes(file, index) === 0 ? 0 : undefined
    },
    pin: (from, to, columns, stats) => pin(file, from, to, columns, stats),
    pinCached: (from, to, columns) => pinCached(file, from, to, columns),
    zoneMap: (ordinal) => (ordinal < layout.columns.length ? zoneMapAt(tail, ordinal) : 0),
    textExtremes: (rowGroup, ordinal) => textExtremesAt(memory, tail, rowGroup, ordinal),
    async close() {
      if (file.closed) return
      file.closed = true
      await Promise.all(file.running)
      cache.removeFile(file.cached)
      cache.freeFixed(tailAddress, meta.tailBytes)
      await file.object.close()
    },
  }
}

function rangeTombstonesOf({ kernel: { memory }, tail }: OpenFile): TableReader['rangeTombstones'] {
  const copy = (index: number): Uint8Array => bytesAt(memory, tail, tail.sections.rangeTombstones, index)
  return Array.from({ length: tail.shape.rangeTombstoneCount }, (_, i) => ({ start: copy(i * 2), end: copy(i * 2 + 1) }))
}

function rowGroupsIn({ kernel: { memory }, tail }: OpenFile, lower: Uint8Array | undefined, upper: Uint8Array | undefined): { readonly from: number; readonly to: number } {
  const from = lower === undefined ? 0 : Math.max(0, searchFirstKeys(memory, tail, lower, 0, lower.length))
  if (upper === undefined) return { from, to: tail.shape.rowGroupCount }
  const last = searchFirstKeys(memory, tail, upper, 0, upper.length)
  // A row group that begins exactly at the bound, which is exclusive, has nothing below it.
  const beginsAtBound = last >= 0 && keyEquals(memory.u8, refAt(memory, tail, tail.sections.firstKeyRefs, last), upper)
  return { from, to: Math.max(from, beginsAtBound ? last : last + 1) }
}

const keyEquals = (u8: Uint8Array, { address, byteLength }: { readonly address: Pointer; readonly byteLength: number }, key: Uint8Array): boolean =>
  Buffer.compare(u8.subarray(address, address + byteLength), key) === 0

async function pin(file: OpenFile, from: number, to: number, columns: readonly ChunkName[], stats?: ReadStats): Promise<PinnedChunks> {
  return pinnedChunks(file, await pinChunks(file, chunkIndexes(file, from, to, columns), stats))
}

function pinCached(file: OpenFile, from: number, to: number, columns: readonly ChunkName[]): PinnedChunks | undefined {
  const frames = pinChunksCached(file, chunkIndexes(file, from, to, columns))
  return frames && pinnedChunks(file, frames)
}

/** Ascending, each once. */
function chunkIndexes({ tail: { slots } }: OpenFile, from: number, to: number, columns: readonly ChunkName[]): readonly number[] {
  const wanted = [...new Set(columns.map((column) => slotOf(slots, column)))].filter((slot) => slot !== undefined).toSorted((a, b) => a - b)
  const indexes: number[] = []
  for (let rowGroup = from; rowGroup < to; rowGroup++) for (const slot of wanted) indexes.push(rowGroup * slots.count + slot)
  return indexes
}

function pinnedChunks(file: OpenFile, pinned: readonly Frame[]): PinnedChunks {
  const { cache, cached, tail: { slots } } = file
  let frames = pinned
  return {
    chunk(rowGroup, column) {
      const slot = slotOf(slots, column)
      if (slot === undefined) return 0
      const index = rowGroup * slots.count + slot
      const address = cache.peek(cached, index)
      // The message takes longer than all else.
      if (address === 0) invariant(chunkBytes(file, index) === 0, `${chunkName(file.tail, index)} was not pinned`)
      return address
    },
    unpin() {
      unpinAll(cache, frames)
      frames = []
    },
  }
}
