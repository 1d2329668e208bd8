/**
 * Point reads: memtables newest first, then the files whose key range holds the key, newest first, by one kernel call over the record of
 * the table's runs where all that it needs is in memory, otherwise one after the other, with one bloom call over all of the files. The first run that knows the key decides, by a row, a tombstone or a range tombstone; older runs
 * are not asked. A run that must be read first is returned as a fetch, and the read is then asked again.
 */
import { cellStates, newestOutcomes } from '../../../kernel/column.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import { tableIdBytes } from '../../batch.ts'
import { compareToMemory, keyHeadInMemory } from '../../keys/key-bytes.ts'
import type { RangeCover } from '../../keys/range-cover.ts'
import type { RowLayout } from '../../keys/row-layout.ts'
import type { FilterCounts, PointFetch, PointHints, ReadStats, RowHandle, ValueHints } from '../../tree.ts'
import type { ChunkCache } from '../../table/chunk-cache.ts'
import { placeOf } from '../../table/table.ts'
import type { TableReader } from '../../table/table.ts'
import type { Levels, TableFile } from '../../state/version.ts'
import type { View } from '../../state/view.ts'
import { PointScratch } from './point-scratch.ts'
import { TableRuns } from './table-runs.ts'
import { loadTails } from '../load-tails.ts'

/** Views of tables whose runs are kept: what is read now and then beside the newest, as transactions and snapshots are, is not told anew for each read. */
const runsKept = 4

const { isAbsent, isDeleted, isUnknown, isInMemtable } = newestOutcomes

/** A class, as what it asks are: each shard has one, and reads by key go from shard to shard. */
export class PointReader {
  private readonly scratch: PointScratch
  private readonly cache: Pick<ChunkCache, 'countHit'>
  private last: TableRuns | undefined
  private readonly kept: TableRuns[] = []
  /** When it was freed. */
  private lastCounts: FilterCounts | undefined

  constructor(kernel: Kernel, cache: Pick<ChunkCache, 'countHit'>) {
    this.scratch = new PointScratch(kernel)
    this.cache = cache
  }

  get counts(): FilterCounts {
    if (this.lastCounts !== undefined) return this.lastCounts
    const { counts, kernel: { memory: { f64 } } } = this.scratch
    return { absent: f64[counts >>> 3]!, present: f64[(counts >>> 3) + 1]!, wrong: f64[(counts >>> 3) + 2]! }
  }

  /** See `Tree.get`. */
  get(view: View, sequence: number, tableId: number, key: Pointer, keyBytes: number, stats: ReadStats | undefined, hints: PointHints | undefined): RowHandle | PointFetch | undefined {
    const runs = this.runsOf(view, tableId), { scratch, scratch: { cell, rows } } = this, { shape } = runs
    if (shape === undefined) return undefined
    const hash = hints === undefined ? hashed(scratch, key, keyBytes) : hints.hash, column = hints === undefined ? -1 : hints.column
    const row = newest(scratch, runs, sequence, hash, key, keyBytes, column, cell)
    if (row >= 0) {
      this.cache.countHit()
      return rows.ofTable(shape, fileIn(scratch, runs, cell).reader, placeOf(rowGroupIn(scratch, cell), row), column)
    }
    if (row === isInMemtable) return rows.ofMemtable(shape, wordIn(scratch, cell, 4), keepKey(scratch, key, keyBytes), keyBytes, column)
    if (row !== isUnknown) return undefined
    return this.find(runs, wordIn(scratch, cell, 4), sequence, key, keyBytes, hash, stats)
  }

  /** See `Tree.getValue`. */
  getValue(view: View, sequence: number, tableId: number, key: Pointer, keyBytes: number, { hash, column, cell }: ValueHints): number {
    const runs = this.runsOf(view, tableId), { scratch } = this
    if (runs.shape === undefined) return isAbsent
    const row = newest(scratch, runs, sequence, hash, key, keyBytes, column, cell)
    if (row === isAbsent || row === isDeleted) return isAbsent
    if (row === isUnknown) return cellStates.isUnread
    if (row >= 0) this.cache.countHit()
    return wordIn(scratch, cell, 2)
  }

  /** See `Tree.askNewest`. */
  ask(view: View, sequence: number, tableId: number, asked: Pointer): boolean {
    const { address } = this.runsOf(view, tableId), { f64, u32 } = this.scratch.kernel.memory
    f64[asked >>> 3] = sequence
    u32[(asked >>> 2) + 2] = address
    return address !== 0
  }

  get isFreed(): boolean {
    return this.lastCounts !== undefined
  }

  free(): void {
    this.lastCounts = this.counts
    for (const runs of this.kept) runs.free()
    this.scratch.free()
  }

