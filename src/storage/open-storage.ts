/** Storage by address: plain data, so that worker threads can open their own. What a bucket takes is loaded with the first address of one. */
import { LsmtError } from '../errors.ts'
import { systemClock } from '../runtime/clock.ts'
import { systemRandom } from '../runtime/random.ts'
import { cacheOnDisk } from './cache/cached-storage.ts'
import { attachLocalStorage, openLocalStorage } from './local-storage.ts'
import { createMemoryStorage } from './memory-storage.ts'
import { defaultS3Settings } from './s3/s3-settings.ts'
import { keyPrefixOf } from './s3/s3-address.ts'
import type { S3Address } from './s3/s3-address.ts'
import type { KeptBlock, Storage } from './storage.ts'

export type StorageAddress = LocalAddress | { readonly kind: 'memory' } | S3Address

export interface LocalAddress {
  readonly kind: 'local'
  /** Created if absent. */
  readonly directory: string
}

/** An address for people. */
export function addressName(address: StorageAddress): string {
  switch (address.kind) {
    case 'local':
      return address.directory
    case 'memory':
      return 'memory'
    case 's3':
      return `s3://${address.bucket}/${keyPrefixOf(address)}`.replace(/\/$/, '')
  }
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
      const { opening, bucket, environment } = await s3Parts(address)
      const storage = await opening.openS3Storage(address, use === 'write', bucket, environment)
      return address.diskCache === undefined ? storage : cacheOnDisk(storage, address.diskCache, systemClock)
    }
  }
}

/** Opens a storage for as long as `run` takes. */
export async function withStorage<T>(address: StorageAddress, use: StorageUse, run: (storage: Storage) => Promise<T>): Promise<T> {
  const storage = await openStorage(address, use)
  try {
    return await run(storage)
  } finally {
    await storage.close()
  }
}

/** A further handle for a worker thread on what this process has opened already; to be closed before that. What it brings to a cache on disk is told to the first handle's `noteKept`. 0A000 for memory. */
export async function attachStorage(address: StorageAddress, tellOwner: (block: KeptBlock) => void = () => {}): Promise<Storage> {
  switch (address.kind) {
    case 'local':
      return attachLocalStorage(address.directory)
    case 'memory':
      throw new LsmtError('0A000', 'storage in memory belongs to one thread')
    case 's3': {
      const { opening, bucket, environment } = await s3Parts(address)
      const storage = opening.attachS3Storage(address, bucket, environment)
      return address.diskCache === undefined ? storage : cacheOnDisk(storage, address.diskCache, systemClock, tellOwner)
    }
  }
}

/** Loaded here and nowhere else: the SDK takes a tenth of a second, which others should not wait for. */
async function s3Parts(address: S3Address) {
  keyPrefixOf(address)
  const settings = { ...defaultS3Settings, ...address.settings }
  const [opening, { openSdkBucket }] = await Promise.all([import('./s3/open-s3-storage.ts'), import('./s3/bucket/sdk-bucket.ts')])
  return { opening, bucket: await openSdkBucket(address, settings), environment: { clock: systemClock, random: systemRandom, settings } }
}
