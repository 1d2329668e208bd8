/**
 * What many point reads wait for, read together: each tail and each row group once, those of one file by requests that are
 * joined as a scan's are, all files at a time. How many requests are under way at a time is the storage's to bound.
 * Other nodes are asked for all that is wanted of each at once.
 */
import { LsmtError } from '../../../errors.ts'
import type { ReadStats } from '../../table/fetch.ts'
import { rowGroupBytesOf } from '../../table/table.ts'
import type { TableReader } from '../../table/table.ts'
import type { AskedElsewhere, PointFetch, ReadElsewhere } from '../../tree.ts'
import { loadTails } from '../load-tails.ts'

export interface FetchBatch {
  /** There is as much to be read as the cache should give up for it. */
  readonly isFull: boolean
  add(fetch: PointFetch): void
  /**
   * Reads all of it into the cache. Who asks again then mostly finds it: what had no room, or has left the cache since,
   * is to be fetched by itself.
   */
  run(stats: ReadStats | undefined): Promise<void>
}

export function createFetchBatch(): FetchBatch {
  const tails = new Set<TableReader>()
  const rowGroups = new Map<TableReader, Set<number>>()
  const elsewhere = new Map<AskedElsewhere, ReadElsewhere[]>()
  let byteLength = 0
  let bytesMax = Number.POSITIVE_INFINITY

  const addTail = (file: TableReader): void => {
    if (!tails.has(file)) byteLength += file.meta.tailBytes
    tails.add(file)
  }
  const addRowGroup = (file: TableReader, rowGroup: number): void => {
    const known = rowGroups.get(file) ?? new Set()
    if (!known.has(rowGroup)) byteLength += rowGroupBytesOf(file.meta)
    rowGroups.set(file, known.add(rowGroup))
  }
  const addElsewhere = (read: ReadElsewhere): void => {
    const reads = elsewhere.get(read.asked)
    if (reads === undefined) elsewhere.set(read.asked, [read])
    else reads.push(read)
  }
  return {
    get isFull() { return byteLength >= bytesMax },
    add({ files, rowGroup, elsewhere: far }) {
      if (far !== undefined) addElsewhere(far)
      for (const file of files) {
        // What a scan of all shards may pin.
        bytesMax = 4 * file.windowBytesMax
        if (rowGroup === undefined) addTail(file)
        else addRowGroup(file, rowGroup)
      }
    },
    async run(stats) {
      const outcomes = await Promise.allSettled([
        loadTails([...tails], stats),
        ...[...rowGroups].map(([file, wanted]) => file.fetchRowGroups([...wanted].toSorted((a, b) => a - b), stats)),
        ...[...elsewhere].map(([asked, reads]) => asked.ask(reads, stats)),
      ])
      const failed = outcomes.find((outcome) => outcome.status === 'rejected' && !isLackOfRoom(outcome.reason))
      if (failed?.status === 'rejected') throw failed.reason
    },
  }
}

/** Others hold too much of the cache just now. */
const isLackOfRoom = (cause: unknown): boolean => cause instanceof LsmtError && cause.code === '53200'
