/** Storage by address: plain data, so that worker threads can open their own. What a bucket takes is loaded with the first address of one. */
import { LsmtError } from '../errors.ts'
import { systemClock } from '../runtime/clock.ts'
import { systemRandom } from '../runtime/random.ts'
import { attachLocalStorage, openLocalStorage } from './local-storage.ts'
import { createMemoryStorage } from './memory-storage.ts'
import type { Bucket } from './s3/bucket/bucket.ts'
import { defaultS3Settings } from './s3/s3-settings.ts'
import { keyPrefixOf } from './s3/s3-address.ts'
import type { S3Address } from './s3/s3-address.ts'
import type { Storage } from './storage.ts'

export type StorageAddress = LocalAddress | { readonly kind: 'memory' } | S3Address

export interface LocalAddress {
  readonly kind: 'local'
  /** Created if absent. */
  readonly directory: string
}

/** What whoever opens a storage is going to do. A bucket has room for many that read beside those that write; a directory is one process's alone. */
export type StorageUse = 'write' | 'read'

/**
 * Opens a storage. Of a directory: 55006 when another process has it. Of a bucket: an error in one line for whatever is
 * wrong with address, credentials or clock, and 0A000 where the store does not keep what writers depend on.
 */
export async function openStorage(address: StorageAddress, use: StorageUse = 'write'): Promise<Storage> {
  switch (address.kind) {
    case 'local':
      return openLocalStorage(address.directory)
    case 'memory':
      return createMemoryStorage()
    case 's3': {
      const [{ openS3Storage }, bucket] = await Promise.all([import('./s3/open-s3-storage.ts'), openBucket(address)])
      return openS3Storage(address, use === 'write', bucket, s3Environment)
    }
  }
}

/** A further handle for a worker thread on what this process has opened already; to be closed before that. 0A000 for memory. */
export async function attachStorage(address: StorageAddress): Promise<Storage> {
  switch (address.kind) {
    case 'local':
      return attachLocalStorage(address.directory)
    case 'memory':
      throw new LsmtError('0A000', 'storage in memory belongs to one thread')
    case 's3': {
      const [{ attachS3Storage }, bucket] = await Promise.all([import('./s3/open-s3-storage.ts'), openBucket(address)])
      return attachS3Storage(address, bucket, s3Environment)
    }
  }
}

const s3Environment = { clock: systemClock, random: systemRandom, settings: defaultS3Settings }

async function openBucket(address: S3Address): Promise<Bucket> {
  keyPrefixOf(address)
  const { openSdkBucket } = await import('./s3/bucket/sdk-bucket.ts')
  return openSdkBucket(address, defaultS3Settings)
}
