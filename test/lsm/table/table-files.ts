/** Table files for tests: written into memory storage and opened over a cache of their own. */
import { openTestKernel } from '../../kernel/both-kinds.ts'
import type { KernelKind } from '../../../src/settings.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import type { Pointer } from '../../../src/kernel/linear-memory.ts'
import type { TableLayout } from '../../../src/lsm/layout.ts'
import { createChunkCache } from '../../../src/lsm/table/chunk-cache.ts'
import type { ChunkCache } from '../../../src/lsm/table/chunk-cache.ts'
import { openTable } from '../../../src/lsm/table/table-reader.ts'
import { createTableWriter } from '../../../src/lsm/table/table-writer.ts'
import type { FoundRow, RangeTombstone, TableMeta, TableReader } from '../../../src/lsm/table/table.ts'
import type { ReadStats } from '../../../src/lsm/tree.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { MemoryDisk } from '../../../src/storage/memory-disk.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { putRows } from './table-rows.ts'
import type { TestRow } from './table-rows.ts'

export const MiB = 1024 * 1024
export const shard = 3

export interface TableFixture {
  readonly kernel: Kernel
  readonly disk: MemoryDisk
  readonly storage: Storage
  readonly cache: ChunkCache
}

/** A fixture over a storage of the caller's; `disk` stays empty. */
export function fixtureOver(storage: Storage, kind: KernelKind = 'wasm'): TableFixture {
  const kernel = openTestKernel(kind)
  return { kernel, disk: new Map(), storage, cache: createChunkCache(kernel.heap, 8 * MiB) }
}

export function createFixture(kind: KernelKind, cacheBytesMax = 8 * MiB, syncReads = true): TableFixture {
  const kernel = openTestKernel(kind)
  const disk: MemoryDisk = new Map()
  return { kernel, disk, storage: createMemoryStorage({ disk, syncReads }), cache: createChunkCache(kernel.heap, cacheBytesMax) }
}

export interface WriteOptions {
  readonly rowGroupBytes?: number
  readonly rowGroupGrowthMax?: number
  readonly filterBitsPerKey?: number
  /** Rows per `append`. */
  readonly batchRows?: number
  readonly fileNumber?: number
  readonly rangeTombstones?: readonly RangeTombstone[]
}

export async function writeTable({ storage, kernel }: TableFixture, layout: TableLayout, rows: readonly TestRow[], options: WriteOptions = {}): Promise<TableMeta> {
  const { rowGroupBytes = 4096, rowGroupGrowthMax = 1, filterBitsPerKey = 12, batchRows = 100, fileNumber = 1, rangeTombstones = [] } = options
  const writer = await createTableWriter({ storage, kernel, layout, fileNumber, shard, settings: { rowGroupBytes, rowGroupGrowthMax, filterBitsPerKey } })
  try {
    for (let first = 0; first < rows.length; first += batchRows) {
      const batch = putRows(kernel, layout, rows.slice(first, first + batchRows))
      await writer.append(batch).finally(batch.free)
    }
    for (const tombstone of rangeTombstones) writer.addRangeTombstone(tombstone)
    return await writer.finish({ min: 10, max: 10 + rows.length })
  } catch (error) {
    await writer.abort()
    throw error
  }
}

export const openFixture = ({ storage, kernel, cache }: TableFixture, meta: TableMeta): Promise<TableReader> => openTable({ storage, kernel, cache, meta, shard, tail: 'now' })

export const zeroStats = (): ReadStats => ({ rowGroupsTotal: 0, rowGroupsPruned: 0, bytesRead: 0, storageRequests: 0 })

/** Copies a key into linear memory for one call. */
export function withKey<T>({ heap, memory, exports }: Kernel, key: Uint8Array, use: (address: Pointer, byteLength: number, hash: Pointer) => T): T {
  const address = heap.allocate(8 + key.length), hash = address, bytes = address + 8
  memory.u8.set(key, bytes)
  exports.bloomHash(bytes, key.length, hash)
  try {
    return use(bytes, key.length, hash)
  } finally {
    heap.free(address)
  }
}

/** A whole point read: the row group, then the row, fetching as often as asked (which must be at most once). */
export async function findRow({ kernel }: TableFixture, reader: TableReader, key: Uint8Array, stats?: ReadStats): Promise<FoundRow | 'absent'> {
  const rowGroup = withKey(kernel, key, (address, byteLength) => reader.rowGroupOf(address, byteLength))
  if (rowGroup < 0) return 'absent'
  for (let attempt = 0; attempt < 2; attempt++) {
    const found = withKey(kernel, key, (address, byteLength, hash) => reader.find(rowGroup, address, byteLength, hash, stats))
    if (found === 'absent' || 'row' in found) return found
    await found.fetch()
  }
  throw new Error('asked to fetch twice')
}