  /** Valid until the caller's next await, or until those of another view are asked for. Not to be asked for once it is freed. */
  runsOf(view: View, tableId: number): TableRuns {
    const { last } = this
    if (last !== undefined && last.view === view && last.tableId === tableId) return last
    return (this.last = this.kept.find((runs) => runs.view === view && runs.tableId === tableId) ?? this.keep(view, tableId))
  }

  private keep(view: View, tableId: number): TableRuns {
    const { kept, scratch: { kernel, counts } } = this
    if (kept.length === runsKept) kept.shift()!.free()
    const runs = new TableRuns(kernel, view, tableId, counts)
    kept.push(runs)
    return runs
  }

  /** One after the other, where that cannot be told in one step; what was missing in file `unknown` for it is noted. */
  private find(runs: TableRuns, unknown: number, sequence: number, key: Pointer, keyBytes: number, hash: Pointer, stats: ReadStats | undefined): RowHandle | PointFetch | undefined {
    const { scratch } = this, { view, tableId } = runs, shape = runs.shape!
    const inMemory = findInMemtables(scratch, view, sequence, shape, key, keyBytes)
    if (inMemory !== 'unknown') return inMemory
    const levels = view.version.tables.get(tableId)
    const found = levels === undefined ? undefined : findInFiles(scratch, levels, shape, key, keyBytes, hash, stats)
    if (unknown < runs.files.length) runs.noteFile(unknown)
    return found
  }
}

/** As `columnGetNewest` has it. */
function newest({ kernel: { exports } }: PointScratch, { address }: TableRuns, sequence: number, hash: Pointer, key: Pointer, keyBytes: number, column: number, out: Pointer): number {
  return address === 0 ? isUnknown : exports.columnGetNewest(address, sequence, hash, key, keyBytes, column, out)
}

const wordIn = ({ kernel: { memory: { u32 } } }: PointScratch, cell: Pointer, word: number): number => u32[(cell >>> 2) + word]!
const rowGroupIn = (scratch: PointScratch, cell: Pointer): number => wordIn(scratch, cell, 3)
const fileIn = (scratch: PointScratch, { files }: TableRuns, cell: Pointer): TableFile => files[wordIn(scratch, cell, 4)]!

function hashed({ kernel: { exports }, hash }: PointScratch, key: Pointer, keyBytes: number): Pointer {
  exports.bloomHash(key, keyBytes, hash)
  return hash
}

function findInMemtables(scratch: PointScratch, view: View, sequence: number, shape: RowLayout, key: Pointer, keyBytes: number): RowHandle | undefined | 'unknown' {
  const { kernel: { memory: { u32 } }, cell } = scratch, found = newestInMemtables(scratch, view, sequence, shape.layout.tableId, key, keyBytes, cell)
  if (found === isPut) return scratch.rows.ofMemtable(shape, u32[cell >>> 2]!, scratch.memtableKey(tableIdBytes + keyBytes) + tableIdBytes, keyBytes, -1)
  return found === isTombstone ? undefined : 'unknown'
}

/** As `skiplistGet` tells it. */
const isPut = 1, isTombstone = 2

/** What the newest memtable that knows the key tells of it: `isPut`, with its row in `cell`, `isTombstone`, or 0 where none does. The key is in `memtableKey` then. */
function newestInMemtables(scratch: PointScratch, view: View, sequence: number, tableId: number, key: Pointer, keyBytes: number, cell: Pointer): number {
  const { exports } = scratch.kernel
  let prefixed = 0
  for (let i = 0; i < view.memtables.length; i++) {
    const memtable = view.memtables[i]!
    if (memtable.isEmpty) continue
    if (prefixed === 0) prefixed = writeTableKey(scratch, tableId, key, keyBytes)
    const outcome = exports.skiplistGet(memtable.handle, prefixed, tableIdBytes + keyBytes, memtable.bound(sequence), cell)
    if (outcome !== 0) return outcome
  }
  return 0
}

function writeTableKey(scratch: PointScratch, tableId: number, key: Pointer, keyBytes: number): Pointer {
  const prefixed = keepKey(scratch, key, keyBytes) - tableIdBytes
  scratch.kernel.memory.view.setUint32(prefixed, tableId)
  return prefixed
}

/** A copy of a key, of which a row's columns are read when whoever wrote it may write the next; before it there is room for a table's id. */
function keepKey({ kernel: { memory: { u8 } }, memtableKey }: PointScratch, key: Pointer, keyBytes: number): Pointer {
  const copy = memtableKey(tableIdBytes + keyBytes) + tableIdBytes
  if (keyBytes <= 32) for (let i = 0; i < keyBytes; i++) u8[copy + i] = u8[key + i]!
  else u8.copyWithin(copy, key, key + keyBytes)
  return copy
}

