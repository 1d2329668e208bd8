/** What walks are told of a file's row groups (resident-groups.ts): of keys, tombstones and the columns that they read, whatever else is cached. */
import type { Pointer } from '../../../../kernel/linear-memory.ts'
import { keySlot, tombstoneSlot } from '../../format.ts'
import { chunkBytes } from '../chunk-loader.ts'
import type { OpenFile } from '../open-file.ts'

/** The record, with the tail noted; 0 where that is not in memory, or there is no room. The first time it may evict others. */
export function walkRecord(file: OpenFile): Pointer {
  if (file.closed || !file.loader.isInMemory) return 0
  if (file.resident === undefined) {
    file.makeResident(true)
    if (!file.loader.isInMemory) return 0
  }
  file.loader.mark()
  file.noteTail()
  return file.resident?.address ?? 0
}

/** Tells of a row group, which marks what is read; false where some of it is not cached, or the file does not have it. */
export function noteWalkGroup(file: OpenFile, rowGroup: number, columns: readonly number[]): boolean {
  if (file.resident === undefined || !file.loader.isInMemory) return false
  const { cache, cached, tail, tail: { slots }, resident } = file, first = rowGroup * slots.count
  const isCached = (slot: number): boolean => cache.lookup(cached, first + slot) !== 0
  if (!isCached(keySlot) || (chunkBytes(file, first + tombstoneSlot) !== 0 && !isCached(tombstoneSlot))) return false
  for (const ordinal of columns) {
    const slot = slots.ofColumn[ordinal]
    if (slot === undefined || !isCached(slot)) return false
  }
  resident.noteSome(tail, cached, rowGroup)
  return true
}
