/** The serving thread's end of a shared scan: what it offered, what of it is done, and who takes part. */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Pace } from '../../runtime/pace.ts'
import type { ChunkName, TableLayout } from '../layout.ts'
import { predicateOrdinals } from '../read/predicate.ts'
import type { ScanRequest } from '../tree.ts'
import { storedOrdinals } from '../vector/scan-columns.ts'
import type { Lateness } from './lateness.ts'
import { clearQueue, endQueue, finishMorsel, isMorselDone, morselsMax, publishMorsels, queueBytes, readMorsel, takeMorsel, untakenMorsels, viewQueue, writeMorsel, writeMorselColumn } from './morsel-queue.ts'
import type { MorselQueue } from './morsel-queue.ts'
import { createProspect } from './prospect.ts'
import type { ReaderPart, SharedScan, SharedWork } from './reader-messages.ts'
import type { Participation } from './reader-thread.ts'
import type { OfferedRowGroups, ScanShare } from './scan-share.ts'

export interface OpenShare extends ScanShare {
  /** Whether readers were asked to take part: what fails then is to be done again without them. */
  isStarted(): boolean
  /** Once all was offered and worked off: what the readers' rows came to; good until `close`. Throws when one failed. */
  end(): Promise<readonly ReaderPart[]>
  /** Stops the readers if `end` was not reached, waits until they touch nothing any more, and lets go of everything. */
  close(): Promise<void>
}

export interface ShareOptions {
  readonly kernel: Kernel
  readonly request: ScanRequest
  readonly work: SharedWork
  /** Fewer rows are not shared; 0: all are, also where readers are late. */
  readonly rowsMin: number
  /** Shards that are scanned. */
  readonly scanCount: number
  /** What may be pinned for row groups that are offered and not done. */
  readonly pinnedBytesMax: number
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly lateness: Lateness
  /** Whether a reader is free. */
  readonly isAnyFree: () => boolean
  /** Asks all that are free. */
  readonly invite: (scan: SharedScan) => readonly Participation[]
}

/** Row groups that were offered together. */
interface Offered {
  readonly groups: OfferedRowGroups
  /** How many of them are not done. */
  open: number
}

/** What there is once readers were asked. */
interface Started {
  readonly layout: TableLayout
  readonly names: readonly ChunkName[]
  readonly queue: MorselQueue
  readonly address: number
  readonly participations: readonly Participation[]
  /** By morsel modulo `morselsMax`. */
  readonly offered: Offered[]
  published: number
  /** All before it are done and let go of. */
  settled: number
  pinnedBytes: number
  readonly startMs: number
  isEnded: boolean
}

export function openShare(options: ShareOptions): OpenShare {
  const prospect = createProspect(options)
  let started: Started | undefined
  let scans = 0
  const finished: (() => void)[] = []
  const work: ScanShare['work'] = (left, pace) => (started === undefined ? undefined : workOff(started, left, pace))
  const leave = (): void => {
    scans--
    if (scans === 0) for (const resume of finished.splice(0)) resume()
  }
  return {
    enter() {
      scans++
      prospect.begin()
    },
    leave,
    async finish(pace) {
      const areAllFinished = new Promise<void>((resolve) => finished.push(resolve))
      // A scan from the cache ends before the next one, which is to begin in this turn, has offered anything: readers should not run dry between them.
      await Promise.resolve()
      leave()
      await areAllFinished
      await work(0, pace)
    },
    isStarted: () => started !== undefined,
    expect: prospect.expect,
    proceed(layout, rowCount) {
      if (started !== undefined) return
      prospect.proceed(rowCount)
      if (prospect.isLong()) started = start(options, layout, prospect.rowsLeft())
    },
    names: (layout) => (started !== undefined && isSameLayout(layout, started.layout) ? started.names : undefined),
    offer: (groups) => started !== undefined && offer(started, groups, options.pinnedBytesMax),
    work,
    async end() {
      if (started === undefined) return []
      const { queue, participations, startMs } = started
      const endMs = options.clock.monotonicMs()
      endQueue(queue, 'complete')
      const parts = await Promise.all(participations.map((each) => each.leave()))
      started.isEnded = true
      const nowMs = options.clock.monotonicMs()
      options.lateness.note(nowMs - endMs, nowMs - startMs)
      return parts.filter((part) => part !== undefined)
    },
    async close() {
      if (started === undefined) return
      const { queue, participations, address } = started
      if (!started.isEnded) {
        endQueue(queue, 'stopped')
        await Promise.allSettled(participations.map((each) => each.leave()))
      }
      letGo(started)
      for (const each of participations) each.free()
      options.kernel.heap.free(address)
    },
  }
}

