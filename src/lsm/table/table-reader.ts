/**
 * Reads one table file. Opening asks storage for nothing that the manifest tells; the tail is read in one request when it
 * is first needed. After that every answer comes from the cache, or says what must be fetched. A file that fails a check
 * is XX001 (or XX002 for an unknown version) and yields no rows.
 */
import type { KernelExports } from '../../kernel/kernel.ts'
import type { LinearMemory, Pointer } from '../../kernel/linear-memory.ts'
import type { TableLayout } from '../layout.ts'
import type { RangeCover } from '../keys/range-cover.ts'
import type { Fetch, ReadStats } from './fetch.ts'
import { slotOf } from './format.ts'
import { chunkBytes } from './read/chunk-loader.ts'
import { notePartRead, quickenAskedOften } from './read/expand-chunk.ts'
import { RowFinder } from './read/find-row.ts'
import type { KeptRows } from './read/kept-rows.ts'
import type { KeptTotals } from './read/kept-totals.ts'
import { OpenFile } from './read/open-file.ts'
import { pin, pinCached } from './read/pinned-chunks.ts'
import { rangeTombstonesOf, refAt, searchFirstKeys, textExtremesAt, zoneMapAt } from './read/tail-view.ts'
import type { Tail } from './read/tail-view.ts'
import { checkLengths } from './read/tail.ts'
import { noteWalkGroup, walkRecord } from './read/resident/walk-groups.ts'
import { tableFileName } from './table-file-name.ts'
import type { ChunkName, FoundRow, OpenTableOptions, PinnedChunks, RangeTombstone, TableMeta, TableReader } from './table.ts'

export async function openTable(options: OpenTableOptions): Promise<TableReader> {
  const { storage, meta, shard } = options
  const name = tableFileName(shard, meta.fileNumber)
  const object = await storage.open(name, meta.byteLength)
  try {
    checkLengths(name, meta, options.tail === 'whenNeeded' ? meta.byteLength : object.byteLength)
  } catch (error) {
    await object.close()
    throw error
  }
  const isNear = object.readSync !== undefined
  const file = new OpenFile({ ...options, name, object, keepsTail: options.tail === 'now' || (isNear && options.tail !== 'whileHeld') })
  try {
    if (options.tail === 'now' || (isNear && options.tail === undefined)) await file.loader.read()
    return new FileReader(file, meta)
  } catch (error) {
    await file.close()
    throw error
  }
}

/** A class, as row handles are: point reads ask all files whose keys may have theirs. */
class FileReader implements TableReader {
  readonly meta: TableMeta
  readonly isFar: boolean
  readonly windowBytesMax: number
  private readonly file: OpenFile
  private readonly memory: LinearMemory
  private readonly exports: KernelExports
  private readonly finder: RowFinder

  constructor(file: OpenFile, meta: TableMeta) {
    this.meta = meta
    this.file = file
    this.isFar = file.object.readSync === undefined
    this.windowBytesMax = Math.floor(file.cache.bytesMax / 32)
    this.memory = file.kernel.memory
    this.exports = file.kernel.exports
    this.finder = new RowFinder(file)
  }

  get cover(): RangeCover | undefined {
    return this.file.cover
  }

  get kept(): KeptRows {
    return this.file.kept
  }

  get keptTotals(): KeptTotals {
    return this.file.keptTotals
  }

  get isClosed(): boolean {
    return this.file.closed
  }

  get isAtHand(): boolean {
    return !this.file.closed && this.file.loader.isInMemory
  }

  get record(): Pointer {
    return this.file.resident?.address ?? 0
  }

  quicken(): void {
    const { file } = this
    if (file.askedOften >= 0 && this.isAtHand) quickenAskedOften(file, file.askedOften)
  }

  walkRecord(): Pointer {
    return walkRecord(this.file)
  }

  noteWalkGroup(rowGroup: number, columns: readonly number[]): boolean {
    return noteWalkGroup(this.file, rowGroup, columns)
  }

  hold(stats?: ReadStats): Promise<void> | undefined {
    return this.file.loader.hold(stats)
  }

  release(): void {
    this.file.loader.release()
  }

  readAhead(stats?: ReadStats): void {
    // Whoever needs it meets the failure again.
    this.file.loader.read(stats).catch(() => undefined)
  }

  useFilter(stats?: ReadStats): Tail['filter'] | undefined {
    const { loader, closed } = this.file
    if (closed || !loader.readNow(stats)) return undefined
    loader.mark()
    this.file.noteTail()
    return loader.tail.filter
  }

  get layout(): TableLayout {
    return this.file.tail.layout
  }

