/**
 * The manifests of a shard where claims decide who writes. A new writer publishes the shard's state under its epoch before
 * it reads the log; from then on no earlier one can publish, since the number it would use is taken. After every manifest
 * the writer looks for a later claim, as after every object of the log.
 *
 * File numbers of epoch E start at E * 2^32, so that two writers never make a file of one name.
 */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Storage } from '../../storage/storage.ts'
import { createManifest, manifestIds, readManifest, removeOutdatedBy, removeOutdatedOf } from '../manifest-store.ts'
import { emptyManifest } from '../manifest.ts'
import type { ManifestState } from '../manifest.ts'
import { isUnknown, openingPatience, untilKnown } from './until-known.ts'
import type { Patience } from './until-known.ts'
import { lookForClaims, overtaken } from './writer-claim.ts'
import type { WriterClaim } from './writer-claim.ts'

export interface ManifestFloor {
  readonly storage: Storage
  readonly kernel: Kernel
  readonly clock: Clock
  readonly shard: number
  readonly claim: WriterClaim
}

/** Of the files of an epoch. */
export const firstFileNumber = (epoch: number): number => epoch * 2 ** 32

/** 0 of a file that came with a backup of a directory. */
export const epochOfFile = (fileNumber: number): number => Math.floor(fileNumber / firstFileNumber(1))

/**
 * Publishes the shard's newest state under the claim's epoch. `listed`: ids as they were after the claim. 55006 when a later
 * writer is seen to have come; whether one has is to be looked for when all shards have published.
 *
 * What is created next to the newest one that was listed after the claim is the newest: an earlier writer that publishes
 * behind it looks for claims then, and ends.
 */
export async function claimManifest(floor: ManifestFloor, listed?: readonly number[]): Promise<ManifestState> {
  const { storage, kernel, claim, clock, shard } = floor
  let ids = listed
  for (let attempts = 1; ; attempts++, ids = undefined) {
    ids ??= await manifestIds(storage, shard)
    const found = await newestOf(floor, ids, attempts)
    if (found === undefined) continue
    if (found.writerEpoch > claim.epoch) throw overtaken(`another writer has taken over ${storage.description}: epoch ${found.writerEpoch} has published manifest ${found.id} of shard ${shard}`)
    const manifest: ManifestState = { ...found, id: found.id + 1, writerEpoch: claim.epoch, nextFileNumber: Math.max(found.nextFileNumber, firstFileNumber(claim.epoch)) }
    if ((await untilKnown(() => createManifest(storage, kernel, manifest), isUnknown, openingPatience(clock))) === 'exists') continue
    await removeOutdatedOf(storage, shard, ids, manifest.id)
    return manifest
  }
}

/** So often a listing may be outrun by deletions. */
const attemptsMax = 10

/** undefined when it is gone, and newer ones are there. */
async function newestOf({ storage, kernel, shard }: ManifestFloor, ids: readonly number[], attempts: number): Promise<ManifestState | undefined> {
  const id = ids.at(-1)
  if (id === undefined) return emptyManifest(shard)
  try {
    return await readManifest(storage, kernel, shard, id)
  } catch (error) {
    if (!(error instanceof LsmtError && error.code === '58P01') || attempts >= attemptsMax) throw error
    return undefined
  }
}

/** So often a look that fails is made, each time later: storage has tried again by itself before it says so. */
const looksMax = 6

/** Publishes a state and looks whether this is still the writer. An error that is returned says that nothing was published; 55006 when this is not the writer any more. */
export async function publishClaimed({ storage, kernel, claim, shard }: ManifestFloor, manifest: ManifestState, patience: Patience): Promise<'published' | 'fenced' | LsmtError> {
  let mayStand = false
  const creation = untilKnown(() => createManifest(storage, kernel, manifest), isUnknown, { ...patience, onUnknown: () => { mayStand = true } })
  const created = await creation.catch((error: unknown) => {
    if (!mayStand && error instanceof LsmtError && error.code === '58030') return error
    throw error
  })
  if (created instanceof LsmtError) return created
  let looks = 0
  await lookForClaims(claim, { clock: patience.clock, hasEnded: () => ++looks >= looksMax })
  if (created === 'exists') return 'fenced'
  await removeOutdatedBy(storage, shard, manifest.id)
  return 'published'
}
