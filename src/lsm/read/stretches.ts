/**
 * The fork between the two ways a scan in key order reads, the delicate spot of the tree; layers/plan-layers.ts plans the others.
 *
 * The key space of a scan is cut, lazily and in the direction of the scan, into stretches [lower, upper):
 *
 * - direct: row groups of one file, where no other run has a row group and no memtable has an entry between their
 *   first and last key, and no newer range tombstone reaches in. What stands there is the newest word on its keys, so
 *   zone maps may prune it, filters may run on encoded chunks, and stored aggregates may answer.
 * - merged: everything else. Rows are merged first and filtered after: a predicate, or pruning by it, must never be
 *   pushed below the merge, since dropping the newest row of a key would bring back an older one.
 *
 * Row groups are taken as the keys from their first key up to the run's next row group's first key, or just past the
 * file's largest key: more than they hold, never less. Boundaries stand between keys (see key-bytes.ts), so that both
 * directions are the same walk: `near` is the side a scan meets first. A step of the walk, at boundary `at`:
 *
 * 1. each file run's next row group, and the memtables' next entry (one for all of them together);
 * 2. memtables alone up to the nearest row group, when they come first: merged;
 * 3. otherwise the nearest row group, with as many after it in its file as end before anything else starts: direct;
 * 4. otherwise the nearest row group overlaps something: merged to its far end, over all runs.
 *
 * Where row groups begin stands in the tails of files, which are read when the walk comes to the file, and held until it
 * goes on to the next one: while a stretch is read, so is the tail of its file.
 */
import { boundaryAfter, compareBoundaries, compareBytes, firstBoundary, largerBoundary, smallerBoundary } from '../keys/key-bytes.ts'
import type { Boundary } from '../keys/key-bytes.ts'
import { coverTouches } from '../keys/range-cover.ts'
import type { RangeCover } from '../keys/range-cover.ts'
import type { TableReader } from '../table/table.ts'
import type { Shadow } from './layers/shadow.ts'
import type { MemtableSource } from './merge/memtable-source.ts'
import type { ReadContext } from './read-context.ts'
import { firstKeyOf, rowGroupEnd } from './row-group-columns.ts'

/** One run of table files in the scan's key range, in key order; `cover` is what newer runs delete. */
export interface FileRun {
  readonly readers: readonly TableReader[]
  readonly cover: RangeCover
}

export type Stretch =
  | {
    readonly kind: 'direct'
    readonly reader: TableReader
    readonly from: number
    readonly to: number
    readonly lower: Uint8Array
    readonly upper: Boundary
    /** What newer runs hide of it (see layers/plan-layers.ts); absent: nothing. */
    readonly shadow: Shadow | undefined
  }
  | { readonly kind: 'merged'; readonly lower: Uint8Array; readonly upper: Boundary; readonly memtablesOnly: boolean }

export interface StretchPlan {
  /** A promise where a tail must be read first. The stretch before is void then: its file's tail may be let go of. */
  next(): Stretch | undefined | Promise<Stretch | undefined>
  close(): void
}

/** A row group as an interval of keys. */
interface Unit {
  readonly run: FileRun
  readonly reader: TableReader
  readonly rowGroup: number
  readonly low: Uint8Array
  readonly high: Boundary
}

interface Walk {
  readonly context: ReadContext
  readonly lower: Uint8Array
  readonly upper: Boundary
  readonly walkers: readonly RunWalker[]
  readonly memtables: readonly MemtableSource[]
  at: Boundary
  ended: boolean
}

export function planStretches(context: ReadContext, lower: Uint8Array, upper: Boundary, runs: readonly FileRun[], memtables: readonly MemtableSource[]): StretchPlan {
  const { reverse } = context
  const walk: Walk = { context, lower, upper, walkers: runs.map((run) => createWalker(context, run)), memtables, at: reverse ? upper : lower, ended: compareBoundaries(lower, upper) >= 0 }
  return {
    next: () => nextStretch(walk),
    close() {
      for (const walker of walk.walkers) walker.close()
    },
  }
}

function nextStretch(walk: Walk): Stretch | undefined | Promise<Stretch | undefined> {
  if (walk.ended) return undefined
  const waits: Promise<void>[] = []
  for (const walker of walk.walkers) {
    const waiting = walker.seek(walk.at)
    if (waiting !== undefined) waits.push(waiting)
  }
  return waits.length === 0 ? stretchHere(walk) : Promise.all(waits).then(() => nextStretch(walk))
}

