/**
 * Cuts a log stream before its first damage or gap: what was whole behind it goes to the quarantine with what is damaged,
 * and an object without records, which names the last one that is kept, becomes the newest. Until that object stands,
 * whoever reads the stream finds it damaged, and a repair can begin again.
 *
 * What the cut leaves of statements over several shards is aborted by the next opening, as after a crash.
 */
import { isUnknown, openingPatience, untilKnown } from '../../../lsm/claim/until-known.ts'
import { lookForClaims, overtaken, randomId } from '../../../lsm/claim/writer-claim.ts'
import type { WriterClaim } from '../../../lsm/claim/writer-claim.ts'
import { streamObjectName } from '../../../lsm/file-names.ts'
import { describeObject } from '../../../lsm/log/stream/describe-object.ts'
import { encodeObject, noPutId } from '../../../lsm/log/stream/object-format.ts'
import type { SoundLog, SurveyedObject } from '../../../lsm/log/stream/stream-survey.ts'
import type { StreamLoss } from '../loss.ts'
import { copyToQuarantine } from '../quarantine.ts'
import { stream } from './take-over.ts'
import type { RepairFloor } from './take-over.ts'

/** `objects`: all, the last being this writer's fence; `flushed`: by shard, up to where table files go. */
export async function cutStream(floor: RepairFloor, claim: WriterClaim, objects: readonly SurveyedObject[], sound: SoundLog | undefined, flushed: readonly number[]): Promise<StreamLoss> {
  const { storage } = floor
  const lastKeptId = sound?.objects.at(-1)?.id ?? 0
  const fence = objects.at(-1)!
  const lost = objects.filter(({ id, damage }) => id !== fence.id && (id > lastKeptId || damage !== undefined))
  const keptSequences = flushed.map((sequence, shard) => Math.max(sequence, sound?.lastSequences[shard] ?? 0))
  const quarantined: string[] = []
  const contents = { records: 0, operations: {} as Record<string, number> }
  for (const { name, header } of lost) {
    addContents(contents, floor, name, await storage.read(name), keptSequences)
    if (header?.kind !== 'fence') quarantined.push(await copyToQuarantine(storage, name))
  }
  await lookForClaims(claim, openingPatience(floor.clock))
  for (const { name } of lost) await storage.delete(name)
  if (lastKeptId !== fence.id) await goOnAfter(floor, claim, fence.id + 1, sound, keptSequences)
  return { kind: 'logStream', shard: undefined, ...firstProblem(lost, fence, lastKeptId), quarantined, shards: lostSequences(lost, keptSequences), ...contents }
}

function addContents(contents: { records: number; readonly operations: Record<string, number> }, { kernel }: RepairFloor, name: string, bytes: Uint8Array, keptSequences: readonly number[]): void {
  for (const { shard, baseSequence, operations } of describeObject(kernel, bytes, name).records) {
    if (baseSequence <= (keptSequences[shard] ?? 0)) continue
    contents.records++
    for (const [what, count] of Object.entries(operations)) contents.operations[what] = (contents.operations[what] ?? 0) + count
  }
}

/** The object that the log goes on behind, which says how far each shard is by then. */
async function goOnAfter({ storage, kernel, clock, random }: RepairFloor, claim: WriterClaim, id: number, sound: SoundLog | undefined, lastSequences: readonly number[]): Promise<void> {
  const previousPutId = sound?.objects.at(-1)?.header.putId ?? noPutId
  const bytes = encodeObject(kernel, { kind: 'data', stream, id, writerEpoch: claim.epoch, putId: randomId(random), previousPutId, lastSequences }, [])
  const outcome = await untilKnown(() => storage.createIfAbsent(streamObjectName(stream, id), [bytes]), isUnknown, openingPatience(clock))
  await lookForClaims(claim, openingPatience(clock))
  if (outcome === 'exists') throw overtaken(`another writer has taken the place of ${streamObjectName(stream, id)} in the log`)
}

function firstProblem(lost: readonly SurveyedObject[], fence: SurveyedObject, lastKeptId: number): Pick<StreamLoss, 'file' | 'reason' | 'byteOffset'> {
  const { id, name, damage } = lost[0] ?? fence
  if (damage !== undefined) return { file: name, ...damage }
  if (id === lastKeptId + 1) return { file: name, byteOffset: 0, reason: `${name} does not go on where the log before it ends` }
  const missing = streamObjectName(stream, lastKeptId === 0 ? id - 1 : lastKeptId + 1)
  return { file: missing, byteOffset: 0, reason: `${missing} is missing, though ${name} is there` }
}

/** What the objects tell that there was, damaged and missing ones as far as those behind them say so. */
function lostSequences(lost: readonly SurveyedObject[], keptSequences: readonly number[]): StreamLoss['shards'] {
  return keptSequences.flatMap((kept, shard) => {
    const lastSequence = lost.reduce((last, { header, spans }) => Math.max(last, header?.lastSequences[shard] ?? 0, spans.get(shard)?.last ?? 0), 0)
    return lastSequence > kept ? [{ shard, firstSequence: kept + 1, lastSequence }] : []
  })
}
