/**
 * A client of a bucket that dies at one of its requests, as its process does under `kill -9`: that request is never sent,
 * or takes effect, or does so later, and nobody hears of it; no further one is sent. What waits for an answer waits for
 * ever, so whoever holds such a client just lets go of it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../../src/runtime/clock.ts'
import { systemRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import type { Answer, Bucket } from '../../../src/storage/s3/bucket/bucket.ts'
import { openSdkBucket } from '../../../src/storage/s3/bucket/sdk-bucket.ts'
import { attachS3Storage } from '../../../src/storage/s3/open-s3-storage.ts'
import type { S3Address } from '../../../src/storage/s3/s3-address.ts'
import { defaultS3Settings } from '../../../src/storage/s3/s3-settings.ts'
import type { Storage } from '../../../src/storage/storage.ts'

export type LastRequest = 'unsent' | 'sent' | 'late'

export interface Drop {
  /** From 1. */
  readonly request: number
  /** Of creations in the log alone. */
  readonly isOfLog?: boolean
  readonly last: LastRequest
}

export interface DroppedClient {
  readonly storage: Storage
  readonly isDropped: boolean
  /** Resolves when it dies. */
  readonly death: Promise<void>
  /** Resolves when nothing of it is under way any more. */
  settled(): Promise<void>
}

const lateMsMax = 200

export async function openDroppedClient(address: S3Address, drop: Drop, random: Random): Promise<DroppedClient> {
  const bucket = await openSdkBucket(address, defaultS3Settings)
  const underWay = new Set<Promise<unknown>>()
  let requests = 0
  let die = (): void => {}
  const death = new Promise<void>((resolve) => (die = resolve))
  const isDropped = (): boolean => requests >= drop.request
  const sent = <T>(request: () => Promise<T>): Promise<T> => {
    const answer = request()
    const ended: Promise<unknown> = answer.catch(() => undefined).then(() => underWay.delete(ended))
    underWay.add(ended)
    return answer
  }
  const around = async <T>(request: () => Promise<Answer<T>>, isOfLog = false): Promise<Answer<T>> => {
    const isCounted = !isDropped() && (isOfLog || drop.isOfLog !== true)
    if (isCounted) requests++
    const isLast = isCounted && isDropped()
    if (isLast) die()
    if (isLast && drop.last !== 'unsent') void sent(() => sleep(drop.last === 'late' ? random.below(lateMsMax) : 0).then(request))
    const answer = isDropped() ? undefined : await sent(request)
    return answer === undefined || isDropped() ? await new Promise<never>(() => {}) : answer
  }
  const storage = attachS3Storage(address, aroundRequests(bucket, around), { clock: systemClock, random: systemRandom, settings: defaultS3Settings })
  return {
    storage,
    get isDropped() { return isDropped() },
    death,
    async settled() {
      while (underWay.size > 0) await Promise.all(underWay)
      bucket.close()
    },
  }
}

function aroundRequests(bucket: Bucket, around: <T>(request: () => Promise<Answer<T>>, isOfLog?: boolean) => Promise<Answer<T>>): Bucket {
  return {
    description: bucket.description,
    put: (...given) => around(() => bucket.put(...given), given[0].includes('/wal/')),
    head: (...given) => around(() => bucket.head(...given)),
    read: (...given) => around(() => bucket.read(...given)),
    readWhole: (...given) => around(() => bucket.readWhole(...given)),
    list: (...given) => around(() => bucket.list(...given)),
    delete: (...given) => around(() => bucket.delete(...given)),
    startUpload: (...given) => around(() => bucket.startUpload(...given)),
    uploadPart: (...given) => around(() => bucket.uploadPart(...given)),
    completeUpload: (...given) => around(() => bucket.completeUpload(...given)),
    abortUpload: (...given) => around(() => bucket.abortUpload(...given)),
    listUploads: (...given) => around(() => bucket.listUploads(...given)),
    close: () => bucket.close(),
  }
}
