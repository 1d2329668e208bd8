/**
 * A folder with those above it. Node's own recursive `mkdir` (libuv 1.46) never comes back where a folder says both that it
 * is there and that nothing can be made in it, as /proc does.
 */
import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errnoOf } from '../storage-errors.ts'

/** Resolves with the outermost folder that was made, undefined when there was nothing to make. Rejects with what the system says. */
export async function makeFolders(path: string): Promise<string | undefined> {
  try {
    return await makeFolder(path)
  } catch (cause) {
    const above = dirname(path)
    if (errnoOf(cause) !== 'ENOENT' || above === path) throw cause
    const outermost = await makeFolders(above)
    const made = await makeFolder(path)
    return outermost ?? made
  }
}

async function makeFolder(path: string): Promise<string | undefined> {
  try {
    await mkdir(path)
    return path
  } catch (cause) {
    if (errnoOf(cause) === 'EEXIST' && (await stat(path)).isDirectory()) return undefined
    throw cause
  }
}
