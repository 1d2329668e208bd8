/**
 * Images of memtables as layers of a scan, and the rows that are left to be read one by one: what was written to each memtable
 * since its image.
 *
 * The rows of an image hide those of older memtables by their keys, which only layers are asked about; rows that are read one by one are
 * merged among themselves. So a memtable's image is of use as long as nothing is left of the older ones.
 */
import type { MemtableImage } from '../../image/image.ts'
import type { RangeCover } from '../../keys/range-cover.ts'
import type { Memtable } from '../../state/memtable.ts'
import type { View } from '../../state/view.ts'
import type { ReadContext } from '../read-context.ts'
import { createRecentKeys } from './recent-keys.ts'
import type { RecentKeys, RecentRows } from './recent-keys.ts'

export interface ImageLayer {
  readonly image: MemtableImage
  /** What the memtable has beside the image. */
  readonly recent: RecentRows
}

/** One that a scan reads. */
export interface ReadMemtable {
  readonly memtable: Memtable
  /** What newer ones delete by range. */
  readonly cover: RangeCover
  /** Where all but what was written lately is read so. */
  readonly layer: ImageLayer | undefined
}

export interface MemtableLayers {
  of(memtable: Memtable): ImageLayer | undefined
  /** Tells the memtables how many of their rows are read one by one. */
  noteReads(): void
  close(): void
}

export const noMemtableLayers: MemtableLayers = { of: () => undefined, noteReads: () => undefined, close: () => undefined }

/** For a scan of all keys. The caller keeps the view until they are closed. */
export function openMemtableLayers(context: ReadContext, { memtables }: View, sequence: number): MemtableLayers {
  const { shape } = context, layers = new Map<Memtable, ImageLayer>(), opened: RecentKeys[] = []
  for (const memtable of memtables.toReversed()) {
    if (memtable.entryCount() === 0) continue
    const image = memtable.images?.find(shape.layout.tableId, sequence)
    if (image === undefined) break
    const keys = createRecentKeys(context, memtable, sequence), recent = keys.after(image.sequence)
    opened.push(keys)
    if (recent === undefined || !image.hold()) break
    layers.set(memtable, { image, recent })
    if (recent.count > 0) break
  }
  return {
    of: (memtable) => layers.get(memtable),
    noteReads() {
      for (const memtable of memtables) memtable.images?.noteRead(shape, layers.get(memtable)?.recent.count ?? memtable.entryCount(), sequence)
    },
    close() {
      for (const { image } of layers.values()) image.release()
      for (const keys of opened) keys.close()
      layers.clear()
    },
  }
}
