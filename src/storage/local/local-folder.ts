/**
 * Durable names in a local directory. A file is written under `tmp/`, synced, then hard-linked to its name:
 * link(2) is atomic and refuses an existing name, which makes it the local form of a conditional put. The
 * folder is synced after, since a name is durable only when its folder is.
 */
import { constants } from 'node:fs'
import { link, mkdir, open, readdir, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { LsmtError } from '../../errors.ts'
import { systemRandom } from '../../runtime/random.ts'
import { errnoOf, storageError, unmadeFolder } from '../storage-errors.ts'
import { foldersOf } from '../storage-name.ts'
import { makeFolders } from './make-folders.ts'

export interface LocalFolder {
  readonly root: string
  pathOf(name: string): string
  /** An empty file under `tmp/` that is open for reading and writing. */
  openTemporary(): Promise<TemporaryFile>
  /** Syncs the temporary file and gives it its name, durably; the temporary file is closed and gone after, whatever came of it. */
  publish(temporary: TemporaryFile, name: string): Promise<'created' | 'exists'>
  /** The same, but a file that was created stays open. */
  publishOpen(temporary: TemporaryFile, name: string): Promise<'created' | 'exists'>
  /** Closes and removes the temporary file. */
  discard(temporary: TemporaryFile): Promise<void>
  /** Syncs the folder that holds `name`. */
  syncFolderOf(name: string): Promise<void>
  /** Removes what a crash left under `tmp/`. */
  removeLeftovers(): Promise<void>
}

export interface TemporaryFile {
  readonly path: string
  readonly handle: FileHandle
}

/** Creates `directory` if needed, durably up to the first folder that was there. */
export async function openLocalFolder(directory: string): Promise<LocalFolder> {
  const root = resolve(directory)
  await makeDurably(root)
  const temporaryFolder = join(root, 'tmp')
  await makeFolder(temporaryFolder)
  const known = new Map<string, Promise<void>>()
  const pathOf = (name: string): string => join(root, name)
  const openTemporary = () => createTemporary(temporaryFolder)
  const publish = async (temporary: TemporaryFile, name: string, staysOpen: boolean): Promise<'created' | 'exists'> => {
    const path = pathOf(name)
    try {
      await temporary.handle.sync()
      for (const folder of foldersOf(name)) await ensureOnce(known, pathOf(folder))
      await link(temporary.path, path)
    } catch (cause) {
      if (errnoOf(cause) !== 'EEXIST') await discardAfter(temporary, storageError(cause, 'create', path))
      await discardTemporary(temporary)
      return 'exists'
    }
    // The name is there: whatever fails now, the request must not be made again, as it may be after 53100.
    try {
      await (staysOpen ? removeTemporary(temporary) : discardTemporary(temporary))
      await syncFolder(dirname(path))
    } catch (cause) {
      if (staysOpen) await Promise.allSettled([temporary.handle.close()])
      throw cause instanceof LsmtError && cause.code === '53100' ? new LsmtError('58030', cause.message, cause.evidence, cause) : cause
    }
    return 'created'
  }
  return {
    root, pathOf, openTemporary,
    publish: (temporary, name) => publish(temporary, name, false),
    publishOpen: (temporary, name) => publish(temporary, name, true),
    discard: discardTemporary,
    syncFolderOf: (name) => syncFolder(dirname(pathOf(name))),
    removeLeftovers: () => emptyFolder(temporaryFolder),
  }
}

/** Syncs a folder, so that names created or removed in it are durable. */
export async function syncFolder(path: string): Promise<void> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (cause) {
    throw storageError(cause, 'sync the folder', path)
  }
}

async function createTemporary(folder: string): Promise<TemporaryFile> {
  const name = [0, 1, 2, 3].map(() => systemRandom.nextU32().toString(36)).join('')
  const path = join(folder, name)
  try {
    return { path, handle: await open(path, 'wx+') }
  } catch (cause) {
    throw storageError(cause, 'create', path)
  }
}

async function discardTemporary(temporary: TemporaryFile): Promise<void> {
  try {
    await temporary.handle.close()
  } catch (cause) {
    throw storageError(cause, 'close', temporary.path)
  }
  await removeTemporary(temporary)
}

async function removeTemporary({ path }: TemporaryFile): Promise<void> {
  await unlink(path).catch((cause: unknown) => { if (errnoOf(cause) !== 'ENOENT') throw storageError(cause, 'remove', path) })
}

/** Raises `failure`; a temporary file that cannot be removed either is left to the next open. */
async function discardAfter(temporary: TemporaryFile, failure: LsmtError): Promise<never> {
  await Promise.allSettled([discardTemporary(temporary)])
  throw failure
}

/** Makes a folder and its name durable once a process: an earlier process may have died between making and syncing it. */
function ensureOnce(known: Map<string, Promise<void>>, path: string): Promise<void> {
  const pending = known.get(path)
  if (pending !== undefined) return pending
  const made = makeFolder(path).then(() => syncFolder(dirname(path)))
  known.set(path, made)
  made.catch(() => known.delete(path))
  return made
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (cause) {
    if (errnoOf(cause) !== 'EEXIST') throw unmadeFolder(cause, path)
  }
}

async function makeDurably(root: string): Promise<void> {
  try {
    const first = await makeFolders(root)
    if (first === undefined) return
    for (let path = root; path !== dirname(first); path = dirname(path)) await syncFolder(dirname(path))
  } catch (cause) {
    throw unmadeFolder(cause, root)
  }
}

async function emptyFolder(folder: string): Promise<void> {
  try {
    for (const name of await readdir(folder)) await unlink(join(folder, name))
  } catch (cause) {
    throw storageError(cause, 'remove the leftovers in', folder)
  }
}
