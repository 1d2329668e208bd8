/** What newer runs hide of one run of table files: rows whose keys they have too, deleted or not, and what they delete by range. */
import { boundaryAfter, compareBoundaries, compareBytes, firstBoundary } from '../../keys/key-bytes.ts'
import type { Boundary } from '../../keys/key-bytes.ts'
import { clipCover, coverTouches } from '../../keys/range-cover.ts'
import type { RangeCover } from '../../keys/range-cover.ts'
import { createArena } from '../../state/arena.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import type { HiddenRows } from '../../table/read/kept-totals.ts'
import type { TableReader } from '../../table/table.ts'
import { after } from '../direct/reading.ts'
import type { Reading } from '../direct/reading.ts'
import { coveredBits } from '../merge/run-page.ts'
import { bitmapBytes } from '../read-context.ts'
import type { ReadContext } from '../read-context.ts'
import { firstKeyOf } from '../row-group-columns.ts'
import type { KeyLane, KeyedRows, RowGroupKeys, StandingRows } from './key-lane.ts'

/** Asked of row groups in ascending order, until it is rewound; their file's tail is held. */
export interface Shadow {
  /** Whether nothing newer is known to be said of a row group; nothing is read to find out. */
  isClear(reader: TableReader, rowGroup: number): boolean
  /** Whether newer runs delete all of a row group by range. */
  isCovered(reader: TableReader, rowGroup: number): boolean
  /** Whether it is known which rows of a row group stand, so that its keys need not be read. */
  isSettled(reader: TableReader, rowGroup: number): boolean
  /** How many rows of a row group without tombstones are hidden, where that is known and their keys alone are why. */
  hiddenRows(reader: TableReader, rowGroup: number): HiddenRows | undefined
  /** What is known of the rows of a row group, at `selection`. */
  begin(reader: TableReader, rowGroup: number, selection: Pointer): BegunRows
  /** Of a row group that `isDone`: keeps that nothing was written to its keys since. */
  settle(reader: TableReader, rowGroup: number, begun: BegunRows): void
  /** Takes the hidden rows out of those that stand. */
  hide(reader: TableReader, rowGroup: number, begun: BegunRows, keys: RowGroupKeys): Reading
  /** Lets go of what it holds; row groups may be asked for from the start. */
  rewind(): void
}

/** Rows of a row group as they stood a while ago. */
export interface BegunRows {
  readonly rows: StandingRows
  /** Up to which sequence number; -1: all rows. */
  readonly since: number
  /** Nothing is left to be hidden. */
  readonly isDone: boolean
}

export interface ShadowOptions {
  readonly sequence: number
  /** What newer runs delete by range. */
  readonly cover: RangeCover
  /** Of the tree's newer runs, and of memtables that only this read sees. */
  readonly lanes: readonly KeyLane[]
  readonly ownLanes: readonly KeyLane[]
  /** Whether the lanes have all there is of a row group with keys in [low, high), also of keys that the scan does not read, and nothing that the file has itself. */
  hasAll(low: Uint8Array, high: Uint8Array): boolean
}

/** The keys between which a row group lies, and what newer runs were found to say of them. */
interface Span {
  readonly low: Uint8Array
  readonly high: Uint8Array
  /** From which sequence number on they say nothing, and up to which they do or may. */
  silentSince: number
  noisySince: number
}

/** undefined where nothing is newer. */
export function createShadow(context: ReadContext, options: ShadowOptions): Shadow | undefined {
  const { sequence, cover, lanes, ownLanes } = options
  if (cover.length === 0 && lanes.length === 0 && ownLanes.length === 0) return undefined
  const spanOf = spansOf(context)
  const isSilent = silenceOf(options)
  return {
    isClear(reader, rowGroup) {
      const { kept } = reader, since = kept.knownSince(rowGroup, sequence), span = spanOf(reader, rowGroup)
      if ((since >= 0 && kept.hiddenCount(rowGroup) > 0) || !isSilent(span, since)) return false
      if (since < sequence && options.hasAll(span.low, span.high)) kept.keep(rowGroup, sequence, 0, 0, 0)
      return true
    },
    isCovered(reader, rowGroup) {
      if (cover.length === 0) return false
      const { low, high } = spanOf(reader, rowGroup)
      const [first] = clipCover(cover, low, high)
      return first !== undefined && compareBytes(first.start, low) <= 0 && compareBoundaries(first.end, high) >= 0
    },
    isSettled(reader, rowGroup) {
      const since = reader.kept.knownSince(rowGroup, sequence)
      return since >= 0 && isSilent(spanOf(reader, rowGroup), since)
    },
    hiddenRows(reader, rowGroup) {
      const { kept } = reader, since = kept.knownSince(rowGroup, sequence), span = spanOf(reader, rowGroup)
      if (since < 0 || !isSilent(span, since) || hasTombstones(context, reader, rowGroup)) return undefined
      if (since < sequence && options.hasAll(span.low, span.high)) kept.advance(rowGroup, sequence)
      return { totals: reader.keptTotals, rowGroup, hiddenCount: kept.hiddenCount(rowGroup) }
    },
    begin(reader, rowGroup, selection) {
      const { kept } = reader, since = kept.knownSince(rowGroup, sequence), rowCount = reader.rowGroupRows(rowGroup)
      const hiddenCount = since < 0 ? 0 : kept.hiddenCount(rowGroup)
      if (hiddenCount === 0) context.kernel.exports.scanSelectAll(selection, rowCount)
      else kept.copyTo(rowGroup, selection, bitmapBytes(rowCount))
      return { rows: { selection, selectedCount: rowCount - hiddenCount }, since, isDone: isSilent(spanOf(reader, rowGroup), since) }
    },
    settle(reader, rowGroup, { since }) {
      const { low, high } = spanOf(reader, rowGroup)
      if (since >= 0 && options.hasAll(low, high)) reader.kept.advance(rowGroup, sequence)
    },
    hide(reader, rowGroup, { rows: standing, since }, keys) {
      const rowCount = reader.rowGroupRows(rowGroup), { low, high } = spanOf(reader, rowGroup), rows = { low, high, keys, rowCount }
      const keep = (): void => {
        if (since < sequence && options.hasAll(low, high)) reader.kept.keep(rowGroup, sequence, standing.selection, bitmapBytes(rowCount), rowCount - standing.selectedCount)
      }
      return after(hideBy(lanes, 0, rows, standing, since), () => {
        keep()
        if (coverTouches(cover, low, high)) hideCovered(context, cover, keys.decoded(), rowCount, standing)
        return hideBy(ownLanes, 0, rows, standing, -1)
      })
    },
    rewind() {
      for (const lane of [...lanes, ...ownLanes]) lane.close()
    },
  }
}

