/**
 * Whether a span of keys holds anything at all, asked of a few bounds instead of each key: a bulk INSERT in the order of
 * its keys goes where there is nothing yet, and then needs to look up none of them.
 */
import type { Kernel } from '../../../kernel/kernel.ts'
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import { tableIdBytes } from '../../batch.ts'
import type { Memtable } from '../../state/memtable.ts'
import type { Levels, TableFile } from '../../state/version.ts'
import type { View } from '../../state/view.ts'
import { compareBytes } from '../../keys/key-bytes.ts'
import type { KeySpan } from '../../keys/key-bytes.ts'

/** True: no memtable has a key of the span, whenever it was written, and no file begins or ends in it or reaches over it. Deleted keys count as keys. Reads no storage. */
export function isEmptySpan(kernel: Kernel, view: View, tableId: number, span: KeySpan): boolean {
  const levels = view.version.tables.get(tableId)
  if (levels?.some((files, level) => (level === 0 ? files.some((file) => reachesInto(file, span)) : sortedReachInto(files, span)))) return false
  return areEmpty(kernel, view.memtables, tableId, span)
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

function areEmpty({ heap, memory, exports }: Kernel, memtables: readonly Memtable[], tableId: number, { first, last }: KeySpan): boolean {
  const firstBytes = tableIdBytes + first.length, lastBytes = tableIdBytes + last.length
  const firstAt = heap.allocate(firstBytes + lastBytes), lastAt = firstAt + firstBytes
  writeKey(memory, firstAt, tableId, first)
  writeKey(memory, lastAt, tableId, last)
  const areEmpty = memtables.every(({ handle }) => exports.skiplistHasKeys(handle, firstAt, firstBytes, lastAt, lastBytes) === 0)
  heap.free(firstAt)
  return areEmpty
}

function writeKey({ u8, view }: LinearMemory, at: Pointer, tableId: number, key: Uint8Array): void {
  view.setUint32(at, tableId)
  u8.set(key, at + tableIdBytes)
}
