/**
 * Makes a repair the writer of a bucket, as an opening would, where what an opening reads first may be what is damaged:
 * from then on nobody else writes. No claim is ever taken away, not even one that cannot be read: that its name is there
 * tells its predecessor that it is out. For the same reason those that are missing are made anew.
 */
import { LsmtError } from '../../../errors.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import { assertEnded } from '../../../lsm/claim/claim-end.ts'
import { encodeClaim } from '../../../lsm/claim/claim-file.ts'
import type { Claim } from '../../../lsm/claim/claim-file.ts'
import { assertNoLogElsewhere, isReleased } from '../../../lsm/claim/log-place.ts'
import { isUnknown, openingPatience, untilKnown } from '../../../lsm/claim/until-known.ts'
import { nextClaim, randomId, readClaims, takeClaim } from '../../../lsm/claim/writer-claim.ts'
import type { FoundClaim, WriterClaim } from '../../../lsm/claim/writer-claim.ts'
import { claimFileName, streamObjectName } from '../../../lsm/file-names.ts'
import { fenceStream } from '../../../lsm/log/stream/fence-stream.ts'
import { noPutId, readObject } from '../../../lsm/log/stream/object-format.ts'
import { objectIds } from '../../../lsm/log/stream/stream-chain.ts'
import type { StreamTail } from '../../../lsm/log/stream/stream-chain.ts'
import type { Clock } from '../../../runtime/clock.ts'
import type { Random } from '../../../runtime/random.ts'
import type { Storage } from '../../../storage/storage.ts'
import type { StateLoss } from '../loss.ts'

export interface RepairFloor {
  readonly storage: Storage
  readonly kernel: Kernel
  readonly clock: Clock
  readonly random: Random
  /** false: 55006 when the last writer of a bucket has not ended by itself. */
  readonly mayTakeOver: boolean
}

export const stream = 0

export interface TakenOver {
  readonly claim: WriterClaim
  readonly made: Claim
  readonly losses: readonly StateLoss[]
}

/** `manifestEpoch`: the latest epoch that manifests tell. 55006 when another writer comes at the same time, 55000 when the log is on a disk elsewhere. */
export async function takeOver(floor: RepairFloor, manifestEpoch: number): Promise<TakenOver> {
  const end = await readEnd(floor)
  const claims = await readClaims(floor)
  const newest = claims.at(-1)
  if (!floor.mayTakeOver) await assertEnded(floor.storage, newest)
  await assertLogIsHere(floor, claims, end.epoch, manifestEpoch)
  const made = nextClaim(floor.random, Math.max(newest?.epoch ?? 0, manifestEpoch, end.epoch), 'stored')
  const claim = await takeClaim(floor, made)
  const losses: StateLoss[] = newest?.damage === undefined ? [] : [lostClaim(newest.epoch, newest.damage.message)]
  for (const epoch of missingEpochs(claims, claim.epoch)) {
    await makeAnew(floor, epoch)
    losses.push(lostClaim(epoch, `${claimFileName(epoch)} was missing`))
  }
  await fenceStream({ ...floor, stream, claim }, end.tail)
  return { claim, made, losses }
}

/** Where the stream ends, and the epoch of the last object there that can be read. */
async function readEnd({ storage, kernel, random }: RepairFloor): Promise<{ readonly tail: StreamTail; readonly epoch: number }> {
  const ids = await objectIds({ storage, stream })
  const newest = ids.at(-1)
  if (newest === undefined) return { tail: { nextId: 1, previousPutId: noPutId }, epoch: 0 }
  for (const id of ids.toReversed()) {
    const name = streamObjectName(stream, id)
    const { header } = readObject(kernel, await storage.read(name), name)
    // What leads to an object that nobody can name is told from a beginning.
    if (header !== undefined) return { tail: { nextId: newest + 1, previousPutId: id === newest ? header.putId : randomId(random) }, epoch: header.writerEpoch }
  }
  return { tail: { nextId: newest + 1, previousPutId: randomId(random) }, epoch: 0 }
}

/** A claim that cannot be read does not say where its writer's log is; what the writer did next does. */
async function assertLogIsHere(floor: RepairFloor, claims: readonly FoundClaim[], streamEpoch: number, manifestEpoch: number): Promise<void> {
  for (const { epoch, claim } of claims.toReversed()) {
    if (claim !== undefined) {
      await assertNoLogElsewhere(floor, claim)
      return
    }
    if (streamEpoch >= epoch || (await isReleased(floor.storage, epoch))) return
    // It publishes manifests after it has fenced the stream, unless it has a log of its own.
    if (manifestEpoch >= epoch) throw logOfUnknownPlace(floor, claimFileName(epoch))
  }
}

/** Its objects of the stream may be lost as well, so its log need not have been elsewhere: who knows that it was not says so by deleting the claim. */
function logOfUnknownPlace({ storage: { description } }: RepairFloor, claim: string): LsmtError {
  const hint = `the folder of such a log has a copy of ${claim}: put it in place of the damaged object, then open the database with that log and close it; if there was none, delete ${claim} and repair again`
  return new LsmtError('55000', `the claim of the last writer of ${description} is damaged, and nothing else tells that its log was in the bucket: it may be on a local disk`, { file: claim, hint })
}

/** None is ever deleted, so between the first and the one that was just made all have been there. */
function missingEpochs(claims: readonly FoundClaim[], before: number): readonly number[] {
  const first = claims[0]?.epoch ?? before
  const there = new Set(claims.map(({ epoch }) => epoch))
  return Array.from({ length: before - first }, (_, i) => first + i).filter((epoch) => !there.has(epoch))
}

async function makeAnew({ storage, kernel, clock, random }: RepairFloor, epoch: number): Promise<void> {
  const bytes = encodeClaim(kernel, { epoch, writerId: randomId(random), log: 'stored' })
  await untilKnown(() => storage.createIfAbsent(claimFileName(epoch), [bytes]), isUnknown, openingPatience(clock))
}

function lostClaim(epoch: number, reason: string): StateLoss {
  return { kind: 'claim', file: claimFileName(epoch), shard: undefined, reason, quarantined: undefined }
}