/** Whether newer runs say nothing of a row group that was known at `since`: asked again and again about each. */
function silenceOf({ sequence, cover, lanes, ownLanes }: ShadowOptions): (span: Span, since: number) => boolean {
  return (span, since) => {
    if (since >= span.silentSince) return true
    if (since <= span.noisySince) return false
    const isSilent = !coverTouches(cover, span.low, span.high) && (since === sequence || allClear(lanes, span, since)) && allClear(ownLanes, span, -1)
    if (isSilent) span.silentSince = since
    else span.noisySince = since
    return isSilent
  }
}

const hasTombstones = ({ kernel: { memory: { u32 } } }: ReadContext, reader: TableReader, rowGroup: number): boolean => u32[(reader.liveRowCounts >>> 2) + rowGroup] !== reader.rowGroupRows(rowGroup)

const allClear = (lanes: readonly KeyLane[], { low, high }: Span, since: number): boolean => lanes.every((lane) => lane.isClear(low, high, since))

/** Spans of row groups, made once each. */
function spansOf({ kernel: { memory } }: ReadContext): (reader: TableReader, rowGroup: number) => Span {
  let of: TableReader | undefined
  let spans: (Span | undefined)[] = []
  const startOf = (reader: TableReader, rowGroup: number): Uint8Array =>
    rowGroup === reader.meta.rowGroupCount ? boundaryAfter(reader.meta.maxKey) : (spans[rowGroup]?.low ?? spans[rowGroup - 1]?.high ?? firstKeyOf(memory, reader, rowGroup))
  return (reader, rowGroup) => {
    if (of !== reader) {
      of = reader
      spans = []
    }
    return (spans[rowGroup] ??= { low: startOf(reader, rowGroup), high: startOf(reader, rowGroup + 1), silentSince: Infinity, noisySince: -Infinity })
  }
}

function hideBy(lanes: readonly KeyLane[], from: number, rows: KeyedRows, standing: StandingRows, since: number): Reading {
  for (let i = from; i < lanes.length; i++) {
    const reading = lanes[i]!.hide(rows, standing, since)
    if (reading !== undefined) return reading.then(() => hideBy(lanes, i + 1, rows, standing, since))
  }
  return undefined
}

function hideCovered(context: ReadContext, cover: RangeCover, keys: Pointer, rowCount: number, standing: StandingRows): void {
  const { kernel: { heap, memory: { u8 }, exports } } = context
  const arena = createArena(heap)
  try {
    const bits = coveredBits(context, cover, keys, rowCount, { lower: firstBoundary, upper: undefined }, arena)
    if (bits === 0) return
    for (let byte = 0; byte < (rowCount + 7) >>> 3; byte++) u8[standing.selection + byte]! &= ~u8[bits + byte]!
    standing.selectedCount = exports.scanSelectedCount(standing.selection, rowCount)
  } finally {
    arena.free()
  }
}

/** Whether some of a run's files may have keys between two boundaries; calls ascend until it is made anew. */
export function filesMayHave(readers: readonly TableReader[]): (low: Uint8Array, high: Boundary) => boolean {
  let next = 0
  return (low, high) => {
    if (next > 0 && compareBytes(readers[next - 1]!.meta.maxKey, low) >= 0) next = 0
    while (next < readers.length && compareBytes(readers[next]!.meta.maxKey, low) < 0) next++
    return next < readers.length && compareBoundaries(readers[next]!.meta.minKey, high) < 0
  }
}
