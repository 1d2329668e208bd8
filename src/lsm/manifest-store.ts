/**
 * Keeps the manifests of a shard in storage. A state is published by creating the next number, which only one writer
 * can do; a failure to publish leaves open whether the manifest stands, so the tree must not go on after it.
 */
import { corruption, LsmtError } from '../errors.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Storage } from '../storage/storage.ts'
import { fileNumberOf, manifestFileName, manifestFolder } from './file-names.ts'
import { decodeManifest, encodeManifest } from './manifest-codec.ts'
import { emptyManifest } from './manifest.ts'
import type { ManifestState } from './manifest.ts'

/** How many stay, the newest included: the one before is for people who have to find out what happened. */
export const manifestsKept = 2

/** The newest state, undefined when none was ever published. A newest manifest that cannot be read is an error: older ones name files that are gone. */
export async function loadManifest(storage: Storage, kernel: Kernel, shard: number): Promise<ManifestState | undefined> {
  const id = (await manifestIds(storage, shard)).at(-1)
  return id === undefined ? undefined : await readManifest(storage, kernel, shard, id)
}

/** 58P01 when there is none of that id. */
export async function readManifest(storage: Storage, kernel: Kernel, shard: number, id: number): Promise<ManifestState> {
  const file = manifestFileName(shard, id)
  const state = decodeManifest(kernel, await storage.read(file), file)
  if (state.id !== id || state.shard !== shard) {
    throw corruption('manifest', { file, block: 'body', expected: `manifest ${id} of shard ${shard}`, actual: `manifest ${state.id} of shard ${state.shard}` })
  }
  return state
}

/** So often a listing may be outrun by deletions. */
const loadsMax = 10

/** The same where somebody else may publish just then, so that what was listed as the newest is gone when it is read; the empty state when none was ever published. */
export async function loadNewestManifest(storage: Storage, kernel: Kernel, shard: number): Promise<ManifestState> {
  for (let loads = 1; ; loads++) {
    try {
      return (await loadManifest(storage, kernel, shard)) ?? emptyManifest(shard)
    } catch (error) {
      if (!(error instanceof LsmtError && error.code === '58P01') || loads === loadsMax) throw error
    }
  }
}

/**
 * Publishes `state` under its id and removes the manifests that are no longer kept. 'fenced': another writer has
 * published that id or a later one, so this one has been overtaken and must stop. 53100: nothing was published.
 */
export async function publishManifest(storage: Storage, kernel: Kernel, state: ManifestState): Promise<'published' | 'fenced'> {
  const { shard, id } = state
  if (await createManifest(storage, kernel, state) === 'exists') return 'fenced'
  const ids = await manifestIds(storage, shard)
  // The id may have been free only because a later writer has removed it already.
  if (ids.at(-1) !== id) return 'fenced'
  await removeOutdatedOf(storage, shard, ids, id)
  return 'published'
}

/** One request; whether its writer was overtaken meanwhile is to be looked for by other means. */
export function createManifest(storage: Storage, kernel: Kernel, state: ManifestState): Promise<'created' | 'exists'> {
  return storage.createIfAbsent(manifestFileName(state.shard, state.id), [encodeManifest(kernel, state)])
}

/** Removes those of `ids` that are no longer kept once `id` stands. */
export async function removeOutdatedOf(storage: Storage, shard: number, ids: readonly number[], id: number): Promise<void> {
  for (const outdated of ids) if (outdated <= id - manifestsKept) await removeOutdated(storage, shard, outdated)
}

/** Removes the manifest that is no longer kept once `id` stands, if its predecessors were removed as they went. */
export async function removeOutdatedBy(storage: Storage, shard: number, id: number): Promise<void> {
  if (id > manifestsKept) await removeOutdated(storage, shard, id - manifestsKept)
}

/** What cannot be removed harms nobody, and must not read as if nothing had been published: a later publication that lists removes it. */
async function removeOutdated(storage: Storage, shard: number, id: number): Promise<void> {
  await storage.delete(manifestFileName(shard, id)).catch(assertStorageError)
}

function assertStorageError(error: unknown): void {
  if (!(error instanceof LsmtError)) throw error
}

/** Of those that are there, ascending. */
export async function manifestIds(storage: Storage, shard: number): Promise<readonly number[]> {
  const folder = manifestFolder(shard)
  const listed = await storage.list(folder)
  return listed.map((object) => fileNumberOf(object.name, folder, 'manifest')).filter((id) => id !== undefined)
}