  get rangeTombstones(): readonly RangeTombstone[] {
    return rangeTombstonesOf(this.memory, this.file.tail)
  }

  get rowCounts(): Pointer {
    const { tail } = this.file
    return tail.footer + tail.sections.rowCounts
  }

  get liveRowCounts(): Pointer {
    const { tail } = this.file
    return tail.footer + tail.sections.liveRowCounts
  }

  rowGroupOf(key: Pointer, keyBytes: number): number {
    const { footer, sections: { firstKeys, firstKeyRefs, data }, shape, sharedKeyBytes } = this.file.tail
    return this.exports.zoneMapRowGroupOf(footer + firstKeys, footer + firstKeyRefs, footer + data, shape.rowGroupCount, sharedKeyBytes, key, keyBytes)
  }

  rowGroupsIn(lower: Uint8Array | undefined, upper: Uint8Array | undefined): { readonly from: number; readonly to: number } {
    return rowGroupsIn(this.memory, this.file.tail, lower, upper)
  }

  rowGroupRows(rowGroup: number): number {
    return this.memory.u32[(this.rowCounts >>> 2) + rowGroup]!
  }

  firstKey(rowGroup: number): { readonly address: Pointer; readonly byteLength: number } {
    const { tail } = this.file
    return refAt(this.memory, tail, tail.sections.firstKeyRefs, rowGroup)
  }

  find(rowGroup: number, key: Pointer, keyBytes: number, hash: Pointer, stats?: ReadStats): FoundRow | Fetch | 'absent' {
    return this.finder.find(rowGroup, key, keyBytes, hash, stats)
  }

  fetchRowGroups(rowGroups: readonly number[], stats?: ReadStats): Promise<void> {
    return this.finder.fetch(rowGroups, stats)
  }

  chunk(rowGroup: number, column: ChunkName): Pointer | undefined {
    const { file } = this
    const { slots } = file.tail
    const slot = slotOf(slots, column)
    if (slot === undefined) return 0
    const index = rowGroup * slots.count + slot
    if (file.cached.frames[index] !== 0) return file.cache.lookup(file.cached, index)
    return file.loader.isInMemory && chunkBytes(file, index) === 0 ? 0 : undefined
  }

  rowChunk(rowGroup: number, ordinal: number): Pointer | undefined {
    const { cache, sparse, tail: { slots } } = this.file
    const whole = this.chunk(rowGroup, ordinal), slot = slots.ofColumn[ordinal]
    if (whole !== undefined || sparse === undefined || slot === undefined) return whole
    const index = rowGroup * slots.count + slot
    return sparse.frames[index] === 0 ? undefined : cache.lookup(sparse, index)
  }

  notePartRead(rowGroup: number, column: ChunkName): void {
    const { slots } = this.file.tail
    const slot = slotOf(slots, column)
    if (slot !== undefined) notePartRead(this.file, rowGroup * slots.count + slot)
  }

  pin(from: number, to: number, columns: readonly ChunkName[], stats?: ReadStats): Promise<PinnedChunks> {
    return pin(this.file, from, to, columns, stats)
  }

  pinCached(from: number, to: number, columns: readonly ChunkName[]): PinnedChunks | undefined {
    return pinCached(this.file, from, to, columns)
  }

  zoneMap(ordinal: number): Pointer {
    const { tail } = this.file
    return ordinal < tail.layout.columns.length ? zoneMapAt(tail, ordinal) : 0
  }

  textExtremes(rowGroup: number, ordinal: number): { readonly min: Uint8Array; readonly max: Uint8Array } | undefined {
    return textExtremesAt(this.memory, this.file.tail, rowGroup, ordinal)
  }

  close(): Promise<void> {
    return this.file.close()
  }
}

function rowGroupsIn(memory: LinearMemory, tail: Tail, lower: Uint8Array | undefined, upper: Uint8Array | undefined): { readonly from: number; readonly to: number } {
  const from = lower === undefined ? 0 : Math.max(0, searchFirstKeys(memory, tail, lower, 0, lower.length))
  if (upper === undefined) return { from, to: tail.shape.rowGroupCount }
  const last = searchFirstKeys(memory, tail, upper, 0, upper.length)
  // A row group that begins exactly at the bound, which is exclusive, has nothing below it.
  const beginsAtBound = last >= 0 && keyEquals(memory.u8, refAt(memory, tail, tail.sections.firstKeyRefs, last), upper)
  return { from, to: Math.max(from, beginsAtBound ? last : last + 1) }
}

const keyEquals = (u8: Uint8Array, { address, byteLength }: { readonly address: Pointer; readonly byteLength: number }, key: Uint8Array): boolean =>
  Buffer.compare(u8.subarray(address, address + byteLength), key) === 0
