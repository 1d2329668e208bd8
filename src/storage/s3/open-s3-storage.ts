/**
 * Opens a bucket's storage. The first request tells in one line whatever is wrong with address and credentials. Who
 * writes must know that the store keeps what writers depend on: it is probed once, and the verdict kept in the bucket.
 */
import { LsmtError } from '../../errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Random } from '../../runtime/random.ts'
import type { Storage } from '../storage.ts'
import { repeat, startAttempts } from './attempts.ts'
import type { Answer, Bucket } from './bucket/bucket.ts'
import { countedBucket } from './bucket/counted-bucket.ts'
import type { CountedBucket } from './bucket/counted-bucket.ts'
import { createOnce, newPutId } from './create-once.ts'
import { neededToWrite, probeBucket } from './probe.ts'
import type { Verdict } from './probe.ts'
import { keyPrefixOf } from './s3-address.ts'
import type { S3Address } from './s3-address.ts'
import type { S3Settings } from './s3-settings.ts'
import { createS3Storage } from './s3-storage.ts'

export interface S3Environment {
  readonly clock: Clock
  readonly random: Random
  readonly settings: S3Settings
}

/** `bucket` is closed with the storage, or when it cannot be opened. */
export async function openS3Storage(address: S3Address, mayWrite: boolean, bucket: Bucket, environment: S3Environment): Promise<Storage> {
  try {
    const counted = countedBucket(bucket)
    const keyPrefix = keyPrefixOf(address)
    await assertFit(counted.bucket, `${keyPrefix}store/v1-${storeName(address)}.json`, keyPrefix, mayWrite, environment)
    return storageOver(address, counted, environment)
  } catch (error) {
    bucket.close()
    throw error
  }
}

/** The same without a look at the bucket, for further threads. */
export function attachS3Storage(address: S3Address, bucket: Bucket, environment: S3Environment): Storage {
  return storageOver(address, countedBucket(bucket), environment)
}

function storageOver(address: S3Address, counted: CountedBucket, environment: S3Environment): Storage {
  const { temporaryDirectory } = address
  return createS3Storage({ ...environment, ...counted, keyPrefix: keyPrefixOf(address), ...(temporaryDirectory !== undefined && { temporaryDirectory }) })
}

async function assertFit(bucket: Bucket, verdictKey: string, keyPrefix: string, mayWrite: boolean, environment: S3Environment): Promise<void> {
  const kept = await firstAnswer(environment, () => bucket.readWhole(verdictKey, 'open the database'))
  if (kept.kind === 'done') return assertVerdict(bucket, readVerdict(kept.value, verdictKey))
  if (kept.kind !== 'missing') throw kept.error
  if (!mayWrite) return
  const { clock, random, settings } = environment
  const attempts = () => startAttempts({ clock, random }, settings, settings.deadlineMs)
  const verdict = await probeBucket(bucket, `${keyPrefix}tmp/probe-${newPutId(random)}/`, attempts)
  assertVerdict(bucket, verdict)
  // Whoever was first has found the same.
  await createOnce({ bucket, key: verdictKey, body: Buffer.from(`${JSON.stringify(verdict, undefined, 2)}\n`), putId: newPutId(random), attempts: attempts(), isUndecided: false })
}

/** A clock that is wrong is told at once, though the next request would get around it. */
function firstAnswer<T>({ clock, random, settings }: S3Environment, request: () => Promise<Answer<T>>): Promise<Answer<T>> {
  return repeat(startAttempts({ clock, random }, settings, settings.openDeadlineMs), async () => {
    const answer = await request()
    if (answer.kind === 'skewed') throw answer.error
    return answer
  })
}

function assertVerdict({ description }: Bucket, verdict: Verdict): void {
  const broken = neededToWrite.filter((name) => !verdict[name])
  if (broken.length === 0) return
  throw new LsmtError('0A000', `${description} cannot hold a database: ${broken.map((name) => brokenPromises[name]).join('; ')}`, { hint: 'two writers could destroy each other\'s data there: use a store with conditional writes, such as AWS S3, Ceph, MinIO or R2' })
}

const brokenPromises: Readonly<Record<keyof Verdict, string>> = {
  createIfAbsent: 'it does not hold to creation if absent (If-None-Match: *)',
  oneWinner: 'several creators of one object are all told that they created it',
  readsAfterWrite: 'what was written is not there at once',
  listsInOrder: 'it lists names out of order',
  readsRanges: 'it does not give the range of bytes that was asked for',
  keepsMetadata: 'it does not keep metadata',
  replacesIfMatch: 'it replaces objects whatever their etag',
  matchNeedsObject: 'it creates objects that should have been replaced only',
}

function readVerdict(bytes: Uint8Array, key: string): Verdict {
  const bad = (): LsmtError => new LsmtError('XX002', `${key} is not a verdict of this version of lsmt`, { file: key, hint: 'delete it, so that the store is probed again' })
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(bytes).toString())
  } catch {
    throw bad()
  }
  const isVerdict = typeof parsed === 'object' && parsed !== null && neededToWrite.every((name) => typeof (parsed as Record<string, unknown>)[name] === 'boolean')
  if (!isVerdict) throw bad()
  return parsed as Verdict
}

/** Of the store that the verdict is about: a bucket that was copied elsewhere is probed there. */
function storeName({ endpoint }: S3Address): string {
  return endpoint === undefined ? 'aws' : new URL(endpoint).host.toLowerCase().replaceAll(/[^a-z0-9.-]/g, '-')
}
