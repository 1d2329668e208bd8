/**
 * Images: what a memtable had of a table as of a sequence number, encoded as a table file would be, beside the memtable and
 * only for as long as it lives. A scan reads the image as the newest file, without the rows that were written again since,
 * and row by row only what was written since: rows of a memtable are scattered, and each costs a scan as much as some
 * twenty encoded ones. (Oracle's in-memory column store keeps units of columns and a journal of later changes beside its row store in the
 * same way: Lahiri et al. 2015.)
 *
 * An image is made anew once scans have gone row by row through `readsAnImage` times as many rows as it will have, which is
 * what making it costs: so the two never cost more than twice what the better of them would, whoever writes and reads
 * how often (as in renting or buying skis, Karlin et al. 1988).
 *
 * An image is a chunk of the cache, an eighth of it at most: when it is evicted, the rows are read one by one again.
 */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { TreeSettings } from '../../settings.ts'
import { slicedPause } from '../compaction/job-environment.ts'
import type { RowLayout } from '../keys/row-layout.ts'
import type { ChunkCache } from '../table/chunk-cache.ts'
import { encodeImage } from './encode-image.ts'
import type { EncodedImage } from './encode-image.ts'
import type { Imaged, ImageKeeper, MemtableImage, MemtableImages } from './image.ts'

const readsAnImage = 4

export interface ImageKeeperOptions {
  readonly kernel: Kernel
  readonly cache: ChunkCache
  readonly clock: Clock
  readonly settings: TreeSettings
  readonly shard: number
  readonly signal: AbortSignal
  /** Of an image that could not be made; reads do without. */
  onFailure(error: unknown): void
}

export function createImageKeeper(options: ImageKeeperOptions): ImageKeeper {
  const running = new Set<Promise<void>>()
  const track = (work: Promise<void>): void => {
    const tracked: Promise<void> = work.catch(options.onFailure).finally(() => running.delete(tracked))
    running.add(tracked)
  }
  return {
    imagesOf: (memtable) => createImages(options, memtable, track),
    async settled() {
      while (running.size > 0) await Promise.all(running)
    },
  }
}

/** Of one table. */
interface Kept {
  image: MemtableImage | undefined
  /** Row by row, since the image was begun. */
  rowsRead: number
  isBusy: boolean
}

function forget(kept: Kept): void {
  kept.image?.close()
  kept.image = undefined
}

function createImages(options: ImageKeeperOptions, memtable: Imaged, track: (work: Promise<void>) => void): MemtableImages {
  const byTable = new Map<number, Kept>()
  let isFreed = false

  async function renew(kept: Kept, shape: RowLayout, sequence: number): Promise<void> {
    memtable.retain()
    kept.isBusy = true
    kept.rowsRead = 0
    try {
      // The read that asks for it goes first.
      await new Promise((resolve) => setImmediate(resolve))
      const image = await makeImage(options, shape, memtable.handle, sequence, track)
      if (image === undefined) return
      forget(kept)
      kept.image = image
    } finally {
      kept.isBusy = false
      memtable.release()
    }
  }
  return {
    find(tableId, sequence) {
      const kept = byTable.get(tableId)
      if (kept?.image?.isGone === true) forget(kept)
      return kept?.image === undefined || kept.image.sequence > sequence || memtable.rangeCount() > 0 ? undefined : kept.image
    },
    noteRead(shape, rowCount, sequence) {
      const { tableId } = shape.layout, entryCount = memtable.entryCount()
      // Of few rows an image is not worth the look at one more file.
      if (entryCount < options.settings.memtableImageRowsMin) return
      const kept = byTable.get(tableId) ?? { image: undefined, rowsRead: 0, isBusy: false }
      byTable.set(tableId, kept)
      kept.rowsRead += rowCount
      const isDue = kept.rowsRead >= readsAnImage * entryCount && !kept.isBusy && !isFreed && memtable.rangeCount() === 0
      if (isDue && sequence > (kept.image?.sequence ?? -1) && !options.signal.aborted) track(renew(kept, shape, sequence))
    },
    free() {
      isFreed = true
      for (const kept of byTable.values()) forget(kept)
    },
  }
}

async function makeImage(options: ImageKeeperOptions, shape: RowLayout, memtable: Pointer, sequence: number, track: (work: Promise<void>) => void): Promise<MemtableImage | undefined> {
  const { cache, clock, settings, signal } = options
  const pause = slicedPause(clock, settings.sliceMsMax, signal), byteLengthMax = cache.bytesMax / 8
  const encoded = await encodeImage({ ...options, byteLengthMax, pause }, shape, memtable, sequence).catch(noneWithoutRoom)
  return encoded && image(encoded, sequence, track)
}

function image({ reader, bytes }: EncodedImage, sequence: number, track: (work: Promise<void>) => void): MemtableImage {
  let holders = 0, isClosed = false
  const closeUnlessHeld = (): void => {
    if (isClosed && holders === 0) track(reader.close())
  }
  return {
    sequence, reader,
    get isGone() { return bytes.isGone },
    hold() {
      const isHeld = bytes.pin()
      if (isHeld) holders++
      return isHeld
    },
    release() {
      bytes.unpin()
      holders--
      closeUnlessHeld()
    },
    close() {
      isClosed = true
      closeUnlessHeld()
    },
  }
}

/** Nor one that a closing tree has stopped. */
function noneWithoutRoom(error: unknown): undefined {
  if (!(error instanceof LsmtError && (error.code === '53200' || error.code === '57014'))) throw error
}
