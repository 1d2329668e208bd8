/**
 * The claim by which one writer at a time goes on where nobody but the storage knows who runs. (After the epochs of
 * SlateDB and of Chubby's sequencers; the objects that mark what was deleted, which such protocols need beside, are
 * spared by looking for later claims instead.)
 *
 * Whoever opens a database for writing creates the claim of the next epoch. After every object of the log and every
 * manifest, before anything is acknowledged or built on it, the writer looks whether a later claim stands: if so it is
 * out, whatever its own creation said. That closes the one hole of names that are created if absent: a name may be free
 * because it was used and deleted, but only by somebody who claimed a later epoch first.
 */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Random } from '../../runtime/random.ts'
import type { Storage } from '../../storage/storage.ts'
import { claimFileName, claimFolder, fileNumberOf } from '../file-names.ts'
import { decodeClaim, encodeClaim } from './claim-file.ts'
import type { Claim, LogPlace } from './claim-file.ts'
import { isStorageFailure, isUnknown, openingPatience, untilKnown } from './until-known.ts'
import type { Patience } from './until-known.ts'

export interface WriterClaim {
  readonly epoch: number
  /** Resolves when nobody has claimed a later epoch; 55006 when somebody has. After any other error it is not known. */
  assertStillMine(): Promise<void>
}

interface ClaimFloor {
  readonly storage: Storage
  readonly kernel: Kernel
  readonly clock: Clock
  readonly random: Random
}

/** The newest claim; undefined when nobody ever wrote here. */
export async function newestClaim(floor: Pick<ClaimFloor, 'storage' | 'kernel'>): Promise<Claim | undefined> {
  const epoch = (await claimedEpochs(floor)).at(-1)
  return epoch === undefined ? undefined : await readClaim(floor, epoch)
}

export interface FoundClaim {
  readonly epoch: number
  /** undefined when it cannot be read. */
  readonly claim: Claim | undefined
  /** XX001: why. */
  readonly damage: LsmtError | undefined
}

/** Oldest first. */
export async function readClaims(floor: Pick<ClaimFloor, 'storage' | 'kernel'>): Promise<readonly FoundClaim[]> {
  const found: FoundClaim[] = []
  for (const epoch of await claimedEpochs(floor)) {
    found.push(await readClaim(floor, epoch).then((claim) => ({ epoch, claim, damage: undefined }), (error: unknown) => {
      if (error instanceof LsmtError && error.code === 'XX001') return { epoch, claim: undefined, damage: error }
      throw error
    }))
  }
  return found
}

/** Oldest first; XX001 when one cannot be read. */
export async function allClaims(floor: Pick<ClaimFloor, 'storage' | 'kernel'>): Promise<readonly Claim[]> {
  return (await readClaims(floor)).map(({ claim, damage }) => {
    if (claim === undefined) throw damage
    return claim
  })
}

async function claimedEpochs({ storage }: Pick<ClaimFloor, 'storage'>): Promise<readonly number[]> {
  return (await storage.list(claimFolder)).map(({ name }) => fileNumberOf(name, claimFolder, 'claim')).filter((number) => number !== undefined)
}

async function readClaim({ storage, kernel }: Pick<ClaimFloor, 'storage' | 'kernel'>, epoch: number): Promise<Claim> {
  return decodeClaim(kernel, await storage.read(claimFileName(epoch)), epoch)
}

/** A claim of the next epoch that nobody has made yet. */
export function nextClaim(random: Random, newestEpoch: number, log: LogPlace): Claim {
  return { epoch: newestEpoch + 1, writerId: randomId(random), log }
}

/** Makes a claim. 55006 when another writer starts at the same time, which goes on. */
export async function takeClaim({ storage, kernel, clock }: Omit<ClaimFloor, 'random'>, claim: Claim): Promise<WriterClaim> {
  const name = claimFileName(claim.epoch)
  const bytes = encodeClaim(kernel, claim)
  const outcome = await untilKnown(() => storage.createIfAbsent(name, [bytes]), isUnknown, openingPatience(clock))
  if (outcome === 'exists') throw overtaken(`another writer has opened ${storage.description} at the same time, and goes on`)
  return { epoch: claim.epoch, assertStillMine: () => assertNoClaim(storage, claim.epoch + 1) }
}

/** One read of an object that is not there. */
async function assertNoClaim(storage: Storage, epoch: number): Promise<void> {
  const isClaimed = await storage.read(claimFileName(epoch)).then(() => true, (error: unknown) => {
    if (error instanceof LsmtError && error.code === '58P01') return false
    throw error
  })
  if (isClaimed) throw overtaken(`another writer has taken over ${storage.description}: epoch ${epoch} is claimed`)
}

export function overtaken(message: string): LsmtError {
  return new LsmtError('55006', message, { hint: 'one process at a time writes to a database; this one takes no more writes: stop it, or open the database again to take it back' })
}

/** That a writer is out: no use in asking again. */
export function isOvertaken(error: unknown): error is LsmtError {
  return error instanceof LsmtError && error.code === '55006'
}

/** `assertStillMine`, made again while it gives no answer. */
export function lookForClaims(claim: WriterClaim, patience: Patience): Promise<void> {
  return untilKnown(() => claim.assertStillMine(), isStorageFailure, patience)
}

/** 32 hexadecimal digits. */
export function randomId(random: Random): string {
  return Array.from({ length: 4 }, () => random.nextU32().toString(16).padStart(8, '0')).join('')
}
