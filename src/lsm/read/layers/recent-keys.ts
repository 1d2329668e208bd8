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
import { positionOf } from '../merge/run-page.ts'
import type { ReadContext } from '../read-context.ts'
import { recordBytes, takeOut } from './key-lane.ts'
import type { KeyLane } from './key-lane.ts'

/** Ascending, of a memtable. */
interface Keys {
  /** For the kernel that takes rows out. */
  readonly record: Pointer
  readonly keys: Pointer
  readonly count: number
}

/** Keys of a memtable by when they were written; used by the lanes of all layers of one scan. */
export interface RecentKeys {
  /** What was written after `since`, and maybe more; undefined where that is too much to look at anew. */
  after(since: number): Keys | undefined
  close(): void
}

/** As many are found and sorted in some microseconds. */
const recentMax = 1024

export function createRecentKeys(context: ReadContext, { handle, bound }: Memtable, sequence: number): RecentKeys {
  const { kernel: { heap, memory, exports }, shape } = context
  const arena = createArena(heap, 24 * recentMax + 1024)
  let known: (Keys & { readonly since: number }) | undefined, tooLongAgo = -1

  function read(since: number): Keys | undefined {
    arena.reset()
    const record = arena.allocate(recordBytes), prefix = arena.allocate(tableIdBytes), refs = arena.allocate(8 * recentMax), rows = arena.allocate(8 * recentMax)
    memory.u8.set(tableKey(shape.layout.tableId), prefix)
    const count = exports.skiplistReadSince(handle, since, bound(sequence), prefix, tableIdBytes, refs, rows, recentMax)
    if (count < 0) return undefined
    if (shape.form !== 'i64' || count === 0) return { record, keys: refs, count }
    const keys = arena.allocate(8 * count)
    exports.rowKeysToI64(refs, count, keys)
    return { record, keys, count }
  }
  return {
    after(since) {
      if (known !== undefined && known.since <= since) return known
      if (since <= tooLongAgo) return undefined
      const found = read(since)
      known = found && { ...found, since }
      if (found === undefined) tooLongAgo = since
      return known
    },
    close: arena.free,
  }
}

/** `all`: the same memtable's lane of all its keys. */
export function withRecentKeys(context: ReadContext, recent: RecentKeys, all: KeyLane): KeyLane {
  const recentAfter = (since: number): Keys | undefined => (since < 0 ? undefined : recent.after(since))
  return {
    isClear(low, high, since) {
      const found = recentAfter(since)
      return found === undefined ? all.isClear(low, high, since) : found.count === 0 || hasNone(context, found, low, high)
    },
    hide(rows, standing, since) {
      const found = recentAfter(since)
      if (found === undefined) return all.hide(rows, standing, since)
      if (found.count > 0) takeOut(context, found.record, found.keys, 0, found.count, rows, standing)
      return undefined
    },
    close: all.close,
  }
}

function hasNone(context: ReadContext, { keys, count }: Keys, low: Uint8Array, high: Boundary): boolean {
  return positionOf(context, keys, count, low) === positionOf(context, keys, count, high)
}
