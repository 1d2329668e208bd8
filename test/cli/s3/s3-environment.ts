/** What a command needs to work with the S3 server of the tests. */
import { randomBytes } from 'node:crypto'
import { vi } from 'vitest'
import { withStorage } from '../../../src/storage/open-storage.ts'
import type { StorageUse } from '../../../src/storage/open-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { awsVariables, testServer } from '../../storage/s3/s3-server.ts'

export interface S3Place {
  readonly bucket: string
  /** Nobody else's. */
  readonly prefix: string
  /** `s3://bucket/prefix`. */
  readonly url: string
  /** Flags of a database there. */
  readonly flags: readonly string[]
  /** The credentials of the server, and its address. */
  readonly environment: Readonly<Record<string, string>>
}

export async function s3Place(): Promise<S3Place> {
  const server = await testServer()
  const { bucket, endpoint } = server
  const prefix = `cli/${randomBytes(6).toString('hex')}`
  return {
    bucket, prefix, url: `s3://${bucket}/${prefix}`,
    flags: ['--storage', 's3', '--bucket', bucket, '--prefix', prefix],
    environment: { LSMT_S3_ENDPOINT: endpoint, ...awsVariables(server) },
  }
}

/** The same, its environment being this process's own until `vi.unstubAllEnvs()`. */
export async function s3PlaceHere(): Promise<S3Place> {
  const place = await s3Place()
  for (const [name, value] of Object.entries(place.environment)) vi.stubEnv(name, value)
  return place
}

export function withPlace<T>({ bucket, prefix, environment }: S3Place, use: StorageUse, run: (storage: Storage) => Promise<T>): Promise<T> {
  return withStorage({ kind: 's3', bucket, prefix, endpoint: environment['LSMT_S3_ENDPOINT']! }, use, run)
}
