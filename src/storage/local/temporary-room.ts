/** Temporary files on the local disk for a storage that is elsewhere. They lose their names as soon as they are open, so that a crash leaves nothing of them. */
import { mkdtemp, rm, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { storageError } from '../storage-errors.ts'
import type { StorageCounts, TemporaryFile } from '../storage.ts'
import { openLocalFolder } from './local-folder.ts'
import type { LocalFolder } from './local-folder.ts'
import { createLocalTemporary } from './local-temporary.ts'
import { makeFolders } from './make-folders.ts'

export interface TemporaryRoom {
  createTemporary(): Promise<TemporaryFile>
  close(): Promise<void>
}

/** In a folder that is made in `directory`, or the system's, for the first of them. */
export function createTemporaryRoom(directory: string | undefined, counts: StorageCounts): TemporaryRoom {
  let folder: Promise<LocalFolder> | undefined
  return {
    createTemporary: async () => {
      folder ??= makeFolder(directory ?? tmpdir())
      folder.catch(() => { folder = undefined })
      return createLocalTemporary(await folder, counts)
    },
    close: async () => {
      const made = await folder?.catch(() => undefined)
      if (made !== undefined) await rm(made.root, { recursive: true, force: true }).catch((cause: unknown) => { throw storageError(cause, 'remove', made.root) })
    },
  }
}

async function makeFolder(directory: string): Promise<LocalFolder> {
  const root = await makeFolders(directory).then(() => mkdtemp(join(directory, 'lsmt-'))).catch((cause: unknown) => { throw storageError(cause, 'create a folder in', directory) })
  const folder = await openLocalFolder(root)
  return {
    ...folder,
    openTemporary: async () => {
      const temporary = await folder.openTemporary()
      await unlink(temporary.path).catch((cause: unknown) => { throw storageError(cause, 'remove', temporary.path) })
      return temporary
    },
  }
}
