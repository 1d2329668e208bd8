/** Where a database in a bucket is, as plain data, and what such data may be. */
import { LsmtError } from '../../errors.ts'
import type { BlockFilesSettings } from '../cache/block-files.ts'
import type { S3Settings } from './s3-settings.ts'

export interface S3Address {
  readonly kind: 's3'
  readonly bucket: string
  /** In front of every name, such as 'prod/orders'; several databases share a bucket by it. */
  readonly prefix?: string
  /** The URL of a store other than AWS. */
  readonly endpoint?: string
  /** By default as the AWS tools find it, and else 'us-east-1'. */
  readonly region?: string
  /** Whether the bucket stands in the path of URLs, not in their host name; by default where an endpoint is given. */
  readonly pathStyle?: boolean
  /** By default as the AWS tools find them: the environment, a profile, the machine's role. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }
  /** What queries spill goes to a folder made in this one; by default in the system's. */
  readonly temporaryDirectory?: string
  /** Where table files are kept near once they were read, for who opens the storage (not for its worker threads); by default nowhere. */
  readonly diskCache?: BlockFilesSettings
  /** Tunables that are not to be the defaults. */
  readonly settings?: Partial<S3Settings>
}

const bucketPattern = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const prefixPattern = /^[A-Za-z0-9!_.*'()-]+(\/[A-Za-z0-9!_.*'()-]+)*\/?$/
const prefixLengthMax = 400

export const bucketExpected = '3 to 63 of [a-z0-9.-]'
export const prefixExpected = `at most ${prefixLengthMax} characters: parts of [A-Za-z0-9!_.*'()-] with / between them`
export const endpointExpected = 'a URL such as https://s3.example.org, without credentials'

export function isBucketName(text: string): boolean {
  return bucketPattern.test(text)
}

/** '' is one. */
export function isKeyPrefix(text: string): boolean {
  return text === '' || (prefixPattern.test(text) && text.length <= prefixLengthMax && !text.split('/').some((part) => part === '.' || part === '..'))
}

/** Whatever stands in an endpoint is told in messages, so there are no credentials in it. */
export function isEndpoint(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && url.search === '' && url.hash === ''
}

/** What stands in front of every key: '' or a path with a '/' at its end. 22023 for an address that cannot be one. */
export function keyPrefixOf({ bucket, prefix = '', endpoint }: S3Address): string {
  if (!isBucketName(bucket)) throw bad('bucket', bucket, bucketExpected)
  if (endpoint !== undefined && !isEndpoint(endpoint)) throw bad('S3 endpoint', endpoint, endpointExpected)
  if (!isKeyPrefix(prefix)) throw bad('prefix', prefix, prefixExpected)
  return prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`
}

function bad(what: string, value: string, expected: string): LsmtError {
  return new LsmtError('22023', `bad ${what} ${JSON.stringify(value)}: expected ${expected}`)
}
