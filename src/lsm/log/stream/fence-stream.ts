/**
 * Ends what an earlier writer could still write: an object that carries nothing takes the next place of the stream, and
 * the earlier writer, who has one creation under way at a time, finds it taken.
 *
 * The place is one that a reading told which came before a claim, or a look at claims, that found this writer the last. So
 * it can only hold the fence of a later writer, or be before it: a writer that is out never takes a place that one who
 * came after it still wants.
 */
import { isUnknown, openingPatience, untilKnown } from '../../claim/until-known.ts'
import { lookForClaims, randomId } from '../../claim/writer-claim.ts'
import type { WriterClaim } from '../../claim/writer-claim.ts'
import type { Clock } from '../../../runtime/clock.ts'
import type { Random } from '../../../runtime/random.ts'
import { streamObjectName } from '../../file-names.ts'
import { encodeObject } from './object-format.ts'
import { objectIds, readTail } from './stream-chain.ts'
import type { StreamFloor, StreamTail } from './stream-chain.ts'

export interface FenceFloor extends StreamFloor {
  readonly clock: Clock
  readonly random: Random
  readonly claim: WriterClaim
}

/** `before`: the stream's end as it was read before the claim. Gives the ids of the objects, the fence being the last. 55006 when a later writer has come. */
export async function fenceStream(floor: FenceFloor, before: StreamTail): Promise<readonly number[]> {
  const { claim, clock } = floor
  for (let tail = before; ;) {
    const outcome = await createFence(floor, tail)
    const ids = await objectIds(floor)
    await lookForClaims(claim, openingPatience(clock))
    // A place before the end was free because it had been used and deleted since it was read.
    if (outcome === 'created' && ids.at(-1) === tail.nextId) return ids
    tail = await readTail(floor)
  }
}

async function createFence({ storage, kernel, stream, random, claim, clock }: FenceFloor, { nextId, previousPutId }: StreamTail): Promise<'created' | 'exists'> {
  const fence = encodeObject(kernel, { kind: 'fence', stream, id: nextId, writerEpoch: claim.epoch, putId: randomId(random), previousPutId, lastSequences: [] }, [])
  return await untilKnown(() => storage.createIfAbsent(streamObjectName(stream, nextId), [fence]), isUnknown, openingPatience(clock))
}
