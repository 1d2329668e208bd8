/** What newer runs hide of one run of table files: rows whose keys they have too, deleted or not, and what they delete by range. */
import { boundaryAfter, compareBoundaries, compareBytes, firstBoundary } from '../../keys/key-bytes.ts'
import type { Boundary } from '../../keys/key-bytes.ts'
import { clipCover, coverTouches } from '../../keys/range-cover.ts'
import type { RangeCover } from '../../keys/range-cover.ts'
import { createArena } from '../../state/arena.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import type { TableReader } from '../../table/table.ts'
import type { Reading } from '../direct/reading.ts'
import { coveredBits } from '../merge/run-page.ts'
import type { ReadContext } from '../read-context.ts'
import { firstKeyOf } from '../row-group-columns.ts'
import type { KeyLane, StandingRows } from './key-lane.ts'

/** Asked of row groups in ascending order, until it is rewound; their file's tail is held. */
export interface Shadow {
  /** Whether nothing newer is known to be said of a row group; nothing is read to find out. */
  isClear(reader: TableReader, rowGroup: number): boolean
  /** Whether newer runs delete all of a row group by range. */
  isCovered(reader: TableReader, rowGroup: number): boolean
  /** Takes the hidden rows out of those that stand; `keys` are those of all rows of the row group. */
  hide(reader: TableReader, rowGroup: number, keys: Pointer, standing: StandingRows): Reading
  /** Lets go of what it holds; row groups may be asked for from the start. */
  rewind(): void
}

interface Span {
  readonly low: Uint8Array
  readonly high: Uint8Array
}

/** undefined where nothing is newer. */
export function createShadow(context: ReadContext, cover: RangeCover, lanes: readonly KeyLane[]): Shadow | undefined {
  if (cover.length === 0 && lanes.length === 0) return undefined
  const spanOf = spansOf(context)
  return {
    isClear(reader, rowGroup) {
      const { low, high } = spanOf(reader, rowGroup)
      return !coverTouches(cover, low, high) && lanes.every((lane) => lane.isClear(low, high))
    },
    isCovered(reader, rowGroup) {
      if (cover.length === 0) return false
      const { low, high } = spanOf(reader, rowGroup)
      const [first] = clipCover(cover, low, high)
      return first !== undefined && compareBytes(first.start, low) <= 0 && compareBoundaries(first.end, high) >= 0
    },
    hide(reader, rowGroup, keys, standing) {
      const rowCount = reader.rowGroupRows(rowGroup), { low, high } = spanOf(reader, rowGroup)
      if (coverTouches(cover, low, high)) hideCovered(context, cover, { keys, rowCount }, standing)
      return hideBy(lanes, 0, { low, keys, rowCount }, standing)
    },
    rewind() {
      for (const lane of lanes) lane.close()
    },
  }
}

/** The keys between which row groups lie, copied once each. */
function spansOf({ kernel: { memory } }: ReadContext): (reader: TableReader, rowGroup: number) => Span {
  let of: TableReader | undefined
  let starts: (Uint8Array | undefined)[] = []
  const startOf = (reader: TableReader, rowGroup: number): Uint8Array =>
    (starts[rowGroup] ??= rowGroup === reader.meta.rowGroupCount ? boundaryAfter(reader.meta.maxKey) : firstKeyOf(memory, reader, rowGroup))
  return (reader, rowGroup) => {
    if (of !== reader) {
      of = reader
      starts = []
    }
    return { low: startOf(reader, rowGroup), high: startOf(reader, rowGroup + 1) }
  }
}

function hideBy(lanes: readonly KeyLane[], from: number, rows: Parameters<KeyLane['hide']>[0], standing: StandingRows): Reading {
  for (let i = from; i < lanes.length; i++) {
    const reading = lanes[i]!.hide(rows, standing)
    if (reading !== undefined) return reading.then(() => hideBy(lanes, i + 1, rows, standing))
  }
  return undefined
}

function hideCovered(context: ReadContext, cover: RangeCover, { keys, rowCount }: { readonly keys: Pointer; readonly rowCount: number }, standing: StandingRows): void {
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
