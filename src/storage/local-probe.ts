/** Looks at a local directory without opening it: no lock is taken and nothing is made. */
import { stat } from 'node:fs/promises'
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
