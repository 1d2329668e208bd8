/** A scan whose row groups are taken by whichever thread comes first, as the code that reads row groups sees it. */
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { Pace } from '../../runtime/pace.ts'
import type { ChunkName, TableLayout } from '../layout.ts'
import type { ZoneMaps } from '../table/table.ts'
import type { MorselRows } from './morsel-queue.ts'

/** Row groups whose chunks are pinned. */
export interface OfferedRowGroups {
  /** Of their file. */
  readonly first: number
  readonly count: number
  readonly maps: ZoneMaps
  /** What they may hold in the cache. */
  readonly byteLength: number
  rowCount(index: number): number
  /** Whether the predicate is to be asked of its rows. */
  mustFilter(index: number): boolean
  /** The rows that newer runs leave, where they may hide some; the bitmap is for whoever processes it to change. */
  standing(index: number): MorselRows['standing']
  /** As the file has it; 0 for what it does not have. */
  chunk(index: number, name: ChunkName): Pointer
  /** Does on this thread what a reader would do with one of them. */
  process(rows: MorselRows): void
  unpin(): void
}

/** Of one shard's scan. All scans of a share begin in one turn. */
export interface ScanShare {
  /** A scan begins. What it offers may be processed by others' calls of `work` until it has finished, or left. */
  enter(): void
  /** So many rows will be read. Returns how many all scans are likely to read. */
  expect(rowCount: number): number
  /** So many of them, of `layout`, are next; readers are asked to take part once what is left is known to be worth it. */
  proceed(layout: TableLayout, rowCount: number): void
  /** The chunks that offered row groups must have pinned; undefined while row groups of `layout` are for this thread alone. */
  names(layout: TableLayout): readonly ChunkName[] | undefined
  /** Takes the row groups over; false, with nothing done, when there is no room for them. */
  offer(groups: OfferedRowGroups): boolean
  /** Processes what was offered, by whatever shard, and nobody has taken, until at most `left` of it are left. Throws when a reader failed. */
  work(left: number, pace: Pace | undefined): Promise<void> | undefined
  /** A scan has offered all it has: once all have, what nobody has taken is processed. */
  finish(pace: Pace | undefined): Promise<void>
  /** A scan that does not finish ends. */
  leave(): void
}
