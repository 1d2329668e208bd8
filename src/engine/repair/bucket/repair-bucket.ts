/**
 * Repairs a database in a bucket. In this order: the writer's place is taken, so that nobody writes meanwhile; the format
 * file; each shard's state, published under the claim without what cannot be read; the log, cut before its first damage or
 * gap. What is taken out is copied to `quarantine/` before, and deleted after, the state without it stands; only table
 * files that a checkpoint keeps stay where they are. A repair that ends half-way can begin again.
 */
import { LsmtError } from '../../../errors.ts'
import { tellEnd } from '../../../lsm/claim/claim-end.ts'
import { isWholeLog, newestStart, soundLog, surveyStream } from '../../../lsm/log/stream/stream-survey.ts'
import { checkpointFolder, decodeCheckpoint } from '../../../lsm/pins/checkpoint-file.ts'
import { createFilePins } from '../../../lsm/pins/file-pins.ts'
import { decodeFormat, formatFileName } from '../../shards/format-file.ts'
import type { Loss, StateLoss } from '../loss.ts'
import { copyToQuarantine } from '../quarantine.ts'
import { widestLayouts } from '../rebuild-manifest.ts'
import { repairFormat, shardsWithManifests } from '../repair-format.ts'
import { readManifests } from '../sound-parts.ts'
import { findShard, publishSound, rebuildShard } from './bucket-shard.ts'
import type { FoundShard, RebuiltShard, ShardFloor } from './bucket-shard.ts'
import { cutStream } from './cut-stream.ts'
import { stream, takeOver } from './take-over.ts'
import type { RepairFloor } from './take-over.ts'

/** Yields what is lost as it is taken out. 55006 when another writer comes meanwhile. */
export async function* repairBucket(floor: RepairFloor): AsyncGenerator<Loss> {
  const { storage, kernel, clock, random } = floor
  const { claim, made, losses } = await takeOver(floor, await epochOfManifests(floor))
  yield* losses
  const lostFormat = await repairFormat(storage, kernel, random)
  if (lostFormat !== undefined) yield lostFormat
  yield* repairCheckpoints(floor)
  const { shards } = decodeFormat(kernel, await storage.read(formatFileName))
  yield* repairShards({ ...floor, claim, pins: createFilePins(storage, kernel, clock) }, shards)
  await tellEnd(floor, made)
}

/** Of the manifests that can be read. 58P01 when there are none, nor a format file: nothing is claimed then. */
async function epochOfManifests({ storage, kernel }: RepairFloor): Promise<number> {
  const shards = await shardsWithManifests(storage)
  if (shards.length === 0 && (await storage.list(formatFileName)).length === 0) throw new LsmtError('58P01', `there is no database in ${storage.description}`)
  const manifests = await Promise.all(shards.map((shard) => readManifests(storage, kernel, shard)))
  return Math.max(0, ...manifests.map(({ readable }) => readable?.writerEpoch ?? 0))
}

/** Table files stay while a checkpoint cannot be read, so that it goes first. */
async function* repairCheckpoints({ storage, kernel }: RepairFloor): AsyncGenerator<StateLoss> {
  for (const { name } of await storage.list(checkpointFolder)) {
    try {
      decodeCheckpoint(kernel, await storage.read(name), name)
    } catch (error) {
      if (!(error instanceof LsmtError) || error.code !== 'XX001') throw error
      const quarantined = await copyToQuarantine(storage, name)
      await storage.delete(name)
      yield { kind: 'checkpoint', file: name, shard: undefined, reason: error.message, quarantined }
    }
  }
}

async function* repairShards(floor: ShardFloor, shards: number): AsyncGenerator<Loss> {
  const { claim } = floor
  const objects = await surveyStream({ ...floor, stream })
  const logStart = newestStart(objects)
  const found: FoundShard[] = []
  for (let shard = 0; shard < shards; shard++) found.push(await findShard(floor, shard, logStart?.[shard]))
  const layouts = widestLayouts(found.flatMap(({ known }) => known?.layouts ?? []))
  const rebuilt: (RebuiltShard | undefined)[] = []
  for (const each of found) rebuilt.push(each.known === undefined ? await rebuildShard(floor, each, layouts) : undefined)
  const sound = soundLog(objects, found.map(({ known, shard }) => (known ?? rebuilt[shard]!.state).flushedSequence), found.map(({ known }) => known !== undefined))
  const flushed: number[] = []
  for (const each of found) flushed.push((yield* publishSound(floor, each, rebuilt[each.shard], sound)).flushedSequence)
  if (!isWholeLog(objects, sound)) yield await cutStream(floor, claim, objects, sound, flushed)
}
