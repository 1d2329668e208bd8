/** Twin of assembly/merge/lane.ts. */
import { residentGroupBytes, residentHeadBytes } from '../../column.ts'
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { laneAsks, laneBytes, laneColumnBytes, laneKinds, laneRowsBytes, laneScratchOffset } from '../../merge.ts'
import { createColumnJs } from '../column.ts'
import { createRowJs } from '../row.ts'
import { createSkiplistJs } from '../skiplist.ts'
import { createZoneMapJs } from '../zone-map.ts'

export const stopped = -4
export const laneStates = { new: 0, open: 1, over: 2 } as const

const tableIdBytes = 4, runFinal = 1
const kindI64 = 1, kindF64 = 2

/** A walk's record, read once a call. */
export interface Walk {
  readonly address: Pointer
  readonly lanes: Pointer
  readonly runs: Pointer
  readonly winners: Pointer
  readonly limit: number
  readonly capacity: number
  readonly isI64: boolean
  /** Without the table's id. */
  readonly lower: Bound
  readonly upper: Bound
  readonly hasUpper: boolean
  readonly columns: readonly LaneColumn[]
  readonly layout: Pointer
  readonly work: Pointer
  readonly rows: Pointer
}

export interface Bound {
  readonly address: Pointer
  readonly byteLength: number
}

export interface LaneColumn {
  readonly index: number
  readonly ordinal: number
  /** -1: the keys. */
  readonly valueIndex: number
  readonly kind: number
  readonly values: Pointer
  readonly nulls: Pointer
  /** Word that is 1 when there is a null. */
  readonly hasNulls: number
}

export function readWalk({ u32, i32 }: LinearMemory, address: Pointer): Walk {
  const word = (at: number): number => u32[(address + at) >>> 2]!
  const columns = Array.from({ length: word(56) }, (_, index): LaneColumn => {
    const at = (word(52) + index * laneColumnBytes) >>> 2
    return { index, ordinal: u32[at]!, valueIndex: i32[at + 1]!, kind: u32[at + 2]!, values: u32[at + 3]!, nulls: u32[at + 4]!, hasNulls: at + 5 }
  })
  const bound = (at: number): Bound => ({ address: word(at) + tableIdBytes, byteLength: word(at + 4) - tableIdBytes })
  return {
    address, lanes: word(8), runs: word(12), winners: word(16), limit: word(20), capacity: word(24), isI64: word(28) === kindI64,
    lower: bound(32), upper: bound(40), hasUpper: word(48) !== 0, columns, layout: word(60), work: word(64), rows: word(68),
  }
}

/** Words of a lane's record. */
const sourceWord = 2, kindWord = 3, rowsWord = 4, stateWord = 5, rowGroupWord = 6, nextWord = 7, toWord = 8, passedWord = 9
export const laneWords = { source: sourceWord, kind: kindWord, rows: rowsWord, pageRows: 10, part: 11, run: 12, file: 13 } as const

export interface Lanes {
  open(walk: Walk, index: number): number
  bring(walk: Walk, index: number): number
  isOver(walk: Walk, index: number): boolean
  isNew(walk: Walk, index: number): boolean
  hasRows(walk: Walk, index: number): boolean
  hasDeleted(walk: Walk, index: number, row: number): boolean
  values(walk: Walk, index: number, column: LaneColumn): Pointer
  bits(walk: Walk, index: number, column: LaneColumn): Pointer
}

