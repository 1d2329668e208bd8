/**
 * The lane of a memtable for row groups of which it is known what stood a while ago: only the keys that were written since
 * are looked at, as long as they are few; otherwise all of the memtable's.
 */
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { tableIdBytes } from '../../batch.ts'
import { tableKey } from '../../batch-builder.ts'
import type { Boundary } from '../../keys/key-bytes.ts'
import { createArena } from '../../state/arena.ts'
import type { Memtable } from '../../state/memtable.ts'
import type { MemtableRows } from '../merge/memtable-source.ts'
import { positionOf } from '../merge/run-page.ts'
import { bitAt } from '../read-context.ts'
import type { ReadContext } from '../read-context.ts'
import { checkDecoded, keyChunk } from '../row-group-columns.ts'
import { recordBytes, takeOut } from './key-lane.ts'
import type { KeyLane, KeyedRows, StandingRows } from './key-lane.ts'

/** Ascending. */
export interface RecentRows extends MemtableRows {
  /** For the kernel that takes rows out, and eight bytes for the one that searches. */
  readonly record: Pointer
}

/** Keys of a memtable by when they were written; used by the lanes of all layers of one scan. */
export interface RecentKeys {
  /** What was written after `since`, and maybe more, but when first asked; undefined where that is too much to look at anew. */
  after(since: number): RecentRows | undefined
  close(): void
}

/** As many are found and sorted in some microseconds. */
const recentMax = 1024

export function createRecentKeys(context: ReadContext, { handle, bound }: Memtable, sequence: number): RecentKeys {
  const { kernel: { heap, memory, exports }, shape } = context
  const arena = createArena(heap, 24 * recentMax + 1024)
  let known: (RecentRows & { readonly since: number }) | undefined, tooLongAgo = -1

  function read(since: number): RecentRows | undefined {
    arena.reset()
    const record = arena.allocate(recordBytes), prefix = arena.allocate(tableIdBytes), refs = arena.allocate(8 * recentMax), rows = arena.allocate(8 * recentMax)
    memory.u8.set(tableKey(shape.layout.tableId), prefix)
    const count = exports.skiplistReadSince(handle, since, bound(sequence), prefix, tableIdBytes, refs, rows, recentMax)
    if (count < 0) return undefined
    if (shape.form !== 'i64' || count === 0) return { record, keys: refs, refs, rows, count }
    const keys = arena.allocate(8 * count)
    exports.rowKeysToI64(refs, count, keys)
    return { record, keys, refs, rows, count }
  }
  return {
    after(since) {
      if (known !== undefined && known.since <= since) return known
      if (since <= tooLongAgo) return undefined
      const found = read(since)
      known = found && { record: found.record, keys: found.keys, refs: found.refs, rows: found.rows, count: found.count, since }
      if (found === undefined) tooLongAgo = since
      return known
    },
    close: arena.free,
  }
}

/** `all`: the same memtable's lane of all its keys. */
export function withRecentKeys(context: ReadContext, recent: RecentKeys, all: KeyLane): KeyLane {
  const recentAfter = (since: number): RecentRows | undefined => (since < 0 ? undefined : recent.after(since))
  return {
    isClear(low, high, since) {
      const found = recentAfter(since)
      return found === undefined ? all.isClear(low, high, since) : found.count === 0 || hasNone(context, found, low, high)
    },
    hide(rows, standing, since) {
      const found = recentAfter(since)
      if (found === undefined) return all.hide(rows, standing, since)
      if (found.count > 0) takeOutFound(context, found, rows, standing)
      return undefined
    },
    close: all.close,
  }
}

/** The lane of what was written since an image of its memtable was made, for the image. */
export function recentLane(context: ReadContext, recent: RecentRows): KeyLane {
  return {
    isClear: (low, high) => recent.count === 0 || hasNone(context, recent, low, high),
    hide(rows, standing) {
      takeOutFound(context, recent, rows, standing)
      return undefined
    },
    close: () => undefined,
  }
}

/** Of row groups with so many rows a key, each key is searched for; of others all keys are decoded. */
const searchedShare = 128

/** As `columnFindKey` tells it. */
const absent = -1

function takeOutFound(context: ReadContext, found: RecentRows, rows: KeyedRows, standing: StandingRows): void {
  const { record, keys, count } = found
  const first = positionOf(context, keys, count, rows.low), end = positionOf(context, keys, count, rows.high)
  if ((end - first) * searchedShare > rows.rowCount) takeOut(context, record, keys, first, end, rows, standing)
  else takeOutEach(context, found, first, end, rows, standing)
}

function takeOutEach(context: ReadContext, { record, refs }: RecentRows, first: number, end: number, { keys: { chunk, arena } }: KeyedRows, standing: StandingRows): void {
  const { memory: { u8, u32 }, exports } = context.kernel
  const scratchBytes = first < end ? exports.columnDecodeScratchBytes(chunk) : 0, scratch = scratchBytes === 0 ? 0 : arena.allocate(scratchBytes)
  for (let ref = (refs >>> 2) + 2 * first; ref < (refs >>> 2) + 2 * end; ref += 2) {
    const row = exports.columnFindKey(chunk, u32[ref]!, u32[ref + 1]!, record, scratch)
    if (row === absent || !bitAt(u8, standing.selection, checkDecoded(row, keyChunk(context).kind))) continue
    u8[standing.selection + (row >>> 3)]! &= ~(1 << (row & 7))
    standing.selectedCount--
  }
}

function hasNone(context: ReadContext, { keys, count }: RecentRows, low: Uint8Array, high: Boundary): boolean {
  return positionOf(context, keys, count, low) === positionOf(context, keys, count, high)
}
