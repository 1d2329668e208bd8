/** Looks at a local directory without opening it: no lock is taken and nothing is made. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, storageError } from './storage-errors.ts'

/** Whether the directory holds an object of that name; an error of the disk is raised, never taken for 'no'. */
export async function holdsObject(directory: string, name: string): Promise<boolean> {
  const path = join(directory, name)
  try {
    return (await stat(path)).isFile()
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return false
    throw storageError(cause, 'read', path)
  }
}

/** Whether there is no file in the directory, or no directory; what an opened storage leaves behind does not count. */
export async function isEmptyDirectory(directory: string): Promise<boolean> {
  try {
    const entries = await readdir(directory, { withFileTypes: true })
    for (const entry of entries) {
      if (!entry.isDirectory()) return false
      if (entry.name !== 'tmp' && entry.name !== 'lock' && !(await isEmptyDirectory(join(directory, entry.name)))) return false
    }
    return true
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return true
    throw storageError(cause, 'list', directory)
  }
}
