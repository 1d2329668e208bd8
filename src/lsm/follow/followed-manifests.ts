/** The newest manifests of all shards, as somebody else publishes them. */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Storage } from '../../storage/storage.ts'
import { fileNumberOf, manifestFolder } from '../file-names.ts'
import { loadNewestManifest } from '../manifest-store.ts'
import type { ManifestState } from '../manifest.ts'

/** By shard, those that are newer than `known`: one listing, and a read for each. */
export async function newerManifests(storage: Storage, kernel: Kernel, known: readonly ManifestState[]): Promise<readonly (ManifestState | undefined)[]> {
  const names = (await storage.list('manifest/')).map(({ name }) => name)
  return await Promise.all(known.map(async ({ id }, shard) => {
    const newest = Math.max(0, ...names.map((name) => fileNumberOf(name, manifestFolder(shard), 'manifest') ?? 0))
    return newest > id ? await loadNewestManifest(storage, kernel, shard) : undefined
  }))
}

/** By shard; of one of which nothing was published yet, its empty state. */
export async function loadManifests(storage: Storage, kernel: Kernel, shards: number): Promise<readonly ManifestState[]> {
  return await Promise.all(Array.from({ length: shards }, (_, shard) => loadNewestManifest(storage, kernel, shard)))
}
