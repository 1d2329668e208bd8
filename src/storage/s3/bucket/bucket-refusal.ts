/** From what the SDK throws to a refusal: what to do next, and one line that tells the user what is wrong and how to mend it. */
import { LsmtError } from '../../../errors.ts'
import { errnoOf } from '../../storage-errors.ts'
import type { Refusal } from './bucket.ts'

/** Where a request went, for messages. */
export interface RequestPlace {
  readonly bucket: string
  /** The endpoint's URL, or 'AWS'. */
  readonly store: string
  readonly region: string
}

/** The fields of the SDK's errors that tell something; read by shape, since their classes differ by request. */
interface SdkFailure {
  readonly name?: string
  readonly message?: string
  readonly Region?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> }
}

interface Mending {
  readonly what: string
  readonly hint: string
}

const keysHint = 'check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'
const tokenHint = 'renew the temporary credentials (AWS_SESSION_TOKEN)'
const rightsHint = 'the credentials need s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on its objects'

const finalByName: Readonly<Record<string, Mending>> = {
  CredentialsProviderError: { what: 'there are no credentials', hint: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or any other source that the AWS tools know' },
  InvalidAccessKeyId: { what: 'it does not know the access key', hint: keysHint },
  SignatureDoesNotMatch: { what: 'the secret key is wrong', hint: keysHint },
  InvalidSecurity: { what: 'the credentials are wrong', hint: keysHint },
  InvalidToken: { what: 'the session token is wrong', hint: tokenHint },
  ExpiredToken: { what: 'the session token has expired', hint: tokenHint },
  TokenRefreshRequired: { what: 'the session token has expired', hint: tokenHint },
  AccountProblem: { what: 'the account has a problem', hint: 'ask its administrator' },
  AllAccessDisabled: { what: 'all access is disabled', hint: 'ask the administrator of the bucket' },
  InvalidBucketName: { what: 'that is no name of a bucket', hint: 'check --bucket' },
}

const wrongRegionNames: readonly (string | undefined)[] = ['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException', 'IncorrectEndpoint']
/** In the store's own words. A mere 404 can come from anything that answers HTTP, and must not make an object absent. */
const missingNames: readonly (string | undefined)[] = ['NoSuchKey', 'NoSuchUpload']
/** The connection never stood, so nothing was sent. */
const unreachableErrnos = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']
const tlsErrnos = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|EPROTO)/

/** `doing` says what the request was for: 'read wal/0/1.wal'. */
export function refusalOf(cause: unknown, doing: string, place: RequestPlace): Refusal {
  const failure = (cause ?? {}) as SdkFailure
  const status = failure.$metadata?.httpStatusCode ?? failure.$response?.statusCode
  const tell = (what: string, hint?: string): LsmtError => storeError(place, doing, what, hint)
  const known = finalByName[failure.name ?? '']
  if (known !== undefined) return refusal('final', tell(withName(known.what, failure), known.hint))
  return status === undefined ? connectionRefusal(cause, failure, place, tell) : statusRefusal(status, failure, place, tell)
}

/** A refusal of our own making, of an answer that came but is not what was asked for. */
export function badAnswer(kind: 'again' | 'final', doing: string, place: RequestPlace, what: string): Refusal {
  return { ...refusal(kind, storeError(place, doing, what)), mayHaveLanded: true }
}

type Tell = (what: string, hint?: string) => LsmtError

function connectionRefusal(cause: unknown, failure: SdkFailure, { store }: RequestPlace, tell: Tell): Refusal {
  const errno = errnoOf(cause)
  const reason = failure.message || errno || String(cause)
  if (tlsErrnos.test(errno)) return refusal('final', tell(`no secure connection: ${reason}`, 'check http or https in --s3-endpoint; NODE_EXTRA_CA_CERTS names a file of further certificate authorities'))
  if (unreachableErrnos.includes(errno)) return refusal('again', tell(`${store} cannot be reached: ${reason}`, 'check --s3-endpoint and the network'))
  return { ...refusal('again', tell(reason)), mayHaveLanded: true }
}

function statusRefusal(status: number, failure: SdkFailure, place: RequestPlace, tell: Tell): Refusal {
  const said = withName(failure.message || 'no reason given', failure)
  if (failure.name === 'NoSuchBucket') return refusal('final', tell('there is no such bucket', 'create it, or check --bucket and --s3-endpoint'))
  if (failure.name === 'RequestTimeTooSkewed') return refusal('skewed', tell('the clock of this machine differs too much from the store\'s', 'set the clock of this machine'))
  if (status === 301 || status === 307 || wrongRegionNames.includes(failure.name)) return refusal('final', wrongRegion(failure, place, tell))
  if (status === 404 && missingNames.includes(failure.name)) return refusal('missing', tell(said))
  if (status === 403 || status === 401) return refusal('final', tell(`access denied: ${said}`, rightsHint))
  if (status === 412) return refusal('exists', tell(said))
  if (status === 409) return { ...refusal('conflict', tell(said)), mayHaveLanded: true }
  if (status === 501) return refusal('unsupported', tell(`it does not support this request: ${said}`))
  const isThrottled = status === 503 || status === 429
  if (status >= 500 || isThrottled || failure.name === 'RequestTimeout') return { ...refusal('again', tell(said)), mayHaveLanded: true, isThrottled }
  if (status < 300) return { ...refusal('again', tell(`its answer cannot be read: ${said}`)), mayHaveLanded: true }
  if (status === 416) return refusal('past-end', tell(said))
  return refusal('final', tell(`it answered ${status}: ${said}`, status === 404 ? 'is this the address of an S3 endpoint?' : undefined))
}

function wrongRegion(failure: SdkFailure, { region, bucket }: RequestPlace, tell: Tell): LsmtError {
  const right = failure.Region ?? failure.$response?.headers?.['x-amz-bucket-region'] ?? /expecting '([^']+)'/.exec(failure.message ?? '')?.[1]
  return right === undefined
    ? tell(`the bucket is not in region ${region}`, 'set AWS_REGION to its region')
    : tell(`bucket ${bucket} is in region ${right}, not in ${region}`, `set AWS_REGION=${right}`)
}

function refusal(kind: Refusal['kind'], error: LsmtError): Refusal {
  return { kind, error, mayHaveLanded: false, isThrottled: false }
}

/** The store's words, with the name they go by. */
function withName(said: string, { name }: SdkFailure): string {
  return name === undefined || name === 'Error' || said.includes(name) ? said : `${said} (${name})`
}

/** Without the SDK's error as its cause: that holds the whole connection, headers with signatures included. */
function storeError({ store, bucket }: RequestPlace, doing: string, what: string, hint?: string): LsmtError {
  return new LsmtError('58030', `cannot ${doing} in bucket ${bucket} of ${store}: ${what.replaceAll(/\s+/g, ' ').trim()}`, { file: doing.replace(/^\w+ /, ''), ...(hint !== undefined && { hint }) })
}
