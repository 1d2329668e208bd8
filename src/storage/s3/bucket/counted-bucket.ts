/** Counts every request of a bucket, by what it costs. */
import { zeroRequestCounts } from '../../storage-counts.ts'
import type { RequestCounts } from '../../storage.ts'
import type { Answer, Bucket } from './bucket.ts'

export interface CountedBucket {
  readonly bucket: Bucket
  readonly requests: RequestCounts
}

export function countedBucket(bucket: Bucket): CountedBucket {
  const counts = zeroRequestCounts()
  const seen = async <T>(kind: 'puts' | 'gets' | 'deletes', bytesSent: number, asked: Promise<Answer<T>>, bytesReceived: (value: T) => number = () => 0): Promise<Answer<T>> => {
    counts[kind]++
    counts.bytesSent += bytesSent
    const answer = await asked
    if (answer.kind === 'done') counts.bytesReceived += bytesReceived(answer.value)
    if (answer.kind === 'again' || answer.kind === 'conflict') counts.failures++
    return answer
  }
  const counted: Bucket = {
    description: bucket.description,
    put: (key, body, putId, condition) => seen('puts', body.length, bucket.put(key, body, putId, condition)),
    head: (key) => seen('gets', 0, bucket.head(key)),
    read: (key, into, byteOffset) => seen('gets', 0, bucket.read(key, into, byteOffset), () => into.length),
    readWhole: (key, doing) => seen('gets', 0, bucket.readWhole(key, doing), (bytes) => bytes.length),
    list: (prefix, next) => seen('puts', 0, bucket.list(prefix, next)),
    delete: (key) => seen('deletes', 0, bucket.delete(key)),
    startUpload: (key, putId) => seen('puts', 0, bucket.startUpload(key, putId)),
    uploadPart: (key, uploadId, partNumber, body) => seen('puts', body.length, bucket.uploadPart(key, uploadId, partNumber, body)),
    completeUpload: (key, uploadId, etags, ifAbsent) => seen('puts', 0, bucket.completeUpload(key, uploadId, etags, ifAbsent)),
    abortUpload: (key, uploadId) => seen('deletes', 0, bucket.abortUpload(key, uploadId)),
    listUploads: (prefix, next) => seen('puts', 0, bucket.listUploads(prefix, next)),
    close: () => bucket.close(),
  }
  return { bucket: counted, requests: counts }
}
