/**
 * The reader threads of a database. Scans that are large enough are shared with those that are free; each joins one
 * scan at a time, and a scan that finds none goes on alone. They start with the first scan that has use for them.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import type { HeapRegion } from '../../kernel/open-kernel.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { ScanRequest } from '../tree.ts'
import { createLateness } from './lateness.ts'
import { openShare } from './open-share.ts'
import type { OpenShare } from './open-share.ts'
import type { SharedScan, SharedWork } from './reader-messages.ts'
import type { Participation, ReaderThread } from './reader-thread.ts'
import { startReaderThread } from './reader-thread.ts'

export interface ReadersOptions {
  readonly kernel: Kernel
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** One a thread. */
  readonly regions: readonly HeapRegion[]
  /** Scans of fewer rows are not shared. */
  readonly rowsMin: number
  readonly pinnedBytesMax: number
}

export interface ReaderStats {
  /** Threads that run and are ready. */
  readonly threads: number
  /** Scans that readers were asked to take part in, and row groups that they processed. */
  readonly scans: number
  readonly rowGroups: number
  /** Scans that failed with readers and were done again without. */
  readonly repeated: number
  /** Why a reader is gone or could not take part, or else why the last scan was repeated. */
  readonly trouble: string | undefined
}

export interface Readers {
  /** Of so many shards; undefined when there are no readers. */
  share(request: ScanRequest, work: SharedWork, scanCount: number): OpenShare | undefined
  /** A shared scan failed and is done again. */
  noteRepeated(error: unknown): void
  readonly stats: ReaderStats
  close(): Promise<void>
}

export function createReaders({ kernel, clock, regions, rowsMin, pinnedBytesMax }: ReadersOptions): Readers {
  const lateness = createLateness(clock)
  let threads: readonly ReaderThread[] = []
  let isClosed = false
  let scans = 0, repeated = 0
  let trouble: string | undefined

  function isAnyFree(): boolean {
    if (isClosed) return false
    if (threads.length === 0) threads = regions.map((region) => startReaderThread(kernel, region))
    return threads.some(({ isFree }) => isFree)
  }

  function invite(scan: SharedScan): readonly Participation[] {
    scans++
    return threads.filter(({ isFree }) => isFree).map((thread) => thread.invite(scan))
  }

  return {
    share: (request, work, scanCount) => (regions.length === 0 ? undefined : openShare({ kernel, request, work, scanCount, rowsMin, pinnedBytesMax, clock, lateness, isAnyFree, invite })),
    noteRepeated(error) {
      repeated++
      trouble = error instanceof Error ? error.message : String(error)
    },
    get stats() {
      return {
        threads: threads.filter(({ isReady }) => isReady).length,
        scans,
        rowGroups: threads.reduce((sum, thread) => sum + thread.rowGroups, 0),
        repeated,
        trouble: threads.find((thread) => thread.trouble !== undefined)?.trouble ?? trouble,
      }
    },
    async close() {
      isClosed = true
      await Promise.all(threads.map((thread) => thread.close()))
    },
  }
}