function stretchHere(walk: Walk): Stretch | undefined {
  const { reverse } = walk.context
  const units = walk.walkers.map(({ unit }) => unit).filter((unit) => unit !== undefined)
  const far = reverse ? walk.lower : walk.upper
  const nearOf = (unit: Unit): Boundary => laterOf(walk, reverse ? unit.high : unit.low, walk.at)
  const nearest = units.reduce<Unit | undefined>((best, unit) => (best === undefined || isBefore(walk, nearOf(unit), nearOf(best)) ? unit : best), undefined)
  const memtableNear = nearestEntry(walk)
  if (nearest === undefined || !isBefore(walk, nearOf(nearest), far)) {
    walk.ended = true
    return memtableNear === undefined ? undefined : mergedTo(walk, far, true)
  }
  if (memtableNear !== undefined && isBefore(walk, memtableNear, nearOf(nearest))) return mergedTo(walk, nearOf(nearest), true)
  const others = units.filter((unit) => unit !== nearest).map(nearOf)
  if (memtableNear !== undefined) others.push(memtableNear)
  const nextOther = others.reduce<{ at: Boundary } | undefined>((best, at) => (best === undefined || isBefore(walk, at, best.at) ? { at } : best), undefined)
  return directFrom(walk, nearest, nextOther) ?? mergedTo(walk, farOf(walk, nearest), false)
}

/** The direct stretch that starts with `unit`; undefined when the unit itself overlaps something. */
function directFrom(walk: Walk, unit: Unit, nextOther: { readonly at: Boundary } | undefined): Stretch | undefined {
  const { context: { reverse } } = walk
  if (!isClear(walk, unit, nextOther)) return undefined
  const last = unit.run.cover.length === 0 ? lastClear(walk, unit, nextOther) : lastClearStepwise(walk, unit, nextOther)
  const { lower, upper } = advance(walk, reverse ? last.low : last.high)
  const from = Math.min(unit.rowGroup, last.rowGroup), to = Math.max(unit.rowGroup, last.rowGroup) + 1
  return { kind: 'direct', reader: unit.reader, from, to, lower, upper, shadow: undefined }
}

/** Whether nothing else starts before a row group's far end, and nothing newer deletes in it. */
function isClear(walk: Walk, unit: Unit, nextOther: { readonly at: Boundary } | undefined): boolean {
  if (nextOther !== undefined && isBefore(walk, nextOther.at, farOf(walk, unit))) return false
  return !coverTouches(unit.run.cover, unit.low, unit.high)
}

/** The last clear row group of a file that nothing newer deletes in: found by search. */
function lastClear(walk: Walk, unit: Unit, nextOther: { readonly at: Boundary } | undefined): Unit {
  const { context } = walk
  const { run, reader } = unit
  const far = context.reverse ? walk.lower : walk.upper
  const limit = nextOther === undefined || isBefore(walk, far, nextOther.at) ? far : nextOther.at
  const step = context.reverse ? 1 : -1
  // The row group that the limit falls in, or that ends there.
  let rowGroup = context.reverse ? reader.rowGroupsIn(limit, undefined).from : reader.rowGroupsIn(undefined, limit).to - 1
  for (; rowGroup !== unit.rowGroup; rowGroup += step) {
    const candidate = unitOf(context, run, reader, rowGroup)
    if (nextOther === undefined || !isBefore(walk, nextOther.at, farOf(walk, candidate))) return candidate
  }
  return unit
}

function lastClearStepwise(walk: Walk, unit: Unit, nextOther: { readonly at: Boundary } | undefined): Unit {
  const { context } = walk
  const { run, reader } = unit
  const step = context.reverse ? -1 : 1
  const far = context.reverse ? walk.lower : walk.upper
  let last = unit
  for (let rowGroup = unit.rowGroup + step; rowGroup >= 0 && rowGroup < reader.meta.rowGroupCount; rowGroup += step) {
    const candidate = unitOf(context, run, reader, rowGroup)
    if (!isBefore(walk, context.reverse ? candidate.high : candidate.low, far) || !isClear(walk, candidate, nextOther)) break
    last = candidate
  }
  return last
}

function mergedTo(walk: Walk, far: Boundary, memtablesOnly: boolean): Stretch {
  const { lower, upper } = advance(walk, far)
  return { kind: 'merged', lower, upper, memtablesOnly }
}

/** Moves the walk to `far`, within the scan's range, and returns what it passed. */
function advance(walk: Walk, far: Boundary): { readonly lower: Uint8Array; readonly upper: Boundary } {
  const { context: { reverse }, at } = walk
  if (reverse) {
    const lower = largerBoundary(walk.lower, far) ?? walk.lower
    walk.at = lower
    walk.ended ||= compareBoundaries(lower, walk.lower) <= 0
    return { lower, upper: at }
  }
  const upper = smallerBoundary(walk.upper, far)
  walk.at = upper
  walk.ended ||= compareBoundaries(upper, walk.upper) >= 0
  return { lower: at ?? firstBoundary, upper }
}

