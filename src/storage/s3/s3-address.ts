/** Where a database in a bucket is, as plain data, and what such data may be. */
import { LsmtError } from '../../errors.ts'
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
  /** Tunables that are not to be the defaults. */
  readonly settings?: Partial<S3Settings>
}

const bucketPattern = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const prefixPattern = /^[A-Za-z0-9!_.*'()-]+(\/[A-Za-z0-9!_.*'()-]+)*$/
const prefixLengthMax = 400

/** What stands in front of every key: '' or a path with a '/' at its end. 22023 for an address that cannot be one. */
export function keyPrefixOf({ bucket, prefix = '', endpoint }: S3Address): string {
  if (!bucketPattern.test(bucket)) throw bad('bucket', bucket, 'expected 3 to 63 of [a-z0-9.-]')
  if (endpoint !== undefined && !isHttpUrl(endpoint)) throw bad('S3 endpoint', endpoint, 'expected a URL such as https://s3.example.org')
  const path = prefix.replace(/\/$/, '')
  if (path === '') return ''
  if (!prefixPattern.test(path) || path.length > prefixLengthMax) throw bad('prefix', prefix, "expected a path of [A-Za-z0-9!_.*'()-] parts")
  return `${path}/`
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

function bad(what: string, value: string, expected: string): LsmtError {
  return new LsmtError('22023', `bad ${what} ${JSON.stringify(value)}: ${expected}`)
}
