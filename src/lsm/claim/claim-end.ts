/**
 * That a writer has ended by itself, as an object beside its claim. Nothing depends on it but manners: whoever would rather
 * not interrupt a writer, which only claims can tell of, looks for it first.
 */
import { LsmtError } from '../../errors.ts'
import type { Storage } from '../../storage/storage.ts'
import { endedFileName } from '../file-names.ts'
import { encodeClaim } from './claim-file.ts'
import type { Claim } from './claim-file.ts'
import type { PlaceFloor } from './log-place.ts'

/** Where it cannot be said, the next one is only more careful than it need be. */
export async function tellEnd({ storage, kernel }: PlaceFloor, claim: Claim): Promise<void> {
  await storage.createIfAbsent(endedFileName(claim.epoch), [encodeClaim(kernel, claim)]).catch(() => {})
}

/** 55006 when the newest writer may still be there. */
export async function assertEnded(storage: Storage, newest: Pick<Claim, 'epoch'> | undefined): Promise<void> {
  if (newest === undefined) return
  const name = endedFileName(newest.epoch)
  if ((await storage.list(name)).some((object) => object.name === name)) return
  throw new LsmtError('55006', `the database in ${storage.description} may be in use: its last writer (epoch ${newest.epoch}) has not ended by itself`, { hint: 'work with its server; if it is gone, take the database over (--take-over)' })
}
