/**
 * Point reads in one row group: when all its chunks are cached, a look into the index of its keys, or a binary search in
 * them; otherwise what must be fetched. That is the whole row group in one request, its chunks being neighbours; where
 * storage reads synchronously, of large texts only what the row needs (sparse-chunks.ts). The tail must be in memory.
 */
import { corruption } from '../../../errors.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import type { ObjectReader } from '../../../storage/storage.ts'
import type { Fetch, ReadStats } from '../fetch.ts'
import type { Frame } from '../chunk-cache.ts'
import { chunkBytes, chunkName, pinChunks, unpinAll } from './chunk-loader.ts'
import type { OpenFile } from './open-file.ts'
import { keySlot, tombstoneSlot } from '../format.ts'
import { noteSearch, quickenAskedOften } from './expand-chunk.ts'
import { hasParts, pinRowGroupSync, readParts } from './sparse-chunks.ts'
import type { FoundRow } from '../table.ts'

type ReadSync = NonNullable<ObjectReader['readSync']>

/** Bytes of work area that a search needs beside the chunk's own scratch: one value. */
const workBytes = 16

/** Point reads over one file. Row groups that are being fetched are fetched once, whoever asks. A class, as its reader is. */
export class RowFinder {
  private readonly file: OpenFile
  private readonly fetching = new Map<number, Promise<void>>()
  private chunkCounts: Uint16Array | undefined

  constructor(file: OpenFile) {
    this.file = file
  }

  find(rowGroup: number, key: Pointer, keyBytes: number, hash: Pointer, stats: ReadStats | undefined): FoundRow | Fetch | 'absent' {
    const { file } = this
    const first = rowGroup * file.tail.slots.count
    if (file.resident?.isSearchedOften(rowGroup) === true) file.askedOften = first + keySlot
    if (file.askedOften >= 0) quickenAskedOften(file, file.askedOften)
    const work = workArea(file, first)
    // Making room for the search, or for a chunk's expanded form, may have evicted the tail itself.
    const sparseCount = work === 0 || !file.loader.isInMemory ? -1 : this.sparseCount(rowGroup, first)
    if (sparseCount < 0) return this.fetchOf(rowGroup, stats, (readSync) => pinRowGroupSync(file, rowGroup, readSync, stats))
    if (sparseCount === 0) notePlaces(file, rowGroup)
    const row = rowOf(file, first + keySlot, key, keyBytes, hash, work)
    if (row === -1) return 'absent'
    if (row < 0) throw unreadable(file, first + keySlot, 'a key in every row')
    if (sparseCount > 0 && !hasParts(file, rowGroup, row, work)) return this.fetchOf(rowGroup, stats, (readSync) => readParts(file, rowGroup, row, readSync, stats))
    return { rowGroup, row, tombstone: isTombstone(file, first + tombstoneSlot, row, work) }
  }

  fetch(rowGroups: readonly number[], stats: ReadStats | undefined): Promise<void> {
    return fetchShared(this.file, rowGroups, this.fetching, stats)
  }

  /** How many chunks of a row group are sparse; -1: some are not in memory at all. */
  private sparseCount(rowGroup: number, first: number): number {
    const { cache, cached, sparse, tail } = this.file
    const end = first + tail.slots.count, others = (this.chunkCounts ??= chunkCountsOf(this.file))[rowGroup]! - cache.touchAll(cached, first, end)
    if (others === 0) return 0
    return sparse !== undefined && cache.touchAll(sparse, first, end) === others ? others : -1
  }

  /** Whoever waits gets the whole row group. `bring`: how to get what is needed on this thread, what it pins being the answer. */
  private fetchOf(rowGroup: number, stats: ReadStats | undefined, bring: (readSync: ReadSync) => readonly Frame[] | void): Fetch {
    const { file } = this, { object } = file, { readSync } = object
    return {
      fetch: () => fetchShared(file, [rowGroup], this.fetching, stats),
      fetchSync: readSync === undefined ? undefined : () => keepForAsker(file, bring((into, at) => readSync.call(object, into, at)) ?? []),
    }
  }
}

