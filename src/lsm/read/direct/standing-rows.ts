/** Which rows of a window's row groups stand, where newer runs may hide some. */
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { createArena } from '../../state/arena.ts'
import type { Arena } from '../../state/arena.ts'
import type { TableReader } from '../../table/table.ts'
import type { RowGroupKeys, StandingRows } from '../layers/key-lane.ts'
import type { BegunRows, Shadow } from '../layers/shadow.ts'
import { bitmapBytes } from '../read-context.ts'
import type { ReadContext } from '../read-context.ts'
import { decodeChunk, keyChunk } from '../row-group-columns.ts'
import { after } from './reading.ts'
import type { Reading } from './reading.ts'

export interface StandingWindow {
  /** Undefined of row groups of which nothing newer is known. */
  of(rowGroup: number): StandingRows | undefined
  /** What must be waited for before any is asked for. */
  readonly reading: Reading
  free(): void
}

export interface StandingOptions {
  readonly shadow: Shadow
  readonly reader: TableReader
  /** Ascending. */
  readonly rowGroups: readonly number[]
  /** Pins the chunks of keys, unless they are; `keys` is asked for afterwards. */
  pinKeys(): Reading
  keys(rowGroup: number): Pointer
}

/** Bitmaps of a window of common row groups. */
const bitmapsBytes = 2048

/** Keys are only read of row groups of which something newer is not known already. `scratch` is reset. */
export function standingRows(context: ReadContext, { shadow, reader, rowGroups, pinKeys, keys }: StandingOptions, scratch: Arena): StandingWindow {
  const arena = createArena(context.kernel.heap, bitmapsBytes)
  const begun = new Map<number, BegunRows>()
  let isFreed = false
  const hideFrom = (first: number): Reading => {
    for (let i = first; i < rowGroups.length && !isFreed; i++) {
      const reading = hide(context, shadow, reader, rowGroups[i]!, begun.get(rowGroups[i]!)!, keys, scratch)
      if (reading !== undefined) return reading.then(() => hideFrom(i + 1))
    }
    return undefined
  }
  const free = (): void => {
    isFreed = true
    arena.free()
  }
  try {
    for (const rowGroup of rowGroups) begun.set(rowGroup, shadow.begin(reader, rowGroup, arena.allocate(bitmapBytes(reader.rowGroupRows(rowGroup)))))
    const needsKeys = [...begun.values()].some(({ isDone }) => !isDone)
    return { of: (rowGroup) => begun.get(rowGroup)?.rows, reading: after(needsKeys ? pinKeys() : undefined, () => hideFrom(0)), free }
  } catch (error) {
    free()
    throw error
  }
}

function hide(context: ReadContext, shadow: Shadow, reader: TableReader, rowGroup: number, begun: BegunRows, keys: StandingOptions['keys'], scratch: Arena): Reading {
  if (begun.isDone) {
    shadow.settle(reader, rowGroup, begun)
    return undefined
  }
  scratch.reset()
  return shadow.hide(reader, rowGroup, begun, keysOf(context, keys(rowGroup), reader.rowGroupRows(rowGroup), scratch))
}

function keysOf(context: ReadContext, chunk: Pointer, rowCount: number, arena: Arena): RowGroupKeys {
  let decoded: Pointer = 0
  const decode = (): Pointer => {
    const vector = decodeChunk(context, chunk, keyChunk(context).kind, 0, rowCount, arena)
    return vector.kind === 'bytes' ? vector.refs : vector.values
  }
  return { chunk, arena, decoded: () => (decoded ||= decode()) }
}
