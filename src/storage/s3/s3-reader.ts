/** Reads of what stands in a bucket. They may be repeated freely, and are until the deadline; nothing but the store's word makes an object absent. */
import { closedError, missingObject, shortRead } from '../storage-errors.ts'
import type { ObjectReader, StorageCounts } from '../storage.ts'
import { repeat } from './attempts.ts'
import type { Attempts } from './attempts.ts'
import type { Answer, Bucket } from './bucket/bucket.ts'

export interface RequestSource {
  readonly bucket: Bucket
  readonly counts: StorageCounts
  readonly startAttempts: () => Attempts
}

/** Looks the object up, one request, unless its size is known. */
export async function openS3Reader(source: RequestSource, name: string, key: string, knownBytes: number | undefined): Promise<ObjectReader> {
  const { bucket, counts, startAttempts } = source
  const byteLength = knownBytes ?? (await sizeOf(source, name, key))
  let closed = false
  return {
    byteLength,
    async read(into, byteOffset) {
      if (closed) throw closedError(name)
      if (byteOffset < 0 || byteOffset + into.length > byteLength) throw shortRead(name, byteOffset, into.length, byteLength)
      if (into.length === 0) return
      found(name, await repeat(startAttempts(), () => bucket.read(key, into, byteOffset)))
      counts.reads++
      counts.bytesRead += into.length
    },
    readSync: undefined,
    close: async () => { closed = true },
  }
}

async function sizeOf({ bucket, counts, startAttempts }: RequestSource, name: string, key: string): Promise<number> {
  const { byteLength } = found(name, await repeat(startAttempts(), () => bucket.head(key)))
  counts.reads++
  return byteLength
}

export async function readWhole({ bucket, counts, startAttempts }: RequestSource, name: string, key: string): Promise<Uint8Array> {
  const bytes = found(name, await repeat(startAttempts(), () => bucket.readWhole(key)))
  counts.reads++
  counts.bytesRead += bytes.length
  return bytes
}

function found<T>(name: string, answer: Answer<T>): T {
  if (answer.kind === 'done') return answer.value
  throw answer.kind === 'missing' ? missingObject(name) : answer.error
}
