/**
 * What nobody sees in a bucket and somebody left behind: uploads in parts that were neither completed nor given up, which
 * are paid for like objects, and scratch of trials. Age is told by the store alone: by its clock when it answered, and by
 * what it says of when each was begun.
 */
import type { AbandonedObject } from '../storage.ts'
import { repeat } from './attempts.ts'
import type { Answer, Bucket, BucketPage, UploadMarker, UploadPage } from './bucket/bucket.ts'
import type { RequestSource } from './s3-reader.ts'

/** Names are without the prefix. */
export async function findAbandoned(source: RequestSource, keyPrefix: string, ageMs: number): Promise<readonly AbandonedObject[]> {
  const { uploads, nowMs } = await allUploads(source, keyPrefix)
  // Without its clock nothing is known to be old.
  const isOld = (ms: number | undefined): boolean => ms !== undefined && nowMs !== undefined && ms <= nowMs - ageMs
  const drop = (request: (bucket: Bucket) => Promise<Answer<void>>) => async (): Promise<void> => valueOf(await repeat(source.startAttempts(), () => request(source.bucket)))
  return [
    ...uploads.filter(({ startedMs }) => isOld(startedMs)).map(({ key, uploadId, startedMs }): AbandonedObject => ({ name: key.slice(keyPrefix.length), byteLength: 0, why: `an upload that was begun at ${timeOf(startedMs)} and never completed`, drop: drop((bucket) => bucket.abortUpload(key, uploadId)) })),
    ...(await scratch(source, keyPrefix)).filter(({ modifiedMs }) => isOld(modifiedMs)).map(({ key, byteLength, modifiedMs }): AbandonedObject => ({ name: key.slice(keyPrefix.length), byteLength, why: `scratch of ${timeOf(modifiedMs)}`, drop: drop((bucket) => bucket.delete(key)) })),
  ]
}

const timeOf = (ms: number | undefined): string => new Date(ms ?? 0).toISOString()

async function allUploads({ bucket, startAttempts }: RequestSource, keyPrefix: string): Promise<Pick<UploadPage, 'uploads' | 'nowMs'>> {
  const found: UploadPage['uploads'][number][] = []
  for (let next: UploadMarker | undefined; ;) {
    const page: UploadPage = valueOf(await repeat(startAttempts(), () => bucket.listUploads(keyPrefix, next)))
    found.push(...page.uploads)
    if (page.next === undefined) return { uploads: found, nowMs: page.nowMs }
    next = page.next
  }
}

async function scratch({ bucket, startAttempts }: RequestSource, keyPrefix: string): Promise<BucketPage['objects']> {
  const found: BucketPage['objects'][number][] = []
  for (let next: string | undefined; ;) {
    const page: BucketPage = valueOf(await repeat(startAttempts(), () => bucket.list(`${keyPrefix}tmp/`, next)))
    found.push(...page.objects)
    if (page.next === undefined) return found
    next = page.next
  }
}

function valueOf<T>(answer: Answer<T>): T {
  if (answer.kind !== 'done') throw answer.error
  return answer.value
}
