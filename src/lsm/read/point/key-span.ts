/**
 * Whether a span of keys holds anything at all, asked of a few bounds instead of each key: a bulk INSERT in the order of
 * its keys goes where there is nothing yet, and then needs to look up none of them.
 */
import type { Kernel } from '../../../kernel/kernel.ts'
import { tableKey } from '../../batch-builder.ts'
import { createArena } from '../../state/arena.ts'
import type { Memtable } from '../../state/memtable.ts'
import type { Levels, TableFile } from '../../state/version.ts'
import type { View } from '../../state/view.ts'
import { boundaryAfter, compareBytes } from '../../keys/key-bytes.ts'
import type { KeySpan } from '../../keys/key-bytes.ts'

/** True: no memtable has a key of the span, and no file begins or ends in it or reaches over it. Deleted keys count as keys. Reads no storage. */
export function isEmptySpan(kernel: Kernel, view: View, sequence: number, tableId: number, span: KeySpan): boolean {
  const levels = view.version.tables.get(tableId)
  if (levels?.some((files, level) => (level === 0 ? files.some((file) => reachesInto(file, span)) : sortedReachInto(files, span)))) return false
  return areEmpty(kernel, view.memtables, sequence, tableId, span)
}

function reachesInto({ meta }: TableFile, { first, last }: KeySpan): boolean {
  return compareBytes(meta.minKey, last) <= 0 && compareBytes(meta.maxKey, first) >= 0
}

/** Of files whose keys follow each other, only the first that ends after the span's beginning may. */
function sortedReachInto(files: Levels[number], span: KeySpan): boolean {
  let low = 0, high = files.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareBytes(files[middle]!.meta.maxKey, span.first) < 0) low = middle + 1
    else high = middle
  }
  return low < files.length && reachesInto(files[low]!, span)
}

function areEmpty({ heap, memory, exports }: Kernel, memtables: readonly Memtable[], sequence: number, tableId: number, { first, last }: KeySpan): boolean {
  const arena = createArena(heap, 512)
  try {
    const prefix = tableKey(tableId), from = Buffer.concat([prefix, first]), bound = Buffer.concat([prefix, boundaryAfter(last)])
    const cursor = arena.allocate(32), refs = arena.allocate(16), fromAt = arena.allocate(from.length), boundAt = arena.allocate(bound.length)
    memory.u8.set(from, fromAt)
    memory.u8.set(bound, boundAt)
    return memtables.every(({ handle, bound: visible }) => {
      exports.skiplistSeek(handle, fromAt, from.length, 0, cursor)
      return exports.skiplistRead(handle, cursor, visible(sequence), boundAt, bound.length, prefix.length, refs, refs + 8, 1) === 0
    })
  } finally {
    arena.free()
  }
}
