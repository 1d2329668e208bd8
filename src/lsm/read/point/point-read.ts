/**
 * Point reads: memtables newest first, then the files whose key range holds the key, newest first, with one bloom call
 * over all of them (where there is one, and an index of the keys it would be in, that tells as much). The first run that knows the key decides, by a row, a tombstone or a range tombstone; older runs
 * are not asked. A run that must be read first is returned as a fetch, and the read is then asked again.
 */
import { cellStates } from '../../../kernel/column.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import { tableIdBytes } from '../../batch.ts'
import { compareToMemory, keyHeadInMemory } from '../../keys/key-bytes.ts'
import type { RangeCover } from '../../keys/range-cover.ts'
import type { RowLayout } from '../../keys/row-layout.ts'
import type { FilterCounts, PointFetch, PointHints, ReadStats, RowHandle, ValueHints } from '../../tree.ts'
import { noPlace, placeOf } from '../../table/table.ts'
import type { TableReader } from '../../table/table.ts'
import type { Levels, TableFile } from '../../state/version.ts'
import type { View } from '../../state/view.ts'
import { createRowHandles } from './row-handle.ts'
import type { RowHandles, RowScratch } from './row-handle.ts'
import { loadTails } from '../load-tails.ts'

/** Scratch in linear memory: one cell and what becomes of it, one hash, a key with its table id, filter records and their answers, text. */
interface Scratch extends RowScratch {
  readonly hash: Pointer
  readonly rows: RowHandles
  /** Files that may have the key of the read under way, from the first on: whoever reads by key reads again, and should leave no garbage. */
  readonly candidates: TableFile[]
  readonly counts: FilterCounts
  memtableKey(byteLength: number): Pointer
  /** Room for `count` filter records of 8 bytes, then `count` answer bytes. */
  filters(count: number): Pointer
  free(): void
}

/** What a view has of a table; reads of one mostly follow each other. */
interface TableInView {
  readonly view: View
  readonly tableId: number
  readonly shape: RowLayout | undefined
  readonly levels: Levels | undefined
  /** The only file of the table. */
  readonly only: TableFile | undefined
}

function tableInView(view: View, tableId: number): TableInView {
  const levels = view.version.tables.get(tableId), files = levels?.flat() ?? []
  return { view, tableId, shape: view.shapes.get(tableId), levels, only: files.length === 1 ? files[0] : undefined }
}

/** A class, as what it asks are: each shard has one, and reads by key go from shard to shard. */
export class PointReader {
  private readonly scratch: Scratch
  private last: TableInView | undefined

  constructor(kernel: Kernel) {
    this.scratch = createScratch(kernel)
  }

  get counts(): FilterCounts {
    return this.scratch.counts
  }

  /** See `Tree.get`. */
  get(view: View, sequence: number, tableId: number, key: Pointer, keyBytes: number, stats: ReadStats | undefined, hints: PointHints | undefined): RowHandle | PointFetch | undefined {
    let { last } = this
    if (last === undefined || last.view !== view || last.tableId !== tableId) last = this.last = tableInView(view, tableId)
    const { shape, levels, only } = last, { scratch } = this
    if (shape === undefined) return undefined
    const inMemory = findInMemtables(scratch, view, sequence, shape, key, keyBytes)
    if (inMemory !== 'unknown') return inMemory
    if (levels === undefined) return undefined
    const hash = hints === undefined ? hashed(scratch, key, keyBytes) : hints.hash
    if (only !== undefined) {
      // Where no other file may have the key its filter need not be asked: an index of keys tells as much, and wrongly never.
      const place = only.reader.findIndexed(key, keyBytes, hash, hints === undefined ? -1 : hints.column, scratch.cell)
      if (place !== noPlace.unknown) return foundInOnly(scratch, only.reader, place, shape, hints)
    }
    return findInFiles(scratch, levels, shape, key, keyBytes, hash, stats)
  }

  /** See `Tree.getValue`. */
  getValue(view: View, sequence: number, tableId: number, key: Pointer, keyBytes: number, hints: ValueHints): number {
    let { last } = this
    if (last === undefined || last.view !== view || last.tableId !== tableId) last = this.last = tableInView(view, tableId)
    const { shape, levels, only } = last, { scratch } = this
    if (shape === undefined) return absent
    const inMemory = valueInMemtables(scratch, view, sequence, shape, key, keyBytes, hints)
    if (inMemory !== unknown) return inMemory
    if (only === undefined) return levels === undefined ? absent : cellStates.isUnread
    const place = only.reader.findIndexed(key, keyBytes, hints.hash, hints.column, hints.cell)
    if (place === noPlace.unknown) return cellStates.isUnread
    const state = place < 0 ? absent : scratch.kernel.memory.u32[(hints.cell >>> 2) + 2]!
    if (state === absent) scratch.counts.absent++
    else if (state !== cellStates.isUnread) scratch.counts.present++
    return state
  }

  free(): void {
    this.scratch.free()
  }
}

/** What `getValue` gives where no row has the key; what its steps give when others have to be asked. */
const absent = -1, unknown = -2

