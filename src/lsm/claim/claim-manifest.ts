/**
 * The manifests of a shard where claims decide who writes. A new writer publishes the shard's state under its epoch before
 * it reads the log; from then on no earlier one can publish, since the number it would use is taken. After every manifest
 * the writer looks for a later claim, as after every object of the log.
 *
 * File numbers of epoch E start at E * 2^32, so that two writers never make a file of one name.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Storage } from '../../storage/storage.ts'
import { loadNewestManifest, publishManifest } from '../manifest-store.ts'
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

/** Publishes the shard's newest state under the claim's epoch. 55006 when a later writer is seen to have come; whether one has is to be looked for when all shards have published. */
export async function claimManifest(floor: ManifestFloor): Promise<ManifestState> {
  const { storage, kernel, claim, clock, shard } = floor
  for (;;) {
    const found = await loadNewestManifest(storage, kernel, shard)
    if (found.writerEpoch > claim.epoch) throw overtaken(`another writer has taken over ${storage.description}: epoch ${found.writerEpoch} has published manifest ${found.id} of shard ${shard}`)
    const manifest: ManifestState = { ...found, id: found.id + 1, writerEpoch: claim.epoch, nextFileNumber: Math.max(found.nextFileNumber, firstFileNumber(claim.epoch)) }
    if ((await untilKnown(() => publishManifest(storage, kernel, manifest), isUnknown, openingPatience(clock))) === 'published') return manifest
  }
}

/** Publishes a state and looks whether this is still the writer. 55006 when it is not. */
export async function publishClaimed({ storage, kernel, claim }: ManifestFloor, manifest: ManifestState, patience: Patience): Promise<'published' | 'fenced'> {
  const outcome = await untilKnown(() => publishManifest(storage, kernel, manifest), isUnknown, patience)
  await lookForClaims(claim, patience.clock)
  return outcome
}