/** Where the memtables' next entry begins, in the direction of the walk; undefined when they have none in the range. */
function nearestEntry(walk: Walk): Uint8Array | undefined {
  const { context: { reverse }, memtables, at } = walk
  const far = reverse ? walk.lower : walk.upper
  let nearest: Uint8Array | undefined
  for (const source of memtables) {
    const key = source.peek(at)
    if (key === undefined) continue
    const near = reverse ? boundaryAfter(key) : key
    if (isBefore(walk, near, far) && (nearest === undefined || isBefore(walk, near, nearest))) nearest = near
  }
  return nearest
}

/** Whether the walk meets boundary `left` strictly before `right`. */
function isBefore({ context: { reverse } }: Walk, left: Boundary, right: Boundary): boolean {
  const order = compareBoundaries(left, right)
  return reverse ? order > 0 : order < 0
}

const laterOf = (walk: Walk, left: Boundary, right: Boundary): Boundary => (isBefore(walk, left, right) ? right : left)
const farOf = ({ context: { reverse } }: Walk, unit: Unit): Boundary => (reverse ? unit.low : unit.high)

function unitOf(context: ReadContext, run: FileRun, reader: TableReader, rowGroup: number): Unit {
  const isLast = rowGroup + 1 === reader.meta.rowGroupCount
  const high = rowGroupEnd(context, reader, rowGroup, isLast ? fileEnd(run, reader) : firstBoundary)
  return { run, reader, rowGroup, low: firstKeyOf(context.kernel.memory, reader, rowGroup), high }
}

/** A file's largest key may be the end of a range tombstone, and the next file's first key: what is there is the next one's. */
function fileEnd({ readers }: FileRun, reader: TableReader): Uint8Array {
  const end = boundaryAfter(reader.meta.maxKey)
  const next = readers[readers.indexOf(reader) + 1]
  return next !== undefined && compareBytes(next.meta.minKey, end) < 0 ? next.meta.minKey : end
}

/** Finds a run's next row group, from where it found the last one. */
interface RunWalker {
  /** Goes to the next row group from `at` on. What is returned must be waited for, and the call made again. */
  seek(at: Boundary): Promise<void> | undefined
  /** Where it is; undefined at the end of the run. */
  readonly unit: Unit | undefined
  close(): void
}

function createWalker(context: ReadContext, run: FileRun): RunWalker {
  const { readers } = run
  const { reverse } = context
  const step = reverse ? -1 : 1
  const firstFile = reverse ? readers.length - 1 : 0
  let file = firstFile
  let rowGroup = -1
  let unit: Unit | undefined
  let held: TableReader | undefined
  let isClosed = false
  const isPassed = ({ low, high }: Unit, at: Boundary): boolean => (reverse ? compareBoundaries(low, at) >= 0 : compareBoundaries(high, at) <= 0)
  /** By what the manifest says of it. */
  const isFilePassed = (reader: TableReader, at: Boundary): boolean =>
    reader.meta.rowGroupCount === 0 || (reverse ? compareBoundaries(reader.meta.minKey, at) >= 0 : compareBoundaries(fileEnd(run, reader), at) <= 0)

  const leave = (): void => {
    held?.release()
    held = undefined
  }
  const hold = (reader: TableReader): Promise<void> | undefined => {
    if (held === reader) return undefined
    leave()
    // A scan that has gone through one file mostly goes on through others.
    if (file !== firstFile) readers[file + step]?.readAhead(context.stats)
    const waiting = reader.hold(context.stats)
    if (waiting === undefined) {
      held = reader
      return undefined
    }
    return waiting.then(() => {
      if (isClosed) reader.release()
      else held = reader
    })
  }
  /** Enters a file at the row group that `at` falls in. */
  const enter = (reader: TableReader, at: Boundary): number => {
    const range = reverse ? reader.rowGroupsIn(undefined, at) : reader.rowGroupsIn(at, undefined)
    return reverse ? range.to - 1 : range.from
  }
  return {
    get unit() { return unit },
    seek(at) {
      for (; file >= 0 && file < readers.length; file += step, rowGroup = -1, unit = undefined) {
        const reader = readers[file]!
        if (rowGroup < 0) {
          if (isFilePassed(reader, at)) continue
          const waiting = hold(reader)
          if (waiting !== undefined) return waiting
          rowGroup = enter(reader, at)
        }
        for (; rowGroup >= 0 && rowGroup < reader.meta.rowGroupCount; rowGroup += step, unit = undefined) {
          unit ??= unitOf(context, run, reader, rowGroup)
          if (!isPassed(unit, at)) return undefined
        }
      }
      leave()
      return undefined
    },
    close() {
      isClosed = true
      leave()
    },
  }
}
