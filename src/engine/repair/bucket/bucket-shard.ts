/** One shard of a bucket: its newest state, found again in its table files where the manifest is lost, and published without what cannot be read. */
import { LsmtError } from '../../../errors.ts'
import { claimManifest, firstFileNumber, publishClaimed } from '../../../lsm/claim/claim-manifest.ts'
import { openingPatience } from '../../../lsm/claim/until-known.ts'
import type { WriterClaim } from '../../../lsm/claim/writer-claim.ts'
import { manifestFileName, manifestFolder } from '../../../lsm/file-names.ts'
import type { TableLayout } from '../../../lsm/layout.ts'
import type { SoundLog } from '../../../lsm/log/stream/stream-survey.ts'
import type { ManifestState } from '../../../lsm/manifest.ts'
import { deleteUnpinned } from '../../../lsm/pins/file-pins.ts'
import type { FilePins } from '../../../lsm/pins/file-pins.ts'
import { tableFileLengths } from '../../../lsm/state/table-files.ts'
import type { Loss } from '../loss.ts'
import { copyToQuarantine } from '../quarantine.ts'
import { rebuildManifest } from '../rebuild-manifest.ts'
import { copied, readManifests, withoutDamaged } from '../sound-parts.ts'
import type { ShardManifests } from '../sound-parts.ts'
import type { RepairFloor } from './take-over.ts'

export interface ShardFloor extends RepairFloor {
  readonly claim: WriterClaim
  readonly pins: FilePins
}

/** A shard as it is found, with what is lost of it so far. */
export interface FoundShard {
  readonly shard: number
  /** undefined when the newest manifest cannot be read or is not there. */
  readonly known: ManifestState | undefined
  readonly manifests: ShardManifests
  readonly losses: readonly Loss[]
}

/** Manifests that cannot be read are copied; the newest is published anew, so that no earlier writer publishes after it. `logStart`: the sequence after which there is a log, as far as is known. */
export async function findShard(floor: ShardFloor, shard: number, logStart: number | undefined): Promise<FoundShard> {
  const { storage, kernel } = floor
  const manifests = await readManifests(storage, kernel, shard)
  const losses: Loss[] = []
  for (const { file, reason } of manifests.damaged) losses.push({ kind: 'manifest', file, shard, reason, quarantined: await copyToQuarantine(storage, file) })
  if (manifests.newest === undefined && manifests.damaged.length > 0) return { shard, known: undefined, manifests, losses }
  const missing = await missingManifest(floor, shard, manifests, logStart)
  if (missing === undefined) return { shard, known: await claimManifest({ ...floor, shard }), manifests, losses }
  return { shard, known: undefined, manifests, losses: [...losses, { kind: 'manifest', file: missing, shard, reason: `${missing} is missing`, quarantined: undefined }] }
}

/** A manifest that must have been there: later than the newest, by files that came after it; or any, where there are files or a log. */
async function missingManifest({ storage }: ShardFloor, shard: number, { newest }: ShardManifests, logStart: number | undefined): Promise<string | undefined> {
  const files = [...(await tableFileLengths(storage, shard)).keys()]
  if (newest === undefined) return files.length > 0 || (logStart ?? 0) > 0 ? manifestFolder(shard) : undefined
  const isThere = new Set(files)
  const isFileGone = newest.tables.some(({ levels }) => levels.flat().some(({ fileNumber }) => !isThere.has(fileNumber)))
  const isLogShorter = logStart !== undefined && logStart > newest.flushedSequence
  const isOutdated = files.some((number) => number >= newest.nextFileNumber) && (isFileGone || isLogShorter)
  return isOutdated ? manifestFileName(shard, newest.id + 1) : undefined
}

export interface RebuiltShard {
  readonly state: ManifestState
  readonly unreadable: readonly { readonly file: string; readonly reason: string }[]
}

/** The state in the shard's table files, as far as these tell by themselves; `layouts` are those of the other shards. */
export function rebuildShard({ storage, kernel }: ShardFloor, { shard, manifests: { readable } }: FoundShard, layouts: readonly TableLayout[]): Promise<RebuiltShard> {
  return rebuildManifest(storage, kernel, shard, layouts, readable, undefined)
}

/**
 * Publishes the state without what cannot be read, then deletes that. Where the log goes further than the files of a
 * rebuilt state it is applied from its beginning, once more where they have it already; where it ends before, applying it
 * would bring back older rows.
 */
export async function* publishSound(floor: ShardFloor, found: FoundShard, rebuilt: RebuiltShard | undefined, sound: SoundLog | undefined): AsyncGenerator<Loss, ManifestState> {
  const { storage, kernel, claim, pins } = floor
  const { shard, known, manifests } = found
  const state = known ?? withLog(rebuilt!.state, sound)
  const losses = [...found.losses]
  const removed: string[] = []
  for (const { file, reason } of rebuilt?.unreadable ?? []) {
    losses.push({ kind: 'tableFile', file, shard, reason, quarantined: await copied(storage, file), contents: undefined })
    removed.push(file)
  }
  const readable = await withoutDamaged(storage, kernel, state, losses, removed)
  if (known === undefined || removed.length > 0) {
    const next = { ...readable, id: (known?.id ?? manifests.lastId) + 1, writerEpoch: claim.epoch, nextFileNumber: Math.max(readable.nextFileNumber, firstFileNumber(claim.epoch)) }
    if ((await publishClaimed({ ...floor, shard }, next, openingPatience(floor.clock))) === 'fenced') throw new LsmtError('55006', `an earlier writer has published a manifest of shard ${shard} meanwhile`, { hint: 'run lsmt repair again' })
  }
  for (const { file } of manifests.damaged) await storage.delete(file)
  for (const file of removed) await deleteUnpinned(storage, pins, file)
  yield* losses
  return readable
}

function withLog(state: ManifestState, sound: SoundLog | undefined): ManifestState {
  if (sound === undefined || sound.lastSequences[state.shard]! < state.flushedSequence) return state
  return { ...state, flushedSequence: sound.startSequences[state.shard]! }
}
