/** Chunks of some columns and row groups, pinned together, with the tail that says where each of them is. */
import { invariant } from '../../../errors.ts'
import type { Frame } from '../chunk-cache.ts'
import type { ReadStats } from '../fetch.ts'
import { slotOf } from '../format.ts'
import type { ChunkName, PinnedChunks } from '../table.ts'
import { chunkBytes, chunkName, pinChunks, pinChunksCached, unpinAll } from './chunk-loader.ts'
import { quickenAskedOften } from './expand-chunk.ts'
import type { OpenFile } from './open-file.ts'

export async function pin(file: OpenFile, from: number, to: number, columns: readonly ChunkName[], stats?: ReadStats): Promise<PinnedChunks> {
  const waiting = file.loader.hold(stats)
  if (waiting !== undefined) await waiting
  try {
    return pinnedChunks(file, await pinChunks(file, chunkIndexes(file, from, to, columns), stats))
  } catch (error) {
    file.loader.release()
    throw error
  }
}

/** undefined, with nothing pinned, when something must be read. */
export function pinCached(file: OpenFile, from: number, to: number, columns: readonly ChunkName[]): PinnedChunks | undefined {
  const { loader } = file
  // Nothing is pinned for this read yet, so that it can be done now.
  if (file.askedOften >= 0 && loader.isInMemory) quickenAskedOften(file, file.askedOften)
  if (!loader.isInMemory) return undefined
  const frames = pinChunksCached(file, chunkIndexes(file, from, to, columns))
  if (frames === undefined) return undefined
  // In memory, so that there is nothing to wait for.
  void loader.hold()
  return pinnedChunks(file, frames)
}

/** Ascending, each once. */
function chunkIndexes(file: OpenFile, from: number, to: number, columns: readonly ChunkName[]): readonly number[] {
  const { slots } = file.tail, wanted = slotsOf(file, columns)
  const indexes: number[] = []
  for (let rowGroup = from; rowGroup < to; rowGroup++) for (const slot of wanted) indexes.push(rowGroup * slots.count + slot)
  return indexes
}

/** Two lists are remembered: scans ask for what a filter needs and for the rest in turn, window after window. */
function slotsOf(file: OpenFile, columns: readonly ChunkName[]): readonly number[] {
  const { slots } = file.tail, [last] = file.slotLists
  const known = file.slotLists.find((list) => list.of === slots && isSameList(list.columns, columns))
  if (known !== undefined) return known.wanted
  const wanted = [...new Set(columns.map((column) => slotOf(slots, column)))].filter((slot) => slot !== undefined).toSorted((a, b) => a - b)
  file.slotLists = [{ of: slots, columns, wanted }, ...(last === undefined ? [] : [last])]
  return wanted
}

function isSameList(left: readonly ChunkName[], right: readonly ChunkName[]): boolean {
  if (left === right) return true
  if (left.length !== right.length) return false
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false
  return true
}

/** Takes over one hold of the tail, and the pins of `frames`. */
function pinnedChunks(file: OpenFile, frames: readonly Frame[]): PinnedChunks {
  const { cache, cached, loader, tail: { slots } } = file
  let isPinned = true
  return {
    chunk(rowGroup, column) {
      const slot = slotOf(slots, column)
      if (slot === undefined) return 0
      const index = rowGroup * slots.count + slot
      const address = cache.peek(cached, index)
      // The message takes longer than all else.
      if (address === 0) invariant(chunkBytes(file, index) === 0, () => `${chunkName(file.tail, index)} was not pinned`)
      return address
    },
    unpin() {
      if (!isPinned) return
      isPinned = false
      unpinAll(cache, frames)
      loader.release()
    },
  }
}
