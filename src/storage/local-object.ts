/** Objects on a local disk: readers by pread, straight into linear memory, and writers that publish at their end. */
import { readSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { LsmtError } from '../errors.ts'
import type { LocalFolder } from './local-folder.ts'
import { closedError, existingObject, shortRead, storageError } from './storage-errors.ts'
import type { ObjectReader, ObjectWriter, StorageCounts } from './storage.ts'

export function createLocalReader(handle: FileHandle, byteLength: number, path: string, counts: StorageCounts): ObjectReader {
  let closed = false
  const begin = (into: Uint8Array, byteOffset: number): void => {
    if (closed) throw closedError(path)
    if (byteOffset < 0 || byteOffset + into.length > byteLength) throw shortRead(path, byteOffset, into.length, byteLength)
    counts.reads++
    counts.bytesRead += into.length
  }
  return {
    byteLength,
    async read(into, byteOffset) {
      begin(into, byteOffset)
      for (let done = 0; done < into.length;) {
        const { bytesRead } = await handle.read(into, done, into.length - done, byteOffset + done)
          .catch((cause: unknown) => { throw storageError(cause, 'read', path) })
        if (bytesRead === 0) throw shortRead(path, byteOffset, into.length, byteOffset + done)
        done += bytesRead
      }
    },
    readSync(into, byteOffset) {
      begin(into, byteOffset)
      for (let done = 0; done < into.length;) {
        const bytesRead = readSome(handle.fd, into, done, byteOffset + done, path)
        if (bytesRead === 0) throw shortRead(path, byteOffset, into.length, byteOffset + done)
        done += bytesRead
      }
    },
    async close() {
      if (closed) return
      closed = true
      await handle.close().catch((cause: unknown) => { throw storageError(cause, 'close', path) })
    },
  }
}

function readSome(fd: number, into: Uint8Array, done: number, byteOffset: number, path: string): number {
  try {
    return readSync(fd, into, done, into.length - done, byteOffset)
  } catch (cause) {
    throw storageError(cause, 'read', path)
  }
}

/** An object under `tmp/` until `publish` gives it its name. Offsets are taken when `append` is called, so appends may overlap. */
export async function createLocalWriter(folder: LocalFolder, name: string, counts: StorageCounts): Promise<ObjectWriter> {
  const path = folder.pathOf(name)
  const temporary = await folder.openTemporary()
  let byteOffset = 0
  let state: 'writing' | 'published' | 'aborted' = 'writing'
  let failure: LsmtError | undefined
  const assertWriting = (): void => {
    if (failure !== undefined) throw failure
    if (state !== 'writing') throw new LsmtError('55000', `cannot go on writing ${path}: it was ${state}`, { file: path })
  }
  return {
    async append(bytes) {
      assertWriting()
      let at = byteOffset
      byteOffset += bytes.length
      try {
        for (let done = 0; done < bytes.length;) {
          const { bytesWritten } = await temporary.handle.write(bytes, done, bytes.length - done, at)
          done += bytesWritten
          at += bytesWritten
        }
      } catch (cause) {
        throw (failure ??= storageError(cause, 'write', path))
      }
      counts.bytesWritten += bytes.length
    },
    async publish() {
      assertWriting()
      state = 'published'
      counts.creates++
      if (await folder.publish(temporary, name) === 'exists') throw existingObject(path)
    },
    async abort() {
      if (state !== 'writing') return
      state = 'aborted'
      await folder.discard(temporary)
    },
  }
}
