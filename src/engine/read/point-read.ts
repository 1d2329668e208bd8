/** Point reads: from keys to their rows in their shards. */
import { createFetchBatch } from '../../lsm/read/point/fetch-together.ts'
import type { PointFetch, PointHints, ReadStats, RowHandle, Snapshot } from '../../lsm/tree.ts'
import type { EngineRow } from '../engine.ts'
import type { Shards } from '../shards/shards.ts'
import type { TableAccess } from '../tables/table-access.ts'

/**
 * Looks up the first key of the key scratch in its shard, in snapshots by shard or (undefined) as it is now. What must
 * be read from storage is read on this thread where the storage can: its files are mostly in the operating system's
 * cache, and waiting for another thread costs ten times such a read. Otherwise the answer is what to fetch before
 * asking again. `hints` are about that key.
 */
export function lookUp(shards: Shards, shard: number, snapshots: readonly Snapshot[] | undefined, access: TableAccess, stats?: ReadStats, hints?: PointHints): RowHandle | PointFetch | undefined {
  const { keys } = shards
  const tree = shards.trees[shard]!
  const snapshot = snapshots === undefined ? shards.newest(shard) : snapshots[shard]
  for (;;) {
    const found = tree.get(snapshot, access.schema.tableId, keys.addressOf(0), keys.byteLengthOf(0), stats, hints)
    if (found === undefined || !isFetch(found) || found.fetchSync === undefined) return found
    found.fetchSync()
  }
}

export function isFetch(found: RowHandle | PointFetch): found is PointFetch {
  return (found as PointFetch).fetch !== undefined
}

export interface PointReads {
  readonly count: number
  /** Looks one of them up, by `lookUp`; again after each wait. */
  readonly ask: (index: number) => RowHandle | PointFetch | undefined
  /** Called once for each, in order, with what is good until it returns. Whether more are wanted. */
  readonly visit: (index: number, row: RowHandle | undefined) => boolean
  readonly stats?: ReadStats | undefined
}

/** Asked ahead at a time: so few that nobody waits long for it. */
const askedAheadMax = 4096
/** One read may have to wait for tails, a row group, and once more for each filter that was wrong. Where it waits longer, the cache has no room for all that is fetched beside it. */
const roundsTogetherMax = 4

/**
 * Point reads one after the other, all that they wait for fetched together: however many there are, they wait as often as
 * one of them would. undefined: nothing was waited for, all is done.
 */
export function readEach(reads: PointReads): Promise<void> | undefined {
  const next = visitKnown(reads, 0, nothingFetched)
  return next === reads.count ? undefined : fetchAndVisit(reads, next)
}

/** By index, as far as others answer them. */
type Fetched = ReadonlyMap<number, PointFetch>

const nothingFetched: Fetched = new Map()

/** From `from` on to the first that must wait; gives its index. */
function visitKnown({ count, ask, visit }: PointReads, from: number, fetched: Fetched): number {
  for (let index = from; index < count; index++) {
    const answer = fetched.get(index)?.elsewhere?.answer()
    const found = answer === undefined ? ask(index) : answer.row
    if (found !== undefined && isFetch(found)) return index
    if (!visit(index, found)) return count
  }
  return count
}

async function fetchAndVisit(reads: PointReads, from: number): Promise<void> {
  for (let next = from, rounds = 0; next < reads.count; ) {
    let reached = next, fetched = nothingFetched
    if (rounds < roundsTogetherMax) fetched = await fetchAhead(reads, next)
    else reached = await visitOne(reads, next)
    reached = visitKnown(reads, reached, fetched)
    rounds = reached === next ? rounds + 1 : 0
    next = reached
  }
}

async function fetchAhead({ count, ask, stats }: PointReads, from: number): Promise<Fetched> {
  const batch = createFetchBatch(), fetched = new Map<number, PointFetch>()
  const end = Math.min(count, from + askedAheadMax)
  for (let index = from; index < end && !batch.isFull; index++) {
    const found = ask(index)
    if (found === undefined || !isFetch(found)) continue
    batch.add(found)
    if (found.elsewhere !== undefined) fetched.set(index, found)
  }
  await batch.run(stats)
  return fetched
}

/** Visits a read as soon as an answer to it waits for nothing, before anything else can take its bytes; gives what comes next. */
async function visitOne({ count, ask, visit }: PointReads, index: number): Promise<number> {
  for (;;) {
    const found = ask(index)
    if (found === undefined || !isFetch(found)) return visit(index, found) ? index + 1 : count
    await found.fetch()
    const answer = found.elsewhere?.answer()
    if (answer !== undefined) return visit(index, answer.row) ? index + 1 : count
  }
}

/**
 * Looks up the keys `keys[i]` (values at `ordinals`) as they are now, and hands each to `visit`, in order and at once
 * when no storage is needed. The caller holds the keys' locks, so nothing changes while it waits for storage.
 */
export async function readNewest(shards: Shards, access: TableAccess, keys: readonly EngineRow[], ordinals: readonly number[], visit: (index: number, row: RowHandle | undefined) => void, stats?: ReadStats): Promise<void> {
  await readEach({
    count: keys.length,
    ask(index) {
      shards.assertOpen()
      shards.keys.writeOne(access, keys[index]!, ordinals)
      return lookUp(shards, shards.keys.shardOf(0), undefined, access, stats)
    },
    visit(index, row) {
      visit(index, row)
      return true
    },
    stats,
  })
}
