/** What was written to a memtable since an image of it was made, as a run of one page. */
import { compareBoundaries, copyOut, firstBoundary } from '../../keys/key-bytes.ts'
import type { Boundary } from '../../keys/key-bytes.ts'
import type { RangeCover } from '../../keys/range-cover.ts'
import { createArena } from '../../state/arena.ts'
import type { RecentRows } from '../layers/recent-keys.ts'
import type { ReadContext } from '../read-context.ts'
import { memtablePage } from './memtable-source.ts'
import type { MemtableSource } from './memtable-source.ts'
import { positionOf } from './run-page.ts'

/** Of a forward scan. `cover` is that of newer runs. */
export function createRecentSource(context: ReadContext, recent: RecentRows, cover: RangeCover): MemtableSource {
  const { heap, memory } = context.kernel, { keys, refs, count } = recent
  const arena = createArena(heap)
  let lower = firstBoundary, upper: Boundary, isRead = true
  return {
    open(first, end) {
      lower = first
      upper = end
      isRead = compareBoundaries(first, end) >= 0
    },
    next() {
      const from = positionOf(context, keys, count, lower), to = positionOf(context, keys, count, upper)
      if (isRead || from >= to) return undefined
      isRead = true
      arena.reset()
      return memtablePage(context, recent, { from, to, last: true }, cover, { lower, upper }, arena)
    },
    peek(boundary) {
      const ref = (refs >>> 2) + 2 * positionOf(context, keys, count, boundary)
      return ref === (refs >>> 2) + 2 * count ? undefined : copyOut(memory, memory.u32[ref]!, memory.u32[ref + 1]!)
    },
    close: arena.free,
  }
}
