/** Twin of assembly/column/keys/newest.ts. */
import { askedKeyBytes, cellStates, keysFoundBy, newestOutBytes, residentGroupBytes, residentHeadBytes, runsHeadBytes, runsMemtableBytes, runsRunBytes } from '../../../column.ts'
import type { ColumnExports } from '../../../column.ts'
import type { LinearMemory, Pointer } from '../../../linear-memory.ts'
import { filterMayHave } from '../../hash/block-filter.ts'
import { createRowJs } from '../../row.ts'
import { versionValue, versionValueBytes } from '../../skiplist/layout.ts'
import { versionInTable, versionUntold } from '../../skiplist/read.ts'
import { createZoneMapJs } from '../../zone-map.ts'
import { columnKinds } from '../layout.ts'
import type { ChunkLayout } from '../layout.ts'
import { textState } from './key-index.ts'
import type { KeyIndexExports } from './key-index.ts'

const absent = -1, deleted = -2, unknown = -3, inMemtable = -4
/** As `columnFindKey` gives it. */
const unreadable = -2
const noFile = 0xffff_ffff

interface Key {
  readonly hash: Pointer
  readonly key: Pointer
  readonly keyBytes: number
  readonly ordinal: number
  readonly out: Pointer
}

type Readers = Pick<KeyIndexExports, 'columnGetIndexed' | 'valueBeside'> & Pick<ColumnExports, 'columnFindKey' | 'columnGetI64'>

export function createGetNewest(memory: LinearMemory, layout: ChunkLayout, { columnFindKey, columnGetIndexed, columnGetI64, valueBeside }: Readers): Pick<ColumnExports, 'columnGetNewest' | 'columnGetNewestMany'> {
  const { u32, i32, u16, f64 } = memory
  const { zoneMapRowGroupOf } = createZoneMapJs(memory), { rowGet } = createRowJs(memory)
  const word = (record: Pointer, byteOffset: number): number => u32[(record + byteOffset) >>> 2]!

  function untold(out: Pointer, file: number): number {
    u32[(out >>> 2) + 4] = file
    return unknown
  }

  function valueInRow(layout: Pointer, row: Pointer, place: number, out: Pointer): number {
    if (place < 0 || place >= u16[row >>> 1]!) return cellStates.isUnread
    if (rowGet(row, layout, place, out) === 0) return cellStates.isNull
    return word(layout, 4 + 4 * place) === columnKinds.bytes ? textState(memory, word(out, 0), word(out, 4)) : cellStates.isThere
  }

  function rowOfMemtable(runs: Pointer, row: Pointer, { ordinal, out }: Key): number {
    const isColumn = ordinal >= 0 && ordinal < word(runs, 16)
    u32[(out >>> 2) + 2] = isColumn ? valueInRow(word(runs, 12), row, i32[(word(runs, 20) >>> 2) + ordinal]!, out) : cellStates.isUnread
    u32[(out >>> 2) + 4] = row
    return inMemtable
  }

  const placeInRun = (run: Pointer, { key, keyBytes }: Key): number =>
    word(run, 0) === 1 ? 0 : zoneMapRowGroupOf(word(run, 8), word(run, 12), word(run, 16), word(run, 0), word(run, 4), key, keyBytes)
  const fileAt = (run: Pointer, place: number): Pointer => word(word(run, 20), 4 * place)
  const isKnown = (file: Pointer): boolean => file !== 0 && word(file, 52) !== 0

  function searched(group: Pointer, column: Pointer, { key, keyBytes, out }: Key): number {
    const keys = word(group, 8)
    if (layout.kind(keys) === columnKinds.bytes) {
      if (word(group, 12) === keysFoundBy.searchesMax) return unknown
      u32[(group >>> 2) + 3]! += 1
    }
    const row = columnFindKey(keys, key, keyBytes, out, 0)
    if (row >= 0) u32[(out >>> 2) + 2] = column === 0 ? cellStates.isUnread : valueBeside(column, row, out)
    return row === unreadable ? unknown : row
  }

  function rowOfFile(file: Pointer, asked: Key): number {
    const { hash, key, keyBytes, ordinal, out } = asked
    const rowGroup = zoneMapRowGroupOf(word(file, 24), word(file, 28), word(file, 32), word(file, 16), word(file, 20), key, keyBytes)
    if (rowGroup < 0) return absent
    const columnCount = word(file, 36), group = file + residentHeadBytes + rowGroup * residentGroupBytes(columnCount)
    const index = word(group, 12)
    if (index === keysFoundBy.isUntold) return unknown
    const column = ordinal >= 0 && ordinal < columnCount ? word(group, 20 + 4 * ordinal) : 0
    const row = index > keysFoundBy.searchesMax ? columnGetIndexed(word(group, 8), index, hash, key, keyBytes, column, out) : searched(group, column, asked)
    if (row < 0) return row
    if (column !== 0 && word(out, 8) === cellStates.isUnread) return unknown
    const tombstones = word(group, 16)
    if (tombstones !== 0) {
      if (columnGetI64(tombstones, row, out + 16) !== 1) return unknown
      if (word(out, 16) !== 0) return deleted
    }
    u32[(out >>> 2) + 3] = rowGroup
    return row
  }

  function rowOfFiles(first: Pointer, runCount: number, counts: Pointer, asked: Key): number {
    let missing = 0, wrong = 0
    const count = (present: number): void => {
      f64[counts >>> 3]! += missing
      f64[(counts >>> 3) + 1]! += present
      f64[(counts >>> 3) + 2]! += wrong
    }
    for (let i = 0; i < runCount; i++) {
      const run = first + i * runsRunBytes, place = placeInRun(run, asked)
      if (place < 0) continue
      const file = fileAt(run, place), isLast = i + 1 === runCount
      if (!isKnown(file)) return untold(asked.out, word(run, 24) + place)
      const isFiltered = !isLast && word(file, 48) === 0
      if (isFiltered && !filterMayHave(memory, word(file, 40), word(file, 44), asked.hash)) {
        missing++
        continue
      }
      const row = rowOfFile(file, asked)
      if (row === unknown || (row === absent && !isLast && !isFiltered)) return untold(asked.out, word(run, 24) + place)
      if (row !== absent) {
        u32[(asked.out >>> 2) + 4] = word(run, 24) + place
        count(1)
        return row
      }
      if (isLast) missing++
      else wrong++
    }
    count(0)
    return absent
  }

  const columnGetNewest: ColumnExports['columnGetNewest'] = (runs, sequence, hash, key, keyBytes, ordinal, out) => {
    const asked = { hash, key, keyBytes, ordinal, out }, memtables = runs + runsHeadBytes, files = memtables + word(runs, 0) * runsMemtableBytes
    for (let at = memtables; at < files; at += runsMemtableBytes) {
      const version = versionInTable(memory, word(at, 0), word(runs, 8), key, keyBytes, word(at, 4) === 0 ? sequence : Number.MAX_SAFE_INTEGER)
      if (version === 0) continue
      if (version === versionUntold) return untold(out, noFile)
      return word(version, versionValueBytes) === 0 ? deleted : rowOfMemtable(runs, version + versionValue, asked)
    }
    return rowOfFiles(files, word(runs, 4), word(runs, 24), asked)
  }

  return {
    columnGetNewest,
    columnGetNewestMany(asked, count, ordinal, out) {
      for (let i = 0, each = asked; i < count; i++, each += askedKeyBytes) {
        i32[(each >>> 2) + 7] = columnGetNewest(word(each, 8), f64[each >>> 3]!, each + 16, word(each, 12), word(each, 24), ordinal, out + i * newestOutBytes)
      }
    },
  }
}
