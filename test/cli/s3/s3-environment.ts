/** What a command needs to work with the S3 server of the tests. */
import { randomBytes } from 'node:crypto'
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
