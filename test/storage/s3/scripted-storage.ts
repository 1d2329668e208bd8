/** The S3 storage over a scripted bucket. */
import { seededRandom } from '../../../src/runtime/random.ts'
import { countedBucket } from '../../../src/storage/s3/bucket/counted-bucket.ts'
import { defaultS3Settings } from '../../../src/storage/s3/s3-settings.ts'
import type { S3Settings } from '../../../src/storage/s3/s3-settings.ts'
import { createS3Storage } from '../../../src/storage/s3/s3-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { createScriptedBucket, sleepingClock } from './scripted-bucket.ts'
import type { BucketScript, ScriptedBucket } from './scripted-bucket.ts'

export interface ScriptedStorage {
  readonly bucket: ScriptedBucket
  readonly storage: Storage
  readonly clock: ReturnType<typeof sleepingClock>
}

export function scriptedStorage(script: BucketScript = {}, settings: Partial<S3Settings> = {}): ScriptedStorage {
  const bucket = createScriptedBucket(script)
  const clock = sleepingClock()
  const storage = createS3Storage({ ...countedBucket(bucket), keyPrefix: '', settings: { ...defaultS3Settings, ...settings }, clock, random: seededRandom(1) })
  return { bucket, storage, clock }
}
