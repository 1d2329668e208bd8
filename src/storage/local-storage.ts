/**
 * Storage in a directory of a local disk. One process at a time: the directory lock is taken at open and falls with
 * the process. How names become durable is in local/local-folder.ts, how appends do in local/local-append.ts.
 */
import { open, readdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { lockDirectory } from './directory-lock.ts'
import { appendHandleOf, createLocalAppendFile, writeZeros } from './local/local-append.ts'
import { createFilePool } from './local/file-pool.ts'
import type { FilePool } from './local/file-pool.ts'
import { openLocalFolder } from './local/local-folder.ts'
import type { LocalFolder, TemporaryFile } from './local/local-folder.ts'
import { createLocalReader, createLocalWriter } from './local/local-object.ts'
import { createLocalTemporary } from './local/local-temporary.ts'
import { totalBytes, zeroCounts } from './storage-counts.ts'
import { closedError, errnoOf, existingObject, storageError } from './storage-errors.ts'
import { checkedName, checkedPrefix, isReserved } from './storage-name.ts'
import type { Storage, StorageCounts, StoredObject } from './storage.ts'

/** Opens a directory (created if absent) for this process alone; 55006 when another has it. */
export async function openLocalStorage(directory: string): Promise<Storage> {
  const folder = await openLocalFolder(directory)
  const lock = await lockDirectory(folder.root)
  try {
    await folder.removeLeftovers()
  } catch (cause) {
    await lock.release()
    throw cause
  }
  return localStorageIn(folder, () => lock.release())
}

/**
 * A further handle on a directory whose lock this process holds already, for its worker threads; takes no lock and
 * removes no leftovers. To be closed before the storage that holds the lock.
 */
export async function attachLocalStorage(directory: string): Promise<Storage> {
  return localStorageIn(await openLocalFolder(directory), async () => {})
}

/** Files kept open for reading; the log's and those being written come on top. */
const openFilesMax = 1000

function localStorageIn(folder: LocalFolder, release: () => Promise<void>): Storage {
  const counts = zeroCounts()
  const pool = createFilePool(openFilesMax)
  let closed = false
  /** The path of a name, if the name is sane and the storage open. */
  const locate = (name: string): string => {
    if (closed) throw closedError(`the storage ${folder.root}`)
    return folder.pathOf(checkedName(name))
  }
  return {
    description: `local directory ${folder.root}`,
    appends: true,
    counts,
    createIfAbsent: async (name, parts) => {
      locate(name)
      return createWhole(folder, name, parts, counts)
    },
    create: async (name) => {
      locate(name)
      return createLocalWriter(folder, name, counts)
    },
    open: async (name, byteLength) => {
      const reader = createLocalReader(pool, locate(name), counts)
      // Not to be there is told now, by asking for the length.
      if (byteLength === undefined) void reader.byteLength
      return reader
    },
    read: async (name) => readWhole(pool, locate(name), counts),
    createAppend: async (name, preallocateBytes) => {
      const path = locate(name)
      counts.creates++
      const file = await fillTemporary(folder, name, ({ handle }) => writeZeros(handle, preallocateBytes))
      if (await folder.publishOpen(file, name) === 'exists') throw existingObject(path)
      return createLocalAppendFile(appendHandleOf(file.handle), path, counts)
    },
    openAppend: async (name) => openAppendFile(locate(name), counts),
    createTemporary: async () => {
      if (closed) throw closedError(`the storage ${folder.root}`)
      return createLocalTemporary(folder, counts)
    },
    list: async (prefix) => {
      if (closed) throw closedError(`the storage ${folder.root}`)
      counts.lists++
      return listBelow(folder.root, checkedPrefix(prefix))
    },
    delete: async (name) => {
      const path = locate(name)
      counts.deletes++
      await deleteDurably(folder, name, path)
    },
    close: async () => {
      if (closed) return
      closed = true
      await release()
    },
  }
}

async function createWhole(folder: LocalFolder, name: string, parts: readonly Uint8Array[], counts: StorageCounts): Promise<'created' | 'exists'> {
  counts.creates++
  const fill = async (file: TemporaryFile): Promise<void> => {
    for (let part of parts) {
      while (part.length > 0) part = part.subarray((await file.handle.write(part, 0, part.length)).bytesWritten)
    }
  }
  const outcome = await folder.publish(await fillTemporary(folder, name, fill), name)
  if (outcome === 'created') counts.bytesWritten += totalBytes(parts)
  return outcome
}

/** A temporary file that `fill` has written, to be published as `name`. */
async function fillTemporary(folder: LocalFolder, name: string, fill: (file: TemporaryFile) => Promise<void>): Promise<TemporaryFile> {
  const temporary = await folder.openTemporary()
  try {
    await fill(temporary)
    return temporary
  } catch (cause) {
    await folder.discard(temporary)
    throw storageError(cause, 'write', folder.pathOf(name))
  }
}

async function openAppendFile(path: string, counts: StorageCounts): Promise<ReturnType<typeof createLocalAppendFile>> {
  const handle = await open(path, 'r+').catch((cause: unknown) => { throw storageError(cause, 'open', path) })
  return createLocalAppendFile(appendHandleOf(handle), path, counts)
}

async function readWhole(pool: FilePool, path: string, counts: StorageCounts): Promise<Uint8Array> {
  const reader = createLocalReader(pool, path, counts)
  try {
    const bytes = new Uint8Array(reader.byteLength)
    await reader.read(bytes, 0)
    return bytes
  } finally {
    await reader.close()
  }
}

async function listBelow(root: string, prefix: string): Promise<readonly StoredObject[]> {
  const found: StoredObject[] = []
  const walk = async (folder: string): Promise<void> => {
    const entries = await readdir(join(root, folder), { withFileTypes: true })
      .catch((cause: unknown) => { if (errnoOf(cause) === 'ENOENT') return []; throw storageError(cause, 'list', join(root, folder)) })
    const files: string[] = []
    for (const entry of entries) {
      const name = folder + entry.name
      if (entry.isDirectory() && !isReserved(name) && (name + '/').startsWith(prefix)) await walk(`${name}/`)
      else if (entry.isFile() && name.startsWith(prefix)) files.push(name)
    }
    await Promise.all(files.map((name) => addFile(root, name, found)))
  }
  await walk(prefix.slice(0, prefix.lastIndexOf('/') + 1))
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function addFile(root: string, name: string, found: StoredObject[]): Promise<void> {
  try {
    found.push({ name, byteLength: (await stat(join(root, name))).size })
  } catch (cause) {
    // Deleted between the listing and here: as if it had been deleted before.
    if (errnoOf(cause) !== 'ENOENT') throw storageError(cause, 'list', join(root, name))
  }
}

async function deleteDurably(folder: LocalFolder, name: string, path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw storageError(cause, 'delete', path)
    return
  }
  await folder.syncFolderOf(name)
}
