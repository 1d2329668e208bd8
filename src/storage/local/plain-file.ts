/** Files that a user names, outside of any storage, read and written as they stream. */
import { createReadStream } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { LsmtError } from '../../errors.ts'
import { syncFolder } from './local-folder.ts'
import { errnoOf, storageError, unopenedFile } from '../storage-errors.ts'

export interface PlainFile {
  readonly byteLength: number
  /** Its bytes, a piece after the other. */
  read(): AsyncIterable<Uint8Array>
}

/** 58P01 when there is none. */
export async function openPlainFile(path: string): Promise<PlainFile> {
  const found = await stat(path).catch((cause: unknown) => {
    throw unopenedFile(cause, path)
  })
  if (found.isDirectory()) throw new LsmtError('58P01', `${path} is a folder`, { file: path })
  return { byteLength: found.isFile() ? found.size : 0, read: () => piecesOf(path) }
}

async function* piecesOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Uint8Array>
  } catch (cause) {
    throw storageError(cause, 'read', path)
  }
}

export interface PlainFileWriter {
  write(bytes: Uint8Array): Promise<void>
  /** Makes the file appear under its name, durably. */
  finish(): Promise<void>
  /** Drops what was written. Safe after any failure. */
  abandon(): Promise<void>
}

/** A new file that appears whole or not at all; 58030 when one of the name exists, unless it may be replaced. */
export async function createPlainFile(path: string, mayReplace: boolean): Promise<PlainFileWriter> {
  if (!mayReplace && (await exists(path))) throw new LsmtError('58030', `${path} exists`, { file: path, hint: 'choose another name, or remove it' })
  const partial = `${path}.partial`
  const handle = await open(partial, 'w').catch((cause: unknown) => { throw storageError(cause, 'create', partial) })
  return {
    async write(bytes) {
      try {
        for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten
      } catch (cause) {
        throw storageError(cause, 'write', partial)
      }
    },
    async finish() {
      try {
        await handle.sync()
        await handle.close()
        await rename(partial, path)
      } catch (cause) {
        throw storageError(cause, 'write', path)
      }
      await syncFolder(dirname(path))
    },
    async abandon() {
      await handle.close().catch(() => {})
      await rm(partial, { force: true })
    },
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return false
    throw storageError(cause, 'open', path)
  }
}

/** Removes a folder with all that is in it. */
export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch((cause: unknown) => { throw storageError(cause, 'remove', path) })
}
