/**
 * Append files on a local disk. Preallocation writes real zeros and syncs them, so that the file's size and extents
 * never change later and a commit's fdatasync has no metadata to write. The first error poisons the file: after a
 * failed fsync the kernel may have dropped the dirty pages and would report success for them the next time. Only a write
 * that found no room may be made again: whatever part of it is there is written over.
 */
import { fdatasync, fdatasyncSync, writeSync, writevSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import type { LsmtError } from '../../errors.ts'
import { closedError, storageError } from '../storage-errors.ts'
import { totalBytes } from '../storage-counts.ts'
import type { AppendFile, StorageCounts } from '../storage.ts'

/** The system calls an append file needs; a test brings failing ones. */
export interface AppendHandle {
  /** Writes some bytes of `parts` at `byteOffset`; returns how many. */
  writeSome(parts: readonly Uint8Array[], byteOffset: number): number
  datasync(): Promise<void>
  datasyncNow(): void
  close(): Promise<void>
}

export function appendHandleOf(handle: FileHandle): AppendHandle {
  return {
    writeSome: (parts, byteOffset) => (parts.length === 1 ? writeSync(handle.fd, parts[0]!, 0, parts[0]!.length, byteOffset) : writevSync(handle.fd, parts, byteOffset)),
    // By the callback: the promise of a handle costs as much again as handing the call over.
    datasync: () => new Promise((resolve, reject) => {
      fdatasync(handle.fd, (error) => {
        if (error === null) resolve()
        else reject(error)
      })
    }),
    datasyncNow: () => fdatasyncSync(handle.fd),
    close: () => handle.close(),
  }
}

export function createLocalAppendFile(handle: AppendHandle, path: string, counts: StorageCounts): AppendFile {
  let failure: LsmtError | undefined
  let closed = false
  const poison = (cause: unknown, doing: string): LsmtError => (failure ??= storageError(cause, doing, path))
  const assertUsable = (): void => {
    if (failure !== undefined) throw failure
    if (closed) throw closedError(path)
  }
  return {
    write(parts, byteOffset) {
      assertUsable()
      try {
        writeAll(handle, parts, byteOffset)
      } catch (cause) {
        const error = storageError(cause, 'write', path)
        throw error.code === '53100' ? error : (failure ??= error)
      }
      counts.appends++
      counts.bytesWritten += totalBytes(parts)
    },
    async sync() {
      assertUsable()
      counts.syncs++
      try {
        await handle.datasync()
      } catch (cause) {
        throw poison(cause, 'sync')
      }
      // Another sync may have failed meanwhile and taken the dirty pages of this one with it.
      if (failure !== undefined) throw failure
    },
    syncNow() {
      assertUsable()
      counts.syncs++
      try {
        handle.datasyncNow()
      } catch (cause) {
        throw poison(cause, 'sync')
      }
    },
    async close() {
      if (closed) return
      closed = true
      await handle.close().catch((cause: unknown) => { throw poison(cause, 'close') })
    },
  }
}

function writeAll(handle: AppendHandle, parts: readonly Uint8Array[], byteOffset: number): void {
  let rest = parts.filter((part) => part.length > 0)
  let at = byteOffset
  while (rest.length > 0) {
    let written = handle.writeSome(rest, at)
    if (written <= 0) throw new Error('nothing was written')
    at += written
    while (rest.length > 0 && written >= rest[0]!.length) {
      written -= rest[0]!.length
      rest = rest.slice(1)
    }
    if (written > 0) rest = [rest[0]!.subarray(written), ...rest.slice(1)]
  }
}

/**
 * Linux keeps what one write brings in one piece of the page cache (a folio), as far as it can, and ext4 goes through all
 * blocks of a piece for each later write to it: behind zeros that came a mebibyte at a time, 100 bytes took 16 µs instead
 * of 9, and 256 KiB 54 instead of 40. A program that does other things between its writes has these blocks fetched from
 * memory each time: 300 bytes took 2.8 µs behind 256 KiB, 1.9 behind 64. Much smaller ones are more calls than they spare.
 */
const zeroBytes = new Uint8Array(128 * 1024)

/** Fills the first `byteLength` bytes with zeros; the caller syncs. */
export async function writeZeros(handle: FileHandle, byteLength: number): Promise<void> {
  for (let at = 0; at < byteLength;) {
    const { bytesWritten } = await handle.write(zeroBytes, 0, Math.min(zeroBytes.length, byteLength - at), at)
    at += bytesWritten
  }
}
