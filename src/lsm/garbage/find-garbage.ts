/**
 * What nobody needs any more of a database in a bucket, whoever writes it: told by what stands, without a claim, so that
 * it may be asked, and deleted, beside a writer, or by several at once. Everything named here stays garbage for ever: no
 * writer that is still in use it can come to name it again, and one that has been overtaken finds out by its claim before
 * it builds on anything. So whoever deletes may do that as late as it likes.
 *
 * - A table file is garbage when neither the newest manifest of its shard nor a checkpoint names it, and it is of an epoch
 *   before that manifest's: no writer of such an epoch can publish any more. What the shard's own writer has made and not
 *   named yet is its business.
 * - Log objects are garbage from the oldest on, as far as all shards have in table files what they hold, but never the
 *   newest with data nor what is behind it; and objects below the log that it does not lead back to.
 * - Manifests, but the two newest of each shard. Checkpoints that have expired, and those that name a file which is gone:
 *   they were given up before anybody was told of them, and came back by a repeated request.
 *
 * Manifests are read before checkpoints are listed: whoever makes a checkpoint reads the manifests once more after it.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Storage, StoredObject } from '../../storage/storage.ts'
import { epochOfFile } from '../claim/claim-manifest.ts'
import { fileNumberOf, manifestFolder, manifestsFolder, streamFolder } from '../file-names.ts'
import { loadManifests } from '../follow/followed-manifests.ts'
import { readChain } from '../log/stream/stream-chain.ts'
import type { ChainObject } from '../log/stream/stream-chain.ts'
import { startOf } from '../log/stream/object-spans.ts'
import { manifestsKept } from '../manifest-store.ts'
import type { ManifestState } from '../manifest.ts'
import { filesOfCheckpoint, filesOfManifest, isExpired } from '../pins/checkpoint-file.ts'
import { listCheckpoints } from '../pins/checkpoints.ts'
import type { ListedCheckpoint } from '../pins/checkpoints.ts'
import { tableFileFolder, tableFileNumberOf } from '../state/table-files.ts'

export interface Garbage extends StoredObject {
  /** For people. */
  readonly why: string
}

export interface GarbageFloor {
  readonly storage: Storage
  readonly kernel: Kernel
  readonly shards: number
  /** Microseconds since the Unix epoch. */
  readonly nowMicros: number
}

const stream = 0

/** In the order in which it is to be deleted. */
export async function findGarbage(floor: GarbageFloor): Promise<readonly Garbage[]> {
  const { storage, kernel, shards, nowMicros } = floor
  const manifests = await loadManifests(storage, kernel, shards)
  const checkpoints = await listCheckpoints(storage, kernel)
  const files = await Promise.all(manifests.map(({ shard }) => storage.list(tableFileFolder(shard))))
  const there = new Set(files.flat().map(({ name }) => name))
  const judged = checkpoints.map((listed) => ({ listed, why: whyOver(listed, there, nowMicros) }))
  const pinned = new Set(judged.filter(({ why }) => why === undefined).flatMap(({ listed }) => filesOfCheckpoint(listed.checkpoint)))
  const over = judged.flatMap(({ listed: { name, byteLength }, why }): readonly Garbage[] => (why === undefined ? [] : [{ name, byteLength, why }]))
  const unnamed = manifests.flatMap((manifest, i) => unnamedFiles(manifest, files[i]!, pinned))
  return [...over, ...unnamed, ...(await passedLog(floor, manifests)), ...(await outdatedManifests(floor))]
}

/** Undefined while it keeps files. */
function whyOver({ checkpoint }: ListedCheckpoint, there: ReadonlySet<string>, nowMicros: number): string | undefined {
  const { name, expiresAtMicros = 0 } = checkpoint
  if (isExpired(checkpoint, nowMicros)) return `checkpoint ${JSON.stringify(name)} expired at ${new Date(expiresAtMicros / 1000).toISOString()}`
  const gone = filesOfCheckpoint(checkpoint).find((file) => !there.has(file))
  return gone === undefined ? undefined : `checkpoint ${JSON.stringify(name)} was given up when it was made: ${gone} is gone`
}

function unnamedFiles(manifest: ManifestState, files: readonly StoredObject[], pinned: ReadonlySet<string>): readonly Garbage[] {
  const { shard, id, writerEpoch } = manifest
  const named = new Set(filesOfManifest(manifest))
  return files.flatMap(({ name, byteLength }): readonly Garbage[] => {
    const fileNumber = tableFileNumberOf(name, shard)
    if (fileNumber === undefined || named.has(fileNumber) || pinned.has(name)) return []
    const epoch = epochOfFile(fileNumber)
    return epoch < writerEpoch ? [{ name, byteLength, why: `of epoch ${epoch}, and neither manifest ${id} of epoch ${writerEpoch} nor a checkpoint names it` }] : []
  })
}

async function passedLog(floor: GarbageFloor, manifests: readonly ManifestState[]): Promise<readonly Garbage[]> {
  const { objects, strays: unled } = await readChain({ ...floor, stream })
  // Where something between is missing, a repair goes on from what is below.
  const strays = manifests.every(({ shard, flushedSequence }) => startOf(objects, shard) <= flushedSequence) ? unled : []
  const newestData = objects.findLastIndex(({ header }) => header.kind === 'data')
  const needed = objects.findIndex((object, i) => i >= newestData || !isPassed(object, manifests))
  const passed = objects.slice(0, Math.max(0, needed)).map(({ name, header }): Garbage => ({ name, byteLength: header.byteLength, why: 'all that it holds is in table files' }))
  const sizes = new Map((strays.length === 0 ? [] : await floor.storage.list(streamFolder(stream))).map(({ name, byteLength }) => [name, byteLength]))
  return [...strays.map((name): Garbage => ({ name, byteLength: sizes.get(name) ?? 0, why: 'the log does not lead to it' })), ...passed]
}

function isPassed({ records }: ChainObject, manifests: readonly ManifestState[]): boolean {
  return records.every(({ shard, lastSequence }) => lastSequence <= (manifests[shard]?.flushedSequence ?? 0))
}

async function outdatedManifests({ storage, shards }: GarbageFloor): Promise<readonly Garbage[]> {
  const listed = await storage.list(manifestsFolder)
  return Array.from({ length: shards }, (_, shard) => {
    const ofShard = listed.filter(({ name }) => fileNumberOf(name, manifestFolder(shard), 'manifest') !== undefined)
    return ofShard.slice(0, -manifestsKept).map(({ name, byteLength }): Garbage => ({ name, byteLength, why: 'newer manifests stand' }))
  }).flat()
}
