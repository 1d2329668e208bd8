/**
 * Makes a database that cannot be read in parts one that can, of what is left, and says what is not. Everything that is
 * taken out is copied to `quarantine/` first; the state without it is published as the next manifest, and only then
 * is the damaged file removed.
 */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { replicasFolder } from '../../lsm/file-names.ts'
import type { TableLayout } from '../../lsm/layout.ts'
import { publishManifest } from '../../lsm/manifest-store.ts'
import type { ManifestState } from '../../lsm/manifest.ts'
import type { Storage } from '../../storage/storage.ts'
import { decodeFormat, formatFileName } from '../shards/format-file.ts'
import { repairBucket } from './bucket/repair-bucket.ts'
import type { RepairFloor } from './bucket/take-over.ts'
import { cutLog } from './cut-log.ts'
import type { Loss } from './loss.ts'
import { copyToQuarantine } from './quarantine.ts'
import { logBegin, rebuildManifest, widestLayouts } from './rebuild-manifest.ts'
import { repairJournal } from './repair-journal.ts'
import type { RepairedShard } from './repair-journal.ts'
import { repairFormat } from './repair-format.ts'
import { copied, readManifests, withoutDamaged } from './sound-parts.ts'
import type { ShardManifests } from './sound-parts.ts'

/** Yields what is lost as it is taken out. A directory must be closed, and nobody else may open it; of a bucket the writer's place is taken. */
export async function* repairDatabase(floor: RepairFloor): AsyncGenerator<Loss> {
  const { storage, kernel, random } = floor
  if (!storage.appends) {
    yield* repairBucket(floor)
    return
  }
  const [replica] = await storage.list(replicasFolder)
  if (replica !== undefined) throw new LsmtError('0A000', `repairing copies of a cluster is not supported, and ${storage.description} holds some: ${replica.name}`, { hint: 'what is damaged here is sound elsewhere: start the node with an empty directory, and it gets copies anew' })
  const lostFormat = await repairFormat(storage, kernel, random)
  if (lostFormat !== undefined) yield lostFormat
  const { shards } = decodeFormat(kernel, await storage.read(formatFileName))
  const found = await Promise.all(Array.from({ length: shards }, (_, shard) => readManifests(storage, kernel, shard)))
  const layouts = widestLayouts(found.flatMap(({ newest }) => newest?.layouts ?? []))
  const repaired: RepairedShard[] = []
  for (const each of found) repaired.push(yield* repairShard(storage, kernel, each, layouts))
  yield* repairJournal(floor, repaired)
}

async function* repairShard(storage: Storage, kernel: Kernel, manifests: ShardManifests, layouts: readonly TableLayout[]): AsyncGenerator<Loss, RepairedShard> {
  const { shard, newest, damaged, lastId } = manifests
  const isLost = newest === undefined && damaged.length > 0
  const losses: Loss[] = []
  for (const { file, reason } of damaged) losses.push({ kind: 'manifest', file, shard, reason, quarantined: await copyToQuarantine(storage, file) })
  const { state, unreadable } = isLost ? await rebuildManifest(storage, kernel, shard, layouts, manifests.readable, await logBegin(storage, kernel, shard)) : { state: newest, unreadable: [] }
  if (state === undefined) {
    yield* cutLog(storage, kernel, shard, 0)
    return { shard, flushedSequence: 0, writerEpoch: 0 }
  }
  const removed: string[] = damaged.map(({ file }) => file)
  for (const { file, reason } of unreadable) {
    losses.push({ kind: 'tableFile', file, shard, reason, quarantined: await copied(storage, file), contents: undefined })
    removed.push(file)
  }
  const sound = await withoutDamaged(storage, kernel, state, losses, removed)
  if (losses.some(({ kind }) => kind === 'tableFile') || isLost) await publish(storage, kernel, { ...sound, id: lastId + 1, writerEpoch: sound.writerEpoch + 1 })
  for (const file of removed) await storage.delete(file)
  yield* losses
  yield* cutLog(storage, kernel, shard, sound.flushedSequence)
  return { shard, flushedSequence: sound.flushedSequence, writerEpoch: sound.writerEpoch }
}

async function publish(storage: Storage, kernel: Kernel, state: ManifestState): Promise<void> {
  if ((await publishManifest(storage, kernel, state)) === 'fenced') throw new LsmtError('55006', `another process has published a manifest of shard ${state.shard} meanwhile`)
}
