/** Connections and files share what a process may have open; clients must not leave the database without files. */
import { readSmallFile } from '../../storage/small-file.ts'

/** How many of `wanted` connections leave room for files, where the system tells its limit. */
export async function affordableConnections(wanted: number): Promise<number> {
  const limit = await openFilesMax()
  return limit === undefined ? wanted : Math.min(wanted, Math.max(Math.floor(limit / 4), limit - 4_096))
}

/** Linux tells; elsewhere, and where it is unlimited, undefined. */
async function openFilesMax(): Promise<number | undefined> {
  try {
    const limits = (await readSmallFile('/proc/self/limits', 65_536)).toString('latin1')
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1]
    return soft === undefined ? undefined : Number(soft)
  } catch {
    // No such file: not Linux.
    return undefined
  }
}
