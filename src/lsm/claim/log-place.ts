/**
 * Where the log may be continued. A log in the bucket goes with the bucket. One on a disk beside it is only there, so
 * while its writer has not left everything in table files (then it is released) nobody may go on without it: claims say
 * where each writer keeps its log, and the disk keeps a copy of the claim that its log belongs to.
 */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Storage } from '../../storage/storage.ts'
import { claimFileName, releasedFileName } from '../file-names.ts'
import { encodeClaim } from './claim-file.ts'
import type { Claim } from './claim-file.ts'
import { allClaims, readClaims } from './writer-claim.ts'

export interface PlaceFloor {
  readonly storage: Storage
  readonly kernel: Kernel
}

/** That the writer of a claim left all of its log in table files. */
export async function isReleased(storage: Storage, epoch: number): Promise<boolean> {
  const name = releasedFileName(epoch)
  return (await storage.list(name)).some((object) => object.name === name)
}

export async function release({ storage, kernel }: PlaceFloor, claim: Claim): Promise<void> {
  await storage.createIfAbsent(releasedFileName(claim.epoch), [encodeClaim(kernel, claim)])
}

/** 55000 when the log that must be read is on a disk, and this one is to be in the bucket. */
export async function assertNoLogElsewhere({ storage }: PlaceFloor, newest: Claim | undefined): Promise<void> {
  if (newest?.log !== 'local' || (await isReleased(storage, newest.epoch))) return
  throw new LsmtError('55000', `the last writer of ${storage.description} (epoch ${newest.epoch}) kept its log on a local disk and was not closed`, { hint: 'what it had not flushed is only there: open the database on that machine, with its local log, and close it; then it can be opened anywhere' })
}

/** Makes a disk ready to hold the log of the next writer. 55000 unless its log is that of the newest claim, or nothing of it is needed any more. */
export async function prepareLocalLog(floor: PlaceFloor, local: Storage, newest: Claim | undefined): Promise<void> {
  const kept = await allClaims({ storage: local, kernel: floor.kernel })
  if (newest?.log === 'local' && kept.some(({ writerId }) => writerId === newest.writerId)) return
  await assertNoLogElsewhere(floor, newest)
  const segments = await local.list('wal/')
  if (segments.length === 0) return
  if (!(await isAllReleased(floor, kept))) {
    throw new LsmtError('55000', `the log in ${local.description} is not that of the last writer of ${floor.storage.description}${newest === undefined ? '' : ` (epoch ${newest.epoch})`}`, { hint: 'it belongs to another database, or somebody else has gone on since; keep it elsewhere, and give an empty folder' })
  }
  for (const { name } of segments) await local.delete(name)
}

/** Copies a claim to the disk before it is made: so a log is never found without. */
export async function keepClaim(local: Storage, kernel: Kernel, claim: Claim): Promise<void> {
  // One of this epoch that was never made has given its place up.
  await local.delete(claimFileName(claim.epoch))
  await local.createIfAbsent(claimFileName(claim.epoch), [encodeClaim(kernel, claim)])
}

/** Whether the last of the disk's claims that was made is this bucket's, and released. One that cannot be read counts as the disk's own: then the disk's log stays. */
async function isAllReleased({ storage, kernel }: PlaceFloor, kept: readonly Claim[]): Promise<boolean> {
  const made = await readClaims({ storage, kernel })
  const last = kept.filter((claim) => made.some(({ epoch, claim: found }) => epoch === claim.epoch && (found ?? claim).writerId === claim.writerId)).at(-1)
  return last !== undefined && (await isReleased(storage, last.epoch))
}