export function createLanes(memory: LinearMemory): Lanes {
  const { u8, u32, f64, i64, view } = memory
  const column = createColumnJs(memory), { rowColumnVector, rowKeysToI64 } = createRowJs(memory), skiplist = createSkiplistJs(memory), { zoneMapRowGroupOf } = createZoneMapJs(memory)

  const laneAt = ({ lanes }: Walk, index: number): number => (lanes + index * laneBytes) >>> 2
  const runAt = ({ runs }: Walk, index: number): number => (runs >>> 2) + 8 * index
  const keysOf = (lane: number): Pointer => u32[lane + rowsWord]!
  const marksOf = ({ capacity }: Walk, lane: number): Pointer => keysOf(lane) + 8 * capacity
  const cursorOf = ({ capacity }: Walk, lane: number): Pointer => keysOf(lane) + 24 * capacity
  const valuesOf = ({ capacity }: Walk, lane: number, index: number): Pointer => keysOf(lane) + laneRowsBytes(capacity, index)
  const bitsOf = ({ capacity }: Walk, values: Pointer): Pointer => values + 8 * capacity
  const scratchWord = ({ capacity }: Walk, lane: number, index: number): number => (keysOf(lane) + laneScratchOffset(capacity, index)) >>> 2
  const groupAt = (record: Pointer, rowGroup: number): number => (record + residentHeadBytes + rowGroup * residentGroupBytes(u32[(record >>> 2) + 9]!)) >>> 2
  const chunkOf = (record: Pointer, group: number, ordinal: number): Pointer => (ordinal < u32[(record >>> 2) + 9]! ? u32[group + 5 + ordinal]! : 0)
  const storedColumns = ({ columns }: Walk): readonly LaneColumn[] => columns.filter(({ valueIndex }) => valueIndex >= 0)
  const noteNulls = ({ hasNulls }: LaneColumn, hasNull: number): void => {
    if (hasNull !== 0) u32[hasNulls] = 1
  }

  function ask(walk: Walk, index: number, what: number, outcome: number): number {
    const lane = laneAt(walk, index)
    u32.set([u32[lane + laneWords.part]!, u32[(u32[lane + laneWords.run]! >>> 2) + 6]! + u32[lane + laneWords.file]!, what, index], (walk.address + 88) >>> 2)
    return outcome
  }

  function end(walk: Walk, index: number): number {
    u32[laneAt(walk, index) + stateWord] = laneStates.over
    u32[runAt(walk, index) + 3] = runFinal
    return 0
  }

  const placeBehind = (run: number): number => (u32[run + 2]! + 7) & ~7

  function nextPageRows({ capacity }: Walk, lane: number, at: number): number {
    const rows = u32[lane + laneWords.pageRows]!
    u32[lane + laneWords.pageRows] = rows << 1
    return Math.min(rows + ((u32[lane + passedWord]! + 7) & ~7), capacity - at)
  }

  function showRows(run: number, from: number, to: number): void {
    u32[run + 1] = from
    u32[run + 2] = to
  }

  function bringMemtable(walk: Walk, index: number): number {
    const lane = laneAt(walk, index), run = runAt(walk, index), at = placeBehind(run), room = nextPageRows(walk, lane, at)
    if (room === 0) return stopped
    const keys = keysOf(lane) + 8 * at, rows = marksOf(walk, lane) + 8 * at
    const count = skiplist.skiplistRead(u32[lane + sourceWord]!, cursorOf(walk, lane), f64[lane >>> 1]!, walk.upper.address - tableIdBytes, walk.upper.byteLength + tableIdBytes, tableIdBytes, keys, rows, room)
    if (walk.isI64) rowKeysToI64(keys, count, keys)
    if (count > 0) {
      for (const each of storedColumns(walk)) {
        const values = valuesOf(walk, lane, each.index)
        noteNulls(each, rowColumnVector(rows, count, walk.layout, each.valueIndex, values + 8 * at, bitsOf(walk, values) + at / 8))
      }
    }
    showRows(run, at, at + count)
    return count < room ? end(walk, index) : 0
  }

  function openFile(walk: Walk, index: number): number {
    const told = enterFile(walk, index)
    if (told < 0) return told
    const lane = laneAt(walk, index), record = u32[lane + sourceWord]!, head = record >>> 2, { lower } = walk
    const rowGroup = Math.max(0, zoneMapRowGroupOf(u32[head + 6]!, u32[head + 7]!, u32[head + 8]!, u32[head + 4]!, u32[head + 5]!, lower.address, lower.byteLength))
    const outcome = enterRowGroup(walk, index, rowGroup)
    if (outcome < 0) return outcome
    const from = firstRowFrom(walk, u32[groupAt(record, rowGroup) + 2]!, lower)
    if (from < 0) return laneAsks.refused
    u32[lane + nextWord] = from & ~7
    u32[lane + passedWord] = from & 7
    return 0
  }

  function enterFile(walk: Walk, index: number): number {
    const lane = laneAt(walk, index), record = u32[(u32[(u32[lane + laneWords.run]! >>> 2) + 5]! >>> 2) + u32[lane + laneWords.file]!]!
    if (record === 0 || f64[record >>> 3] !== f64[(record >>> 3) + 1]) return ask(walk, index, 0, laneAsks.file)
    if (u32[(record >>> 2) + 12] !== 0) return laneAsks.refused
    u32[lane + sourceWord] = record
    return 0
  }

  function firstRowFrom({ isI64, work }: Walk, keys: Pointer, { address, byteLength }: Bound): number {
    if (!isI64) return column.columnLowerBoundBytes(keys, address, byteLength, 0)
    u8.fill(0, work, work + 8)
    u8.copyWithin(work, address, address + Math.min(8, byteLength))
    let value = view.getBigInt64(work) ^ (-(2n ** 63n))
    if (byteLength > 8) {
      if (value === 2n ** 63n - 1n) return column.columnCount(keys)
      value++
    }
    i64[work >>> 3] = value
    return column.columnLowerBoundI64(keys, work)
  }

  function enterRowGroup(walk: Walk, index: number, rowGroup: number): number {
    const lane = laneAt(walk, index), record = u32[lane + sourceWord]!, group = groupAt(record, rowGroup), keys = u32[group + 2]!
    if (f64[group >>> 1]! !== f64[record >>> 3]! || keys === 0) return ask(walk, index, rowGroup, laneAsks.rowGroup)
    if (column.columnDecodeScratchBytes(keys) !== 0) return laneAsks.refused
    for (const each of storedColumns(walk)) {
      if (chunkOf(record, group, each.ordinal) === 0) return ask(walk, index, rowGroup, laneAsks.rowGroup)
      u32[scratchWord(walk, lane, each.index)] = 0
    }
    const rows = column.columnCount(keys), to = walk.hasUpper ? firstRowFrom(walk, keys, walk.upper) : rows
    if (to < 0) return laneAsks.refused
    u32[lane + rowGroupWord] = rowGroup
    u32[lane + nextWord] = 0
    u32[lane + passedWord] = 0
    u32[lane + toWord] = to
    return 0
  }

  function bringFile(walk: Walk, index: number): number {
    const lane = laneAt(walk, index), run = runAt(walk, index)
    while (u32[lane + nextWord]! + u32[lane + passedWord]! >= u32[lane + toWord]!) {
      const keys = u32[groupAt(u32[lane + sourceWord]!, u32[lane + rowGroupWord]!) + 2]!
      if (u32[lane + toWord]! < column.columnCount(keys) || isBehindRun(lane)) return end(walk, index)
      const entered = enterNext(walk, index)
      if (entered < 0) return entered
    }
    const at = placeBehind(run), next = u32[lane + nextWord]!, count = Math.min(nextPageRows(walk, lane, at), u32[lane + toWord]! - next)
    if (count === 0) return stopped
    const outcome = decodeRows(walk, index, next, count, at)
    if (outcome < 0) return outcome
    showRows(run, at + u32[lane + passedWord]!, at + count)
    u32[lane + nextWord] = next + count
    u32[lane + passedWord] = 0
    return 0
  }

  const isLastRowGroup = (lane: number): boolean => u32[lane + rowGroupWord]! + 1 === u32[(u32[lane + sourceWord]! >>> 2) + 4]!
  const isBehindRun = (lane: number): boolean => isLastRowGroup(lane) && u32[lane + laneWords.file]! + 1 === u32[u32[lane + laneWords.run]! >>> 2]!

  function enterNext(walk: Walk, index: number): number {
    const lane = laneAt(walk, index)
    if (!isLastRowGroup(lane)) return enterRowGroup(walk, index, u32[lane + rowGroupWord]! + 1)
    const source = u32[lane + sourceWord]!, file = u32[lane + laneWords.file]!
    u32[lane + laneWords.file] = file + 1
    const told = enterFile(walk, index), entered = told < 0 ? told : enterRowGroup(walk, index, 0)
    if (entered < 0) {
      u32[lane + laneWords.file] = file
      u32[lane + sourceWord] = source
    }
    return entered
  }

  function decodeRows(walk: Walk, index: number, first: number, count: number, at: number): number {
    const lane = laneAt(walk, index), record = u32[lane + sourceWord]!, group = groupAt(record, u32[lane + rowGroupWord]!)
    for (const each of storedColumns(walk)) {
      const chunk = chunkOf(record, group, each.ordinal), values = valuesOf(walk, lane, each.index), scratch = u32[scratchWord(walk, lane, each.index)]!
      if (scratch === 0 && column.columnDecodeScratchBytes(chunk) !== 0) return ask(walk, index, each.index, laneAsks.scratch)
      const hasNull = decode(chunk, each.kind, first, count, values + 8 * at, bitsOf(walk, values) + at / 8, scratch)
      if (hasNull < 0) return laneAsks.refused
      noteNulls(each, hasNull)
    }
    const tombstones = u32[group + 4]!, marks = marksOf(walk, lane) + 8 * at
    if (tombstones === 0) u8.fill(0, marks, marks + 8 * count)
    else if (column.columnDecodeI64(tombstones, first, count, marks, 0) < 0) return laneAsks.refused
    return decode(u32[group + 2]!, walk.isI64 ? kindI64 : 3, first, count, keysOf(lane) + 8 * at, 0, 0) < 0 ? laneAsks.refused : 0
  }

  function decode(chunk: Pointer, kind: number, first: number, count: number, values: Pointer, nulls: Pointer, scratch: Pointer): number {
    if (kind === kindI64) return column.columnDecodeI64(chunk, first, count, values, nulls)
    if (kind === kindF64) return column.columnDecodeF64(chunk, first, count, values, nulls)
    return column.columnDecodeBytes(chunk, first, count, values, nulls, scratch)
  }

  const isMemtable = (lane: number): boolean => u32[lane + kindWord]! === laneKinds.memtable
  return {
    open(walk, index) {
      const lane = laneAt(walk, index)
      u32[runAt(walk, index)] = keysOf(lane)
      const outcome = isMemtable(lane) ? (skiplist.skiplistSeek(u32[lane + sourceWord]!, walk.lower.address - tableIdBytes, walk.lower.byteLength + tableIdBytes, 0, cursorOf(walk, lane)), 0) : openFile(walk, index)
      if (outcome === 0) u32[lane + stateWord] = laneStates.open
      return outcome
    },
    bring: (walk, index) => (isMemtable(laneAt(walk, index)) ? bringMemtable(walk, index) : bringFile(walk, index)),
    isOver: (walk, index) => u32[laneAt(walk, index) + stateWord]! === laneStates.over,
    isNew: (walk, index) => u32[laneAt(walk, index) + stateWord]! === laneStates.new,
    hasRows: (walk, index) => u32[runAt(walk, index) + 1]! < u32[runAt(walk, index) + 2]!,
    hasDeleted(walk, index, row) {
      const lane = laneAt(walk, index), mark = (marksOf(walk, lane) >>> 2) + 2 * row
      return isMemtable(lane) ? u32[mark + 1] === 0 : u32[mark] !== 0 || u32[mark + 1] !== 0
    },
    values: (walk, index, { valueIndex, index: at }) => (valueIndex < 0 ? keysOf(laneAt(walk, index)) : valuesOf(walk, laneAt(walk, index), at)),
    bits: (walk, index, { index: at }) => bitsOf(walk, valuesOf(walk, laneAt(walk, index), at)),
  }
}
