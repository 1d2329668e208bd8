/**
 * Views of all shards that need not be of now, from whatever replicas are near. A replica that follows may lag behind
 * others by any amount, so what it shows says nothing of them. Instead there is a cut: sequences of all shards, such
 * that every statement over several of them is in it whole or not at all. Every snapshot reaches the cut, and of what is
 * above it each shard lists the parts; so views are made whole as those of now are. Where a shard does not list parts as
 * far back as the cut, or tables have changed since, a newer cut is taken from the leaders.
 */
import { missingIn, notWhole, releaseTaken, roundsMax, takeAnew, takeEach, takeHereAll } from './consistent-snapshot.ts'
import type { ShardSource, ViewSource } from './consistent-snapshot.ts'
import type { TakenSnapshot } from './placed-snapshot.ts'

export interface Cut {
  sequences: readonly number[]
  /** Grows when views need a newer one. */
  wanted: number
  /** `wanted` as it was when the leaders were asked for the newest. */
  taken: number
}

export const newCut = (shardCount: number): Cut => ({ sequences: Array.from({ length: shardCount }, () => 0), wanted: 1, taken: 0 })

const isOutdated = ({ wanted, taken }: Cut): boolean => taken < wanted

export interface LevelViewsOptions {
  readonly sources: readonly ShardSource[]
  readonly cut: Cut
  /** A view of now, of which only the sequences are of interest. */
  readonly now: ViewSource
}

export function viewsAtLeast({ sources, cut, now }: LevelViewsOptions): ViewSource {
  /** Of cuts, the later sequences of all shards are one as well. */
  const raise = (taken: readonly TakenSnapshot[]): void => {
    cut.sequences = cut.sequences.map((sequence, shard) => Math.max(sequence, taken[shard]!.snapshot.sequence))
  }
  // `reached`: what all of them were asked to show at least. Others may have raised the cut since.
  const hidesParts = (taken: readonly TakenSnapshot[], reached: readonly number[]): boolean => taken.some(({ partsAfter }, shard) => partsAfter > reached[shard]!)
  const isWhole = (taken: readonly TakenSnapshot[]): boolean => !hidesParts(taken, cut.sequences) && missingIn(taken).size === 0

  async function renew(): Promise<void> {
    const { wanted } = cut
    const taken = now.now() ?? (await now.take())
    raise(taken)
    releaseTaken(taken)
    cut.taken = Math.max(cut.taken, wanted)
  }

  /** undefined when a newer cut is needed. */
  async function takeFrom(reached: readonly number[]): Promise<readonly TakenSnapshot[] | undefined> {
    let taken = await takeEach(sources, reached)
    for (let rounds = 0; rounds < roundsMax && !hidesParts(taken, reached); rounds++) {
      const missing = missingIn(taken)
      if (missing.size === 0) return taken
      taken = await takeAnew(sources, taken, missing)
    }
    releaseTaken(taken)
    return undefined
  }

  return {
    now() {
      if (isOutdated(cut)) return undefined
      const taken = takeHereAll(sources, cut.sequences)
      if (taken === undefined) return undefined
      if (isWhole(taken)) {
        raise(taken)
        return taken
      }
      releaseTaken(taken)
      return undefined
    },
    async take() {
      for (let rounds = 0; rounds < roundsMax; rounds++) {
        if (isOutdated(cut)) await renew()
        const whole = await takeFrom(cut.sequences)
        if (whole !== undefined) {
          raise(whole)
          return whole
        }
        await renew()
      }
      throw notWhole()
    },
  }
}