/** Notes, for reads that follow, where a row group all of whose chunks were marked just now is. */
function notePlaces({ resident, cached, tail }: OpenFile, rowGroup: number): void {
  resident?.note(tail, cached, rowGroup)
}

/** As `columnFindKey` tells it. */
function rowOf(file: OpenFile, index: number, key: Pointer, keyBytes: number, hash: Pointer, work: Pointer): number {
  const { cache, cached, kernel: { exports } } = file
  const keys = cache.peek(cached, index), keyIndex = cache.keyIndex(cached, index)
  if (keyIndex !== 0) return exports.columnFindIndexed(keys, keyIndex, hash, key, keyBytes, work)
  noteSearch(file, index)
  return exports.columnFindKey(keys, key, keyBytes, work, work + workBytes)
}

/** Room for the search, which must be had before chunks are looked up, since it may evict some; 0 when the keys are not cached. */
function workArea(file: OpenFile, first: number): Pointer {
  const { cache, cached, kernel } = file
  const keys = cache.peek(cached, first + keySlot)
  return keys === 0 ? 0 : cache.scratch(workBytes + kernel.exports.columnDecodeScratchBytes(keys))
}

/** How many chunks each row group has. Every point read asks, and the directory that tells is spread over memory. */
const chunkCountsOf = (file: OpenFile): Uint16Array =>
  Uint16Array.from({ length: file.tail.shape.rowGroupCount }, (_, rowGroup) => chunksOf(file, [rowGroup]).filter((index) => chunkBytes(file, index) !== 0).length)

function isTombstone(file: OpenFile, index: number, row: number, work: Pointer): boolean {
  const { kernel, cache, cached } = file
  const chunk = cache.peek(cached, index)
  if (chunk === 0) return false
  if (kernel.exports.columnGetI64(chunk, row, work) !== 1) throw unreadable(file, index, `a value in row ${row}`)
  return kernel.memory.u32[work >>> 2] !== 0
}

const unreadable = (file: OpenFile, index: number, expected: string): Error =>
  corruption('column chunk', { file: file.tail.file, block: chunkName(file.tail, index), expected, actual: 'none' })

function chunksOf(file: OpenFile, rowGroups: readonly number[]): readonly number[] {
  const { count } = file.tail.slots
  return rowGroups.flatMap((rowGroup) => Array.from({ length: count }, (_, slot) => rowGroup * count + slot))
}

/** Those that are on their way already are waited for. */
async function fetchShared(file: OpenFile, rowGroups: readonly number[], fetching: Map<number, Promise<void>>, stats: ReadStats | undefined): Promise<void> {
  const own = rowGroups.filter((rowGroup) => !fetching.has(rowGroup))
  // Their failure may concern who began them alone; asking again tells.
  const waited = rowGroups.flatMap((rowGroup) => fetching.get(rowGroup) ?? []).map((running) => running.catch(() => undefined))
  if (own.length > 0) {
    const started = fetchAsync(file, own, stats).finally(() => { for (const rowGroup of own) fetching.delete(rowGroup) })
    for (const rowGroup of own) fetching.set(rowGroup, started)
    waited.push(started)
  }
  await Promise.all(waited)
}

async function fetchAsync(file: OpenFile, rowGroups: readonly number[], stats: ReadStats | undefined): Promise<void> {
  try {
    const waiting = file.loader.hold(stats)
    if (waiting !== undefined) await waiting
    try {
      keepForAsker(file, await pinChunks(file, chunksOf(file, rowGroups), stats))
    } finally {
      file.loader.release()
    }
  } catch (error) {
    // Who asked without a snapshot finds the files that took this one's place when asking again.
    if (!file.closed) throw error
  }
}

/** Unpins what was fetched, marked as used: other loads must not evict it before whoever asked for it has asked again. */
function keepForAsker({ cache, loader }: OpenFile, frames: readonly Frame[]): void {
  for (const frame of frames) cache.mark(frame)
  loader.mark()
  unpinAll(cache, frames)
}