/** Layouts only grow at their ends. */
const isSameLayout = (a: TableLayout, b: TableLayout): boolean => a === b || (a.columns.length === b.columns.length && a.missing?.length === b.missing?.length)

/** undefined when no reader is free or of use just now, or there is no memory for a queue. */
function start({ kernel, request, work, rowsMin, clock, lateness, isAnyFree, invite }: ShareOptions, layout: TableLayout, rowsLeft: number): Started | undefined {
  if ((lateness.areLeftOut && rowsMin > 0) || !isAnyFree()) return undefined
  const { predicate, conditions = [], computed = [] } = request
  const names: readonly ChunkName[] = ['tombstones', ...new Set([...predicateOrdinals(request), ...storedOrdinals(layout.columns.length, computed, ordinalsOf(work))])]
  const address = kernel.heap.tryAllocate(queueBytes(names.length))
  if (address === 0) return undefined
  const queue = viewQueue(kernel.memory, address, names.length)
  clearQueue(queue)
  const participations = invite({ layout, predicate, conditions, computed, names, work, queue: address, rowsExpected: predicate.length + conditions.length === 0 ? rowsLeft : 0 })
  return { layout, names, queue, address, participations, offered: [], published: 0, settled: 0, pinnedBytes: 0, startMs: clock.monotonicMs(), isEnded: false }
}

function ordinalsOf(work: SharedWork): readonly number[] {
  const arguments_ = work.aggregates.flatMap(({ ordinal }) => (ordinal === undefined ? [] : [ordinal]))
  return work.kind === 'groups' ? [...work.groupBy, ...arguments_] : arguments_
}

function offer(started: Started, groups: OfferedRowGroups, pinnedBytesMax: number): boolean {
  settle(started)
  const { names, queue, offered } = started
  if (started.published + groups.count - started.settled > morselsMax) return false
  if (started.pinnedBytes > 0 && started.pinnedBytes + groups.byteLength > pinnedBytesMax) return false
  const entry: Offered = { groups, open: groups.count }, { maps } = groups
  const zoneMaps = names.map((name) => (typeof name === 'number' ? maps.zoneMap(name) : 0))
  for (let index = 0; index < groups.count; index++) {
    const morsel = started.published++
    offered[morsel % morselsMax] = entry
    writeMorsel(queue, morsel, { rowCount: groups.rowCount(index), mustFilter: groups.mustFilter(index), standing: groups.standing(index), rowGroup: groups.first + index, rowGroupCount: maps.meta.rowGroupCount, liveRowCounts: maps.liveRowCounts })
    for (let place = 0; place < names.length; place++) writeMorselColumn(queue, morsel, place, groups.chunk(index, names[place]!), zoneMaps[place]!)
  }
  started.pinnedBytes += groups.byteLength
  publishMorsels(queue, started.published)
  return true
}

/** Lets go of what is done, in the order in which it was offered. */
function settle(started: Started): void {
  const { queue, offered } = started
  while (started.settled < started.published && isMorselDone(queue, started.settled)) {
    const entry = offered[started.settled++ % morselsMax]!
    if (--entry.open > 0) continue
    started.pinnedBytes -= entry.groups.byteLength
    entry.groups.unpin()
  }
}

/** Lets go of all, done or not. */
function letGo(started: Started): void {
  const left = new Set<OfferedRowGroups>()
  for (; started.settled < started.published; started.settled++) left.add(started.offered[started.settled % morselsMax]!.groups)
  for (const groups of left) groups.unpin()
}

/** undefined: done, without a pause. */
function workOff(started: Started, left: number, pace: Pace | undefined): Promise<void> | undefined {
  const { queue, offered, participations } = started
  while (untakenMorsels(queue) > left) {
    for (const { failure } of participations) if (failure !== undefined) throw failure
    const morsel = takeMorsel(queue)
    if (morsel < 0) return undefined
    offered[morsel % morselsMax]!.groups.process(readMorsel(queue, morsel))
    finishMorsel(queue, morsel)
    const pause = pace?.turn()
    if (pause !== undefined) return pause.then(() => workOff(started, left, pace))
  }
  return undefined
}
