/**
 * Storage in a bucket. Objects are created whole and never change, so `createIfAbsent` is the one means of agreement;
 * what it takes is in create-once.ts. Temporary files are kept on the local disk.
 */
import type { Clock } from '../../runtime/clock.ts'
import type { Random } from '../../runtime/random.ts'
import { createTemporaryRoom } from '../local/temporary-room.ts'
import { concatenated } from '../memory-disk.ts'
import { zeroCounts } from '../storage-counts.ts'
import { closedError, noAppends } from '../storage-errors.ts'
import { checkedName, checkedPrefix, isReserved } from '../storage-name.ts'
import type { RequestCounts, Storage, StorageCounts, StoredObject } from '../storage.ts'
import { findAbandoned } from './abandoned.ts'
import { repeat, startAttempts } from './attempts.ts'
import type { Bucket } from './bucket/bucket.ts'
import { createCreations, newPutId } from './create-once.ts'
import type { Creations } from './create-once.ts'
import { openS3Reader, readWhole } from './s3-reader.ts'
import type { RequestSource } from './s3-reader.ts'
import type { S3Settings } from './s3-settings.ts'
import { createS3Writer } from './s3-writer.ts'

export interface S3StorageOptions {
  /** Closed with the storage. */
  readonly bucket: Bucket
  /** What the bucket's requests are counted in. */
  readonly requests: RequestCounts
  /** '' or ends with '/'. */
  readonly keyPrefix: string
  readonly settings: S3Settings
  readonly clock: Clock
  readonly random: Random
  readonly temporaryDirectory?: string
}

export function createS3Storage(options: S3StorageOptions): Storage {
  const { bucket, requests, keyPrefix, settings, random } = options
  const counts = zeroCounts()
  const description = `${bucket.description}${keyPrefix && `, prefix ${keyPrefix}`}`
  const attempts = () => startAttempts(options, settings, settings.deadlineMs)
  const source: RequestSource = { bucket, counts, startAttempts: attempts }
  const temporaries = createTemporaryRoom(options.temporaryDirectory, counts)
  const creations = createCreations({ bucket, attempts, random })
  let closed = false
  const assertOpen = (): void => {
    if (closed) throw closedError(`the storage in ${description}`)
  }
  /** The key of a name, if the name is sane and the storage open. */
  const keyOf = (name: string): string => {
    assertOpen()
    return keyPrefix + checkedName(name)
  }
  const noFilesThatGrow = async (name: string): Promise<never> => {
    keyOf(name)
    throw noAppends(description)
  }
  return {
    description,
    appends: false,
    counts,
    requests,
    createIfAbsent: async (name, parts) => createWhole(creations, counts, keyOf(name), parts),
    create: async (name) => {
      const key = keyOf(name)
      return createS3Writer({ bucket, settings, name, key, putId: newPutId(random), counts, startAttempts: attempts, putWhole: (body) => creations.create(key, body) })
    },
    open: async (name, byteLength) => openS3Reader(source, name, keyOf(name), byteLength),
    read: async (name) => readWhole(source, name, keyOf(name)),
    createAppend: noFilesThatGrow,
    openAppend: noFilesThatGrow,
    createTemporary: async () => {
      assertOpen()
      return temporaries.createTemporary()
    },
    list: async (prefix) => {
      assertOpen()
      counts.lists++
      return listBelow(source, keyPrefix, checkedPrefix(prefix))
    },
    delete: async (name) => deleteKey(source, keyOf(name)),
    abandoned: async (ageMs) => {
      assertOpen()
      return await findAbandoned(source, keyPrefix, ageMs)
    },
    close: async () => {
      if (closed) return
      closed = true
      bucket.close()
      await temporaries.close()
    },
  }
}

async function createWhole(creations: Creations, counts: StorageCounts, key: string, parts: readonly Uint8Array[]): Promise<'created' | 'exists'> {
  counts.creates++
  // A copy of our own, since what is offered must stay as it is over all attempts.
  const { room, byteLength } = concatenated(parts)
  const outcome = await creations.create(key, room.subarray(0, byteLength))
  if (outcome === 'created') counts.bytesWritten += byteLength
  return outcome
}

async function deleteKey({ bucket, counts, startAttempts: start }: RequestSource, key: string): Promise<void> {
  counts.deletes++
  const answer = await repeat(start(), () => bucket.delete(key))
  if (answer.kind !== 'done') throw answer.error
}

async function listBelow({ bucket, startAttempts: start }: RequestSource, keyPrefix: string, prefix: string): Promise<readonly StoredObject[]> {
  const found: StoredObject[] = []
  for (let next: string | undefined, isFirst = true; isFirst || next !== undefined; isFirst = false) {
    const answer = await repeat(start(), () => bucket.list(keyPrefix + prefix, next))
    if (answer.kind !== 'done') throw answer.error
    for (const { key, byteLength } of answer.value.objects) {
      const name = key.slice(keyPrefix.length)
      if (!isReserved(name)) found.push({ name, byteLength })
    }
    next = answer.value.next
  }
  // Stores promise that order, and not all keep it.
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}
