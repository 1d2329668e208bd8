/** Objects on a local disk: readers by pread, straight into linear memory, and writers that publish at their end. */
import { fstatSync, read, readSync } from 'node:fs'
import { promisify } from 'node:util'
import { LsmtError } from '../../errors.ts'
import type { FilePool, PooledFile } from './file-pool.ts'
import type { LocalFolder } from './local-folder.ts'
import { closedError, existingObject, shortRead, storageError } from '../storage-errors.ts'
import type { ObjectReader, ObjectWriter, StorageCounts } from '../storage.ts'

const readAsync = promisify(read)

/** A reader of an object that is there; its descriptor comes from the pool for the time of each read, and its length when it is first asked for. */
export function createLocalReader(pool: FilePool, path: string, counts: StorageCounts): ObjectReader {
  const file = pool.add(path)
  let length: number | undefined
  const lengthOf = (): number => (length ??= withFile(pool, file, 'open', (descriptor) => fstatSync(descriptor).size))
  let closed = false
  const begin = (into: Uint8Array, byteOffset: number): void => {
    if (closed) throw closedError(path)
    const end = lengthOf()
    if (byteOffset < 0 || byteOffset + into.length > end) throw shortRead(path, byteOffset, into.length, end)
    counts.reads++
    counts.bytesRead += into.length
  }
  return {
    get byteLength() { return lengthOf() },
    async read(into, byteOffset) {
      begin(into, byteOffset)
      const descriptor = use(pool, file)
      try {
        for (let done = 0; done < into.length;) {
          const { bytesRead } = await readAsync(descriptor, into, done, into.length - done, byteOffset + done)
            .catch((cause: unknown) => { throw storageError(cause, 'read', path) })
          if (bytesRead === 0) throw shortRead(path, byteOffset, into.length, byteOffset + done)
          done += bytesRead
        }
      } finally {
        pool.done(file)
      }
    },
    readSync(into, byteOffset) {
      begin(into, byteOffset)
      const descriptor = use(pool, file)
      try {
        for (let done = 0; done < into.length;) {
          const bytesRead = readSome(descriptor, into, done, byteOffset + done, path)
          if (bytesRead === 0) throw shortRead(path, byteOffset, into.length, byteOffset + done)
          done += bytesRead
        }
      } finally {
        pool.done(file)
      }
    },
    async close() {
      closed = true
      try {
        pool.forget(file)
      } catch (cause) {
        throw storageError(cause, 'close', path)
      }
    },
  }
}

function use(pool: FilePool, file: PooledFile): number {
  try {
    return pool.use(file)
  } catch (cause) {
    throw storageError(cause, 'open', file.path)
  }
}

function withFile<T>(pool: FilePool, file: PooledFile, doing: string, run: (descriptor: number) => T): T {
  const descriptor = use(pool, file)
  try {
    return run(descriptor)
  } catch (cause) {
    pool.forget(file)
    throw storageError(cause, doing, file.path)
  } finally {
    pool.done(file)
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
