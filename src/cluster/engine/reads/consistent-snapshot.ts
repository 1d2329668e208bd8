/**
 * One consistent view of all shards, whose snapshots are taken at different moments: no statement over several shards may
 * be seen in one of them and not in another.
 *
 * What makes it possible: a part is seen anywhere only after all parts were committed everywhere, and whoever reads a
 * leader as of now sees all that was committed before. So a snapshot in which a part is missing is taken anew, and has it
 * then. Which parts a snapshot shows is told with it, but for old ones (`partsAfter`); those up to a place that was seen
 * before the first snapshot of this view was asked for are in all of them, by the same rule.
 */
import { LsmtError } from '../../../errors.ts'
import type { TakenSnapshot } from './placed-snapshot.ts'

/** How snapshots of one shard are taken. */
export interface ShardSource {
  /** Whether `now` gives one. */
  isHere(minSequence: number): boolean
  /** In this synchronous step, when that needs nobody's word. */
  now(minSequence: number): TakenSnapshot | undefined
  take(minSequence: number): Promise<TakenSnapshot>
}

/** By shard: a place in its log that some snapshot has shown. It only grows. */
export type SeenSequences = number[]

export const roundsMax = 30

/** How views of all shards are taken. */
export interface ViewSource {
  /** In this synchronous step; undefined when somebody has to be asked. */
  now(): readonly TakenSnapshot[] | undefined
  take(): Promise<readonly TakenSnapshot[]>
}

/** Views of now, from the leaders. */
export function viewsOfNow(sources: readonly ShardSource[], seen: SeenSequences): ViewSource {
  return { now: () => takeAllNow(sources), take: () => takeAll(sources, seen) }
}

/** In this synchronous step, if every shard can be: all parts that are settled are in all of them then. */
function takeAllNow(sources: readonly ShardSource[]): readonly TakenSnapshot[] | undefined {
  const taken = takeHereAll(sources, sources.map(() => 0))
  if (taken === undefined || missingIn(taken).size === 0) return taken
  releaseTaken(taken)
  return undefined
}

/** undefined when somebody has to be asked for one of them. */
export function takeHereAll(sources: readonly ShardSource[], minSequences: readonly number[]): readonly TakenSnapshot[] | undefined {
  if (!sources.every((source, shard) => source.isHere(minSequences[shard]!))) return undefined
  const taken = sources.map((source, shard) => source.now(minSequences[shard]!)).filter((each) => each !== undefined)
  if (taken.length === sources.length) return taken
  releaseTaken(taken)
  return undefined
}

/** 40001 when others write so much at once that no view is whole. */
async function takeAll(sources: readonly ShardSource[], seen: SeenSequences): Promise<readonly TakenSnapshot[]> {
  let known: readonly number[] = [...seen]
  let taken = await takeEach(sources, sources.map(() => 0))
  for (let rounds = 0; rounds < roundsMax; rounds++) {
    noteSeen(seen, taken)
    const hidesParts = taken.some(({ partsAfter }, shard) => partsAfter > known[shard]!)
    const missing = missingIn(taken)
    if (!hidesParts && missing.size === 0) return taken
    if (hidesParts) {
      known = taken.map(({ snapshot }) => snapshot.sequence)
      releaseTaken(taken)
      taken = await takeEach(sources, sources.map((_, shard) => missing.get(shard) ?? 0))
    } else taken = await takeAnew(sources, taken, missing)
  }
  releaseTaken(taken)
  throw notWhole()
}

export const notWhole = (): LsmtError => new LsmtError('40001', 'no view of all shards could be taken in which no statement is seen half', { hint: 'run it again' })

/** By shard that lacks a part which another one shows: the sequence that it must have. */
export function missingIn(taken: readonly TakenSnapshot[]): ReadonlyMap<number, number> {
  const missing = new Map<number, number>()
  for (const [shard, { snapshot, parts }] of taken.entries()) {
    for (const { baseSequence, participants } of parts) {
      if (baseSequence > snapshot.sequence) continue
      for (const other of participants) {
        const place = taken[other.shard]
        if (other.shard !== shard && place !== undefined && place.snapshot.sequence < other.baseSequence) missing.set(other.shard, Math.max(missing.get(other.shard) ?? 0, other.baseSequence))
      }
    }
  }
  return missing
}

export async function takeAnew(sources: readonly ShardSource[], taken: readonly TakenSnapshot[], missing: ReadonlyMap<number, number>): Promise<readonly TakenSnapshot[]> {
  const [kept, left] = [taken.filter((_, shard) => !missing.has(shard)), taken.filter((_, shard) => missing.has(shard))]
  releaseTaken(left)
  const shards = [...missing.keys()]
  try {
    const again = await takeEach(shards.map((shard) => sources[shard]!), shards.map((shard) => missing.get(shard)!))
    return taken.map((each, shard) => (missing.has(shard) ? again[shards.indexOf(shard)]! : each))
  } catch (error) {
    releaseTaken(kept)
    throw error
  }
}

/** All or none. */
export async function takeEach(sources: readonly ShardSource[], minSequences: readonly number[]): Promise<readonly TakenSnapshot[]> {
  const outcomes = await Promise.allSettled(sources.map((source, i) => source.take(minSequences[i]!)))
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  const taken = outcomes.filter((outcome) => outcome.status === 'fulfilled').map(({ value }) => value)
  if (failed === undefined) return taken
  releaseTaken(taken)
  throw failed.reason
}

export function releaseTaken(taken: readonly TakenSnapshot[]): void {
  for (const { snapshot } of taken) snapshot.release()
}

export function noteSeen(seen: SeenSequences, taken: readonly TakenSnapshot[]): void {
  for (const [shard, { snapshot }] of taken.entries()) seen[shard] = Math.max(seen[shard]!, snapshot.sequence)
}
