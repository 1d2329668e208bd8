/** Whole files that are small, or should be: those that a user names, such as tokens and certificates, and stored ones. */
import { open } from 'node:fs/promises'
import { LsmtError } from '../errors.ts'
import { storageError, unopenedFile } from './storage-errors.ts'
import type { Storage } from './storage.ts'

/** 58P01 when there is none, 54000 when it is larger than `bytesMax`. */
export async function readSmallFile(path: string, bytesMax: number): Promise<Buffer> {
  const handle = await open(path, 'r').catch((cause: unknown) => { throw unopenedFile(cause, path) })
  try {
    const room = Buffer.alloc(bytesMax + 1)
    let byteLength = 0
    for (;;) {
      const { bytesRead } = await handle.read(room, byteLength, room.length - byteLength, null)
      byteLength += bytesRead
      if (byteLength > bytesMax) throw new LsmtError('54000', `${path} is larger than ${bytesMax} bytes`, { file: path })
      if (bytesRead === 0) return room.subarray(0, byteLength)
    }
  } catch (cause) {
    throw storageError(cause, 'read', path)
  } finally {
    await handle.close()
  }
}

/** The same of a stored object. */
export async function readSmallObject(storage: Storage, name: string, bytesMax: number): Promise<Buffer> {
  const object = await storage.open(name)
  try {
    if (object.byteLength > bytesMax) throw new LsmtError('54000', `${name} has ${object.byteLength} bytes, at most ${bytesMax} are read`, { file: name })
    const bytes = Buffer.alloc(object.byteLength)
    await object.read(bytes, 0)
    return bytes
  } finally {
    await object.close()
  }
}