/** What memtables have, by `newestInMemtables`. */
function valueInMemtables(scratch: Scratch, view: View, sequence: number, shape: RowLayout, key: Pointer, keyBytes: number, { column, cell }: ValueHints): number {
  const found = newestInMemtables(scratch, view, sequence, shape.layout.tableId, key, keyBytes, cell)
  if (found !== isThere) return found === isDeleted ? absent : unknown
  const { kernel: { memory: { u32, u16 }, exports } } = scratch, row = u32[cell >>> 2]!, valueIndex = shape.valueIndexes[column] ?? -1
  // Of the key, or added after the row was written.
  if (valueIndex < 0 || valueIndex >= u16[row >>> 1]!) return cellStates.isUnread
  return exports.rowGet(row, shape.descriptor, valueIndex, cell) === 0 ? cellStates.isNull : cellStates.isThere
}

function hashed({ kernel: { exports }, hash }: Scratch, key: Pointer, keyBytes: number): Pointer {
  exports.bloomHash(key, keyBytes, hash)
  return hash
}

function findInMemtables(scratch: Scratch, view: View, sequence: number, shape: RowLayout, key: Pointer, keyBytes: number): RowHandle | undefined | 'unknown' {
  const { kernel: { memory: { u32 } }, cell } = scratch, found = newestInMemtables(scratch, view, sequence, shape.layout.tableId, key, keyBytes, cell)
  if (found === isThere) return scratch.rows.ofMemtable(shape, u32[cell >>> 2]!, scratch.memtableKey(tableIdBytes + keyBytes) + tableIdBytes, keyBytes)
  return found === isDeleted ? undefined : 'unknown'
}

/** As `skiplistGet` tells it. */
const isThere = 1, isDeleted = 2

/** What the newest memtable that knows the key tells of it: `isThere`, with its row in `cell`, `isDeleted`, or 0 where none does. The key is in `memtableKey` then. */
function newestInMemtables(scratch: Scratch, view: View, sequence: number, tableId: number, key: Pointer, keyBytes: number, cell: Pointer): number {
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

function writeTableKey({ kernel: { memory: { u8, view } }, memtableKey }: Scratch, tableId: number, key: Pointer, keyBytes: number): Pointer {
  const prefixed = memtableKey(tableIdBytes + keyBytes), copy = prefixed + tableIdBytes
  view.setUint32(prefixed, tableId)
  if (keyBytes <= 32) for (let i = 0; i < keyBytes; i++) u8[copy + i] = u8[key + i]!
  else u8.copyWithin(copy, key, key + keyBytes)
  return prefixed
}

function findInFiles(scratch: Scratch, levels: Levels, shape: RowLayout, key: Pointer, keyBytes: number, hash: Pointer, stats: ReadStats | undefined): RowHandle | PointFetch | undefined {
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
      scratch.counts.wrong++
    } else scratch.counts.absent++
    const cover = reader.cover!
    if (cover.length > 0 && coversInMemory(memory, cover, key, keyBytes)) return undefined
  }
  return undefined
}

function foundInOnly({ counts, rows }: Scratch, reader: TableReader, place: number, shape: RowLayout, hints: PointHints | undefined): RowHandle | undefined {
  if (place === noPlace.absent) {
    counts.absent++
    return undefined
  }
  counts.present++
  return place === noPlace.deleted ? undefined : rows.ofTable(shape, reader, place, hints === undefined ? -1 : hints.column)
}

function findInFile({ counts, rows }: Scratch, reader: TableReader, rowGroup: number, shape: RowLayout, key: Pointer, keyBytes: number, hash: Pointer, stats: ReadStats | undefined): RowHandle | PointFetch | undefined | 'absent' {
  const found = rowGroup < 0 ? 'absent' : reader.find(rowGroup, key, keyBytes, hash, stats)
  if (found === 'absent') return found
  if ('fetch' in found) return { ...found, files: [reader], rowGroup }
  counts.present++
  return found.tombstone ? undefined : rows.ofTable(shape, reader, placeOf(rowGroup, found.row), -1)
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
function probeFilters({ kernel: { memory: { u32 }, exports }, candidates, filters: room }: Scratch, hash: Pointer, count: number): Pointer {
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

function createScratch(kernel: Kernel): Scratch {
  const { heap } = kernel
  const cell = heap.allocate(24), hash = heap.allocate(16)
  const key = growing(kernel, 256), filters = growing(kernel, 512), text = growing(kernel, 1024)
  const row = { kernel, cell, text: text.atLeast }
  return {
    ...row,
    hash,
    rows: createRowHandles(row),
    candidates: [],
    counts: { absent: 0, present: 0, wrong: 0 },
    memtableKey: key.atLeast,
    filters: (count) => filters.atLeast(9 * count),
    free() {
      heap.free(cell)
      heap.free(hash)
      for (const each of [key, filters, text]) each.free()
    },
  }
}

/** One allocation that is replaced by a larger one when needed. */
function growing({ heap }: Kernel, initialBytes: number): { atLeast(byteLength: number): Pointer; free(): void } {
  let bytes = initialBytes
  let address = heap.allocate(bytes)
  return {
    atLeast(byteLength) {
      if (byteLength <= bytes) return address
      const grown = Math.max(byteLength, 2 * bytes)
      const next = heap.allocate(grown)
      heap.free(address)
      address = next
      bytes = grown
      return address
    },
    free: () => heap.free(address),
  }
}
