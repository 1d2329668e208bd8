/** Temporary files under `tmp/`: never synced, never named; whatever a crash leaves of them goes at the next opening. */
import type { LocalFolder } from './local-folder.ts'
import { closedError, shortRead, storageError } from '../storage-errors.ts'
import type { StorageCounts, TemporaryFile } from '../storage.ts'

export async function createLocalTemporary(folder: LocalFolder, counts: StorageCounts): Promise<TemporaryFile> {
  const temporary = await folder.openTemporary()
  const { path, handle } = temporary
  let byteLength = 0
  let discarded: Promise<void> | undefined
  const underWay = new Set<Promise<void>>()

  /** A file is closed only after what was begun on it. */
  function begin(work: () => Promise<void>): Promise<void> {
    if (discarded !== undefined) return Promise.reject(closedError(path))
    const begun = work()
    const settled = begun.then(() => {}, () => {}).then(() => { underWay.delete(settled) })
    underWay.add(settled)
    return begun
  }

  async function write(bytes: Uint8Array, byteOffset: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, byteOffset + done).catch((cause: unknown) => { throw storageError(cause, 'write', path) })
      done += bytesWritten
    }
    counts.appends++
    counts.bytesWritten += bytes.length
  }

  async function read(into: Uint8Array, byteOffset: number): Promise<void> {
    if (byteOffset < 0 || byteOffset + into.length > byteLength) throw shortRead(path, byteOffset, into.length, byteLength)
    for (let done = 0; done < into.length;) {
      const { bytesRead } = await handle.read(into, done, into.length - done, byteOffset + done).catch((cause: unknown) => { throw storageError(cause, 'read', path) })
      if (bytesRead === 0) throw shortRead(path, byteOffset, into.length, byteOffset + done)
      done += bytesRead
    }
    counts.reads++
    counts.bytesRead += into.length
  }

  return {
    name: path,
    append(bytes) {
      const byteOffset = byteLength
      byteLength += bytes.length
      return begin(() => write(bytes, byteOffset))
    },
    read: (into, byteOffset) => begin(() => read(into, byteOffset)),
    discard: () => (discarded ??= Promise.all(underWay).then(() => folder.discard(temporary))),
  }
}
