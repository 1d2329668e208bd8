/** Chunks of some columns and row groups, pinned together, with the tail that says where each of them is. */
import { LsmtError } from '../../../errors.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
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
    return new Pins(file, await pinChunks(file, chunkIndexes(file, from, to, columns), stats))
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
  const frames = pinChunksCached(file, from, to, slotsOf(file, columns))
  if (frames === undefined) return undefined
  // In memory, so that there is nothing to wait for.
  void loader.hold()
  return new Pins(file, frames)
}

/** Ascending, each once. */
function chunkIndexes(file: OpenFile, from: number, to: number, columns: readonly ChunkName[]): readonly number[] {
  const { slots } = file.tail, wanted = slotsOf(file, columns)
  const indexes: number[] = []
  for (let rowGroup = from; rowGroup < to; rowGroup++) for (const slot of wanted) indexes.push(rowGroup * slots.count + slot)
  return indexes
}

/** Scans ask for what a filter needs, with the keys and without, for what readers need and for the rest in turn, window after window. */
const listsRemembered = 4

function slotsOf(file: OpenFile, columns: readonly ChunkName[]): readonly number[] {
  const { slots } = file.tail, { slotLists } = file
  for (const list of slotLists) if (list.of === slots && isSameList(list.columns, columns)) return list.wanted
  const wanted = [...new Set(columns.map((column) => slotOf(slots, column)))].filter((slot) => slot !== undefined).toSorted((a, b) => a - b)
  file.slotLists = [{ of: slots, columns, wanted }, ...slotLists.slice(0, listsRemembered - 1)]
  return wanted
}

function isSameList(left: readonly ChunkName[], right: readonly ChunkName[]): boolean {
  if (left === right) return true
  if (left.length !== right.length) return false
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false
  return true
}

/** Takes over one hold of the tail, and the pins of `frames`. A class, since a scan makes one for each window. */
class Pins implements PinnedChunks {
  private readonly file: OpenFile
  private readonly frames: readonly Frame[]
  private isPinned = true

  constructor(file: OpenFile, frames: readonly Frame[]) {
    this.file = file
    this.frames = frames
  }

  chunk(rowGroup: number, column: ChunkName): Pointer {
    const { file } = this, { slots } = file.tail, slot = slotOf(slots, column)
    if (slot === undefined) return 0
    const index = rowGroup * slots.count + slot, address = file.cache.peek(file.cached, index)
    // Most files have no tombstones, and ask for them again and again.
    if (address === 0 && chunkBytes(file, index) !== 0) throw notPinned(file, index)
    return address
  }

  unpin(): void {
    if (!this.isPinned) return
    this.isPinned = false
    unpinAll(this.file.cache, this.frames)
    this.file.loader.release()
  }
}

const notPinned = (file: OpenFile, index: number): LsmtError => new LsmtError('XX000', `internal error: ${chunkName(file.tail, index)} was not pinned`)
