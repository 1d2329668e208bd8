/** Row groups that are offered to the reader threads of a scan, instead of being read by the serving thread alone. */
import type { Pace } from '../../../runtime/pace.ts'
import type { ScanShare } from '../../readers/scan-share.ts'
import { rowGroupBytesOf } from '../../table/table.ts'
import type { ChunkName, PinnedChunks, TableReader } from '../../table/table.ts'
import type { ScanRequest } from '../../tree.ts'
import type { StandingRows } from '../layers/key-lane.ts'
import type { ReadContext } from '../read-context.ts'
import type { MorselWork } from './morsel-work.ts'
import { after } from './reading.ts'
import type { Reading } from './reading.ts'
import type { SelectedRowGroup } from './select-rows.ts'

/** What becomes of rows, on whichever thread, and with whom they are shared. */
export interface SharedRows {
  readonly share: ScanShare
  readonly pace: Pace | undefined
  visit(rows: SelectedRowGroup): void
}

/** Of a request that is shared; undefined for another. */
export function sharedRows({ share, pace }: ScanRequest, visit: SharedRows['visit']): SharedRows | undefined {
  return share && { share, pace, visit }
}

export interface ShareWindow {
  readonly context: ReadContext
  readonly shared: SharedRows
  readonly reader: TableReader
  /** Row groups [from, to), all rows of which lie in the scan's range. */
  readonly from: number
  readonly to: number
  /** Only if all that may be needed of them is in the cache: a predicate may spare reading it. */
  readonly onlyCached: boolean
  mustFilter(rowGroup: number): boolean
  /** Chunks that are needed beside those of the share, to find out which rows stand. */
  readonly more: readonly ChunkName[]
  hide(): Reading
  standing(rowGroup: number): StandingRows | undefined
  /** Gives away what `standing` tells of. */
  takeStanding(): { free(): void } | undefined
  readonly morsels: MorselWork
}

/** So many row groups are kept in the queue, some milliseconds of work, before this thread does some itself: it may be busy with other requests for a while. */
const backlogMax = 256

/** `alone` reads the row groups here: when no reader takes part, or there is no room in the queue. */
export function shareWindow(window: ShareWindow, alone: () => Reading): Reading {
  const { context, shared: { share, pace }, reader, from, to, onlyCached, mustFilter, morsels } = window
  const names = share.names(context.shape.layout)
  if (names === undefined) return alone()
  const offer = (pins: PinnedChunks): Reading => {
    let standing: { free(): void } | undefined
    const isTaken = share.offer({
      first: from,
      count: to - from,
      maps: reader,
      byteLength: (to - from) * rowGroupBytesOf(reader.meta),
      rowCount: (index) => reader.rowGroupRows(from + index),
      mustFilter: (index) => mustFilter(from + index),
      chunk: (index, name) => pins.chunk(from + index, name),
      standing: (index) => window.standing(from + index),
      process: (rows) => morsels.process(rows, names),
      unpin() {
        pins.unpin()
        standing?.free()
      },
    })
    if (isTaken) {
      standing = window.takeStanding()
      return share.work(backlogMax, pace)
    }
    pins.unpin()
    return after(share.work(0, pace), alone)
  }
  const hideAndOffer = (pins: PinnedChunks): Reading => {
    const failed = (error: unknown): never => {
      pins.unpin()
      throw error
    }
    try {
      const reading = window.hide()
      if (reading !== undefined) return reading.then(() => offer(pins), failed)
    } catch (error) {
      return failed(error)
    }
    return offer(pins)
  }
  const needed = [...names, ...window.more], cached = reader.pinCached(from, to, needed)
  if (cached !== undefined) return hideAndOffer(cached)
  return onlyCached ? alone() : reader.pin(from, to, needed, context.stats).then(hideAndOffer)
}
