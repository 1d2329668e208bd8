/**
 * Storage in memory: for databases that need not outlive their process, and for tests. Every call takes effect in one
 * step before its promise resolves, so nothing partial can be seen.
 */
import { LsmtError } from '../errors.ts'
import { concatenated, writeAt, zeroFile } from './memory-disk.ts'
import type { MemoryDisk, MemoryFile } from './memory-disk.ts'
import { totalBytes, zeroCounts } from './storage-counts.ts'
import { closedError, existingObject, missingObject, noAppends, shortRead } from './storage-errors.ts'
import { checkedName, checkedPrefix } from './storage-name.ts'
import type { AppendFile, ObjectReader, ObjectWriter, Storage, StorageCounts, StoredObject, TemporaryFile } from './storage.ts'

export interface MemoryStorageOptions {
  /** Contents to start from, shared with whoever brings them. */
  readonly disk?: MemoryDisk
  /** false: readers have no `readSync`, and asking for an object's size is a request, as over a bucket. */
  readonly syncReads?: boolean
  /** false: no append files, as in a bucket. */
  readonly appends?: boolean
}

export function createMemoryStorage(options: MemoryStorageOptions = {}): Storage {
  const { disk = new Map<string, MemoryFile>(), syncReads = true, appends = true } = options
  const counts = zeroCounts()
  let closed = false
  const assertOpen = (): void => {
    if (closed) throw closedError('the memory storage')
  }
  const checked = (name: string): string => {
    assertOpen()
    return checkedName(name)
  }
  const found = (name: string): MemoryFile => {
    const file = disk.get(checked(name))
    if (file === undefined) throw missingObject(name)
    return file
  }
  const put = (name: string, file: MemoryFile): 'created' | 'exists' => {
    counts.creates++
    if (disk.has(name)) return 'exists'
    disk.set(name, file)
    return 'created'
  }
  return {
    description: 'memory',
    appends,
    counts,
    createIfAbsent: async (name, parts) => {
      const outcome = put(checked(name), concatenated(parts))
      if (outcome === 'created') counts.bytesWritten += totalBytes(parts)
      return outcome
    },
    create: async (name) => createMemoryWriter(checked(name), put, counts),
    open: async (name, byteLength) => openMemoryReader(checked(name), found, byteLength, counts, syncReads),
    read: async (name) => readWhole(found(name), counts),
    createAppend: async (name, preallocateBytes) => {
      if (!appends) throw noAppends('memory')
      const file = zeroFile(preallocateBytes)
      if (put(checked(name), file) === 'exists') throw existingObject(name)
      return createMemoryAppend(name, file, counts)
    },
    openAppend: async (name) => {
      if (!appends) throw noAppends('memory')
      return createMemoryAppend(name, found(name), counts)
    },
    createTemporary: async () => {
      assertOpen()
      return createMemoryTemporary(counts)
    },
    list: async (prefix) => {
      assertOpen()
      counts.lists++
      return listDisk(disk, checkedPrefix(prefix))
    },
    delete: async (name) => {
      counts.deletes++
      disk.delete(checked(name))
    },
    close: async () => { closed = true },
  }
}

function readWhole(file: MemoryFile, counts: StorageCounts): Uint8Array {
  counts.reads++
  counts.bytesRead += file.byteLength
  return file.room.slice(0, file.byteLength)
}

function listDisk(disk: MemoryDisk, prefix: string): readonly StoredObject[] {
  const below = [...disk].filter(([name]) => name.startsWith(prefix))
  return below.map(([name, file]) => ({ name, byteLength: file.byteLength })).sort((a, b) => (a.name < b.name ? -1 : 1))
}

function createMemoryWriter(name: string, put: (name: string, file: MemoryFile) => 'created' | 'exists', counts: StorageCounts): ObjectWriter {
  const file = concatenated([])
  let state: 'writing' | 'published' | 'aborted' = 'writing'
  const assertWriting = (): void => {
    if (state !== 'writing') throw new LsmtError('55000', `cannot go on writing ${name}: it was ${state}`, { file: name })
  }
  return {
    append: async (bytes) => {
      assertWriting()
      writeAt(file, bytes, file.byteLength)
      counts.bytesWritten += bytes.length
    },
    publish: async () => {
      assertWriting()
      state = 'published'
      if (put(name, file) === 'exists') throw existingObject(name)
    },
    abort: async () => {
      if (state === 'writing') state = 'aborted'
    },
  }
}

function openMemoryReader(name: string, found: (name: string) => MemoryFile, byteLength: number | undefined, counts: StorageCounts, syncReads: boolean): ObjectReader {
  if (!syncReads && byteLength !== undefined) return createMemoryReader(name, () => found(name), byteLength, counts, syncReads)
  const file = found(name)
  if (!syncReads) counts.reads++
  return createMemoryReader(name, () => file, file.byteLength, counts, syncReads)
}

/** `find` throws when there is no object any more. */
function createMemoryReader(name: string, find: () => MemoryFile, byteLength: number, counts: StorageCounts, syncReads: boolean): ObjectReader {
  let closed = false
  const readSync = (into: Uint8Array, byteOffset: number): void => {
    if (closed) throw closedError(name)
    const file = find()
    const end = Math.min(byteLength, file.byteLength)
    if (byteOffset < 0 || byteOffset + into.length > end) throw shortRead(name, byteOffset, into.length, end)
    counts.reads++
    counts.bytesRead += into.length
    into.set(file.room.subarray(byteOffset, byteOffset + into.length))
  }
  return {
    byteLength,
    read: async (into, byteOffset) => readSync(into, byteOffset),
    readSync: syncReads ? readSync : undefined,
    close: async () => { closed = true },
  }
}

function createMemoryAppend(name: string, file: MemoryFile, counts: StorageCounts): AppendFile {
  let closed = false
  const assertOpen = (): void => {
    if (closed) throw closedError(name)
  }
  return {
    write: (parts, byteOffset) => {
      assertOpen()
      let at = byteOffset
      for (const part of parts) {
        writeAt(file, part, at)
        at += part.length
      }
      counts.appends++
      counts.bytesWritten += at - byteOffset
    },
    sync: async () => {
      assertOpen()
      counts.syncs++
    },
    syncNow: () => {
      assertOpen()
      counts.syncs++
    },
    close: async () => { closed = true },
  }
}

function createMemoryTemporary(counts: StorageCounts): TemporaryFile {
  const name = 'a temporary file in memory'
  let file: MemoryFile | undefined = concatenated([])
  const kept = (): MemoryFile => {
    if (file === undefined) throw closedError(name)
    return file
  }
  return {
    name,
    append: async (bytes) => {
      writeAt(kept(), bytes, kept().byteLength)
      counts.appends++
      counts.bytesWritten += bytes.length
    },
    read: async (into, byteOffset) => {
      const { room, byteLength } = kept()
      if (byteOffset < 0 || byteOffset + into.length > byteLength) throw shortRead(name, byteOffset, into.length, byteLength)
      counts.reads++
      counts.bytesRead += into.length
      into.set(room.subarray(byteOffset, byteOffset + into.length))
    },
    discard: async () => { file = undefined },
  }
}
