/** Checkpoints by their storage: made, listed, deleted. */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Storage } from '../../storage/storage.ts'
import { loadManifests } from '../follow/followed-manifests.ts'
import type { ManifestState } from '../manifest.ts'
import { checkpointFolder, decodeCheckpoint, encodeCheckpoint, filesOfManifest } from './checkpoint-file.ts'
import type { StoredCheckpoint } from './checkpoint-file.ts'

export interface ListedCheckpoint {
  readonly id: string
  readonly name: string
  readonly byteLength: number
  readonly checkpoint: StoredCheckpoint
}

const idPattern = /^[0-9a-f]{32}$/

/** Those that are there, by id. XX001 for one that is damaged: it may keep anything. */
export async function listCheckpoints(storage: Storage, kernel: Kernel): Promise<readonly ListedCheckpoint[]> {
  const listed = await storage.list(checkpointFolder)
  const read = await Promise.all(listed.map(async ({ name, byteLength }) => {
    const checkpoint = await ifThere(readCheckpointObject(storage, kernel, name))
    return checkpoint && { id: name.slice(checkpointFolder.length), name, byteLength, checkpoint }
  }))
  return read.filter((each) => each !== undefined)
}

/** 58P01 when there is none of that id, 22023 when it cannot be one. */
export async function readCheckpoint(storage: Storage, kernel: Kernel, id: string): Promise<StoredCheckpoint> {
  const found = await ifThere(readCheckpointObject(storage, kernel, nameOf(id)))
  if (found === undefined) throw new LsmtError('58P01', `there is no checkpoint ${id} in ${storage.description}`, { hint: 'lsmt checkpoint list names those that there are' })
  return found
}

/** 58P01 when there is none of that id. */
export async function deleteCheckpoint(storage: Storage, id: string): Promise<void> {
  const name = nameOf(id)
  if (!(await storage.list(name)).some((object) => object.name === name)) throw new LsmtError('58P01', `there is no checkpoint ${id} in ${storage.description}`)
  await storage.delete(name)
}

/** The same where it may be gone already, since it has expired. */
export async function dropCheckpoint(storage: Storage, id: string): Promise<void> {
  await storage.delete(nameOf(id))
}

export async function writeCheckpoint(storage: Storage, kernel: Kernel, id: string, checkpoint: StoredCheckpoint): Promise<void> {
  await storage.createIfAbsent(nameOf(id), [encodeCheckpoint(kernel, checkpoint)])
}

/**
 * Makes a checkpoint, and then reads the manifests once more. False, and nothing is left, when the newest ones do not name
 * all its files that `mayBeDeleted` says somebody else may delete: whoever deletes may have looked before it stood.
 */
export async function makeCheckpoint(storage: Storage, kernel: Kernel, id: string, checkpoint: StoredCheckpoint, mayBeDeleted: (fileNumber: number, newest: ManifestState) => boolean): Promise<boolean> {
  await writeCheckpoint(storage, kernel, id, checkpoint)
  const newest = await loadManifests(storage, kernel, checkpoint.manifests.length)
  const isSafe = checkpoint.manifests.every((manifest) => {
    const now = newest[manifest.shard]!
    const named = new Set(filesOfManifest(now))
    return filesOfManifest(manifest).every((fileNumber) => named.has(fileNumber) || !mayBeDeleted(fileNumber, now))
  })
  if (!isSafe) await dropCheckpoint(storage, id)
  return isSafe
}

function nameOf(id: string): string {
  if (!idPattern.test(id)) throw new LsmtError('22023', `${JSON.stringify(id)} is no id of a checkpoint: expected 32 hexadecimal digits`)
  return checkpointFolder + id
}

async function readCheckpointObject(storage: Storage, kernel: Kernel, name: string): Promise<StoredCheckpoint> {
  return decodeCheckpoint(kernel, await storage.read(name), name)
}

async function ifThere<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read
  } catch (error) {
    if (error instanceof LsmtError && error.code === '58P01') return undefined
    throw error
  }
}