function findInFiles(scratch: PointScratch, levels: Levels, shape: RowLayout, key: Pointer, keyBytes: number, hash: Pointer, stats: ReadStats | undefined): RowHandle | PointFetch | undefined {
  const { kernel: { memory }, candidates } = scratch
  const count = candidateFiles(memory, levels, key, keyBytes, candidates)
  if (count === 0) return undefined
  const answers = probeFilters(scratch, hash, count)
  if (answers === 0) return tailsOf(candidates.slice(0, count), stats)
  for (let i = 0; i < count; i++) {
    const { reader } = candidates[i]!
    if (memory.u8[answers + i] === 1) {
      const found = findInFile(scratch, reader, reader.rowGroupOf(key, keyBytes), shape, key, keyBytes, hash, stats)
      if (found !== 'absent') return found
      addTo(scratch, wrong)
    } else addTo(scratch, missing)
    const cover = reader.cover!
    if (cover.length > 0 && coversInMemory(memory, cover, key, keyBytes)) return undefined
  }
  return undefined
}

function findInFile(scratch: PointScratch, reader: TableReader, rowGroup: number, shape: RowLayout, key: Pointer, keyBytes: number, hash: Pointer, stats: ReadStats | undefined): RowHandle | PointFetch | undefined | 'absent' {
  const found = rowGroup < 0 ? 'absent' : reader.find(rowGroup, key, keyBytes, hash, stats)
  if (found === 'absent') return found
  if ('fetch' in found) return { ...found, files: [reader], rowGroup }
  addTo(scratch, present)
  return found.tombstone ? undefined : scratch.rows.ofTable(shape, reader, placeOf(rowGroup, found.row), -1)
}

/** Which of the counts, in the order in which `columnGetNewest` has them. */
const missing = 0, present = 1, wrong = 2

function addTo({ counts, kernel: { memory: { f64 } } }: PointScratch, which: number): void {
  f64[(counts >>> 3) + which]! += 1
}

/** All tails at once: one of them alone would seldom do, and waiting for one after the other costs more than a request. */
function tailsOf(candidates: readonly TableFile[], stats: ReadStats | undefined): PointFetch {
  const files = candidates.map(({ reader }) => reader)
  return { fetch: () => loadTails(files, stats), fetchSync: undefined, files, rowGroup: undefined }
}

/** Puts files whose key range holds the key, newest first, at the beginning of `candidates`; gives how many. */
function candidateFiles(memory: LinearMemory, levels: Levels, key: Pointer, keyBytes: number, candidates: TableFile[]): number {
  let count = 0
  const head = keyHeadInMemory(memory, key, keyBytes)
  for (let level = 0; level < levels.length; level++) {
    const files = levels[level]!
    const first = level === 0 ? 0 : firstNotBefore(memory, files, head, key, keyBytes)
    for (let i = first; i < files.length; i++) {
      const file = files[i]!
      if (isBelow(memory, file, head, key, keyBytes)) {
        if (level === 0) continue
        break
      }
      if (level > 0 || !isAbove(memory, file, head, key, keyBytes)) candidates[count++] = file
    }
  }
  return count
}

/** Whether the key is below a file's smallest. */
function isBelow(memory: LinearMemory, { minHead, meta }: TableFile, head: number, key: Pointer, keyBytes: number): boolean {
  return head === minHead ? compareToMemory(memory, key, keyBytes, meta.minKey) < 0 : head < minHead
}

/** Whether the key is above a file's largest. */
function isAbove(memory: LinearMemory, { maxHead, meta }: TableFile, head: number, key: Pointer, keyBytes: number): boolean {
  return head === maxHead ? compareToMemory(memory, key, keyBytes, meta.maxKey) > 0 : head > maxHead
}

/** The first file of a sorted level whose largest key is not below the key. */
function firstNotBefore(memory: LinearMemory, files: readonly TableFile[], head: number, key: Pointer, keyBytes: number): number {
  let low = 0, high = files.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isAbove(memory, files[middle]!, head, key, keyBytes)) low = middle + 1
    else high = middle
  }
  return low
}

/** Asks all filters in one call; returns the address of one answer byte a candidate, or 0 when not all of them are in memory. */
function probeFilters({ kernel: { memory: { u32 }, exports }, candidates, filters: room }: PointScratch, hash: Pointer, count: number): Pointer {
  const filters = room(count)
  const answers = filters + 8 * count
  for (let i = 0; i < count; i++) {
    const filter = candidates[i]!.reader.useFilter()
    if (filter === undefined) return 0
    u32[(filters >>> 2) + 2 * i] = filter.address
    u32[(filters >>> 2) + 2 * i + 1] = filter.byteLength
  }
  exports.bloomProbe(hash, filters, count, answers)
  return answers
}

function coversInMemory(memory: LinearMemory, cover: RangeCover, key: Pointer, keyBytes: number): boolean {
  let low = 0, high = cover.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const { end } = cover[middle]!
    if (end === undefined || compareToMemory(memory, key, keyBytes, end) < 0) high = middle
    else low = middle + 1
  }
  return low < cover.length && compareToMemory(memory, key, keyBytes, cover[low]!.start) >= 0
}
