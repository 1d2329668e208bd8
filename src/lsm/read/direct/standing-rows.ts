/** Which rows of a window's row groups stand, where newer runs may hide some. */
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { createArena } from '../../state/arena.ts'
import type { Arena } from '../../state/arena.ts'
import type { TableReader } from '../../table/table.ts'
import type { StandingRows } from '../layers/key-lane.ts'
import type { Shadow } from '../layers/shadow.ts'
import { bitmapBytes } from '../read-context.ts'
import type { ReadContext } from '../read-context.ts'
import { decodeChunk, keyChunk } from '../row-group-columns.ts'
import type { Reading } from './reading.ts'

export interface StandingWindow {
  /** Undefined of row groups of which nothing newer is known. */
  of(rowGroup: number): StandingRows | undefined
  /** What must be waited for before any is asked for. */
  readonly reading: Reading
  free(): void
}

/** Bitmaps of a window of common row groups. */
const bitmapsBytes = 2048

/** Of `rowGroups`, which ascend; `keys` gives their key chunks. `scratch` is reset. */
export function standingRows(context: ReadContext, shadow: Shadow, reader: TableReader, rowGroups: readonly number[], keys: (rowGroup: number) => Pointer, scratch: Arena): StandingWindow {
  const { heap, exports } = context.kernel
  const arena = createArena(heap, bitmapsBytes)
  const standing = new Map<number, StandingRows>()
  let isFreed = false
  const hideFrom = (first: number): Reading => {
    for (let i = first; i < rowGroups.length && !isFreed; i++) {
      const rowGroup = rowGroups[i]!, rowCount = reader.rowGroupRows(rowGroup), selection = arena.allocate(bitmapBytes(rowCount))
      exports.scanSelectAll(selection, rowCount)
      const rows = { selection, selectedCount: rowCount }
      standing.set(rowGroup, rows)
      scratch.reset()
      const vector = decodeChunk(context, keys(rowGroup), keyChunk(context).kind, 0, rowCount, scratch)
      const reading = shadow.hide(reader, rowGroup, vector.kind === 'bytes' ? vector.refs : vector.values, rows)
      if (reading !== undefined) return reading.then(() => hideFrom(i + 1))
    }
    return undefined
  }
  const free = (): void => {
    isFreed = true
    arena.free()
  }
  try {
    return { of: (rowGroup) => standing.get(rowGroup), reading: hideFrom(0), free }
  } catch (error) {
    free()
    throw error
  }
}
