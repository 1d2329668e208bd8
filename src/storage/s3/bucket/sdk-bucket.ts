/**
 * The only place that knows the AWS SDK: requests of a real bucket. The SDK's own repetitions are off, because what a
 * repetition means is judged above; so are its checksums, which stores other than AWS refuse, as all our files have their
 * own. A request has a time limit that is pushed on while bytes of its answer come.
 */
import { AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CreateMultipartUploadCommand, DeleteObjectCommand, GetObjectCommand, HeadObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command, PutObjectCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3'
import type { GetObjectCommandOutput, S3ClientConfig } from '@aws-sdk/client-s3'
import type { Readable } from 'node:stream'
import { withVariable } from '../../../runtime/host.ts'
import type { Answer, Bucket, Refusal } from './bucket.ts'
import { badAnswer, refusalOf } from './bucket-refusal.ts'
import type { RequestPlace } from './bucket-refusal.ts'
import { createSlots } from './slots.ts'
import type { Slots } from './slots.ts'
import type { S3Address } from '../s3-address.ts'
import type { S3Settings } from '../s3-settings.ts'

const defaultRegion = 'us-east-1'
const putIdName = 'lsmt-put-id'

/** Time limit of one attempt; `touch` starts it anew. */
interface Attempt {
  readonly signal: AbortSignal
  touch(): void
}

interface Sdk {
  readonly client: S3Client
  readonly place: RequestPlace
  readonly settings: S3Settings
  readonly slots: Slots
}

/** Sends nothing yet. */
export async function openSdkBucket(address: S3Address, settings: S3Settings): Promise<Bucket> {
  const client = await createClient(address, settings)
  const region = await client.config.region()
  const sdk: Sdk = { client, settings, slots: createSlots(settings.connectionsMax), place: { bucket: address.bucket, store: address.endpoint ?? 'AWS', region } }
  const Bucket = address.bucket
  return {
    description: `bucket ${Bucket} of ${sdk.place.store}`,
    put: (Key, Body, putId, condition) => ask(sdk, `create ${Key}`, Body.length, async ({ signal }) => {
      const when = condition.kind === 'absent' ? { IfNoneMatch: '*' } : { IfMatch: condition.etag }
      await client.send(new PutObjectCommand({ Bucket, Key, Body, ContentLength: Body.length, Metadata: { [putIdName]: putId }, ...when }), { abortSignal: signal })
    }),
    head: (Key) => head(sdk, Key),
    read: (Key, into, byteOffset) => read(sdk, Key, into, byteOffset),
    readWhole: (Key, doing) => readWhole(sdk, Key, doing),
    list: (Prefix, next) => ask(sdk, `list ${Prefix}`, 0, async ({ signal }) => {
      const page = await client.send(new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken: next }), { abortSignal: signal })
      const objects = (page.Contents ?? []).map((object) => ({ key: object.Key ?? '', byteLength: object.Size ?? 0, modifiedMs: object.LastModified?.getTime() }))
      return { objects, next: page.IsTruncated === true ? page.NextContinuationToken : undefined }
    }),
    delete: (Key) => absentIsDone(ask(sdk, `delete ${Key}`, 0, async ({ signal }) => {
      await client.send(new DeleteObjectCommand({ Bucket, Key }), { abortSignal: signal })
    })),
    ...uploadsOf(sdk),
    close: () => client.destroy(),
  }
}

function uploadsOf(sdk: Sdk): Pick<Bucket, 'startUpload' | 'uploadPart' | 'completeUpload' | 'abortUpload' | 'listUploads'> {
  const { client, place: { bucket: Bucket } } = sdk
  return {
    startUpload: (Key, putId) => ask(sdk, `create ${Key}`, 0, async ({ signal }) => {
      const upload = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, Metadata: { [putIdName]: putId } }), { abortSignal: signal })
      return upload.UploadId ?? ''
    }),
    uploadPart: (Key, UploadId, PartNumber, Body) => ask(sdk, `write ${Key}`, Body.length, async ({ signal }) => {
      const part = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ContentLength: Body.length }), { abortSignal: signal })
      return part.ETag ?? ''
    }),
    completeUpload: (Key, UploadId, etags, ifAbsent) => ask(sdk, `create ${Key}`, 0, async ({ signal }) => {
      const Parts = etags.map((ETag, i) => ({ ETag, PartNumber: i + 1 }))
      await client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...(ifAbsent && { IfNoneMatch: '*' }) }), { abortSignal: signal })
    }),
    abortUpload: (Key, UploadId) => absentIsDone(ask(sdk, `drop the upload of ${Key}`, 0, async ({ signal }) => {
      await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), { abortSignal: signal })
    })),
    listUploads: (Prefix, next) => ask(sdk, `list the uploads below ${Prefix}`, 0, async ({ signal }) => {
      const command = new ListMultipartUploadsCommand({ Bucket, Prefix, ...(next !== undefined && { KeyMarker: next.key, UploadIdMarker: next.uploadId }) })
      const answeredAt = noteDate(command)
      const page = await client.send(command, { abortSignal: signal })
      const uploads = (page.Uploads ?? []).map(({ Key = '', UploadId = '', Initiated }) => ({ key: Key, uploadId: UploadId, startedMs: Initiated?.getTime() }))
      return { uploads, nowMs: answeredAt(), next: page.IsTruncated === true ? { key: page.NextKeyMarker ?? '', uploadId: page.NextUploadIdMarker ?? '' } : undefined }
    }),
  }
}

/** What the head of the answer calls the time, once there is one. */
function noteDate(command: ListMultipartUploadsCommand): () => number | undefined {
  let date = NaN
  command.middlewareStack.add((next) => async (asked) => {
    const answered = await next(asked)
    const { headers = {} } = answered.response as { readonly headers?: Readonly<Record<string, string>> }
    date = Date.parse(headers['date'] ?? '')
    return answered
  }, { step: 'deserialize', name: 'noteDate' })
  return () => (Number.isNaN(date) ? undefined : date)
}

async function createClient(address: S3Address, settings: S3Settings): Promise<S3Client> {
  const connections = { keepAlive: true, maxSockets: settings.connectionsMax }
  const config: S3ClientConfig = {
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Its round trip before each larger body spares nothing: hardly any body is refused.
    expectContinueHeader: false,
    forcePathStyle: address.pathStyle ?? address.endpoint !== undefined,
    requestHandler: { connectionTimeout: settings.connectTimeoutMs, socketAcquisitionWarningTimeout: 0x7fff_ffff, httpAgent: connections, httpsAgent: connections },
    ...(address.endpoint !== undefined && { endpoint: address.endpoint }),
    ...(address.region !== undefined && { region: address.region }),
    // A copy, since the SDK adds fields to it.
    ...(address.credentials !== undefined && { credentials: { ...address.credentials } }),
  }
  const client = newClient(config)
  const hasRegion = await client.config.region().then(() => true, () => false)
  return hasRegion ? client : newClient({ ...config, region: defaultRegion })
}

/** Without its warning that versions to come will want a newer Node: which one is loaded is our choice. */
function newClient(config: S3ClientConfig): S3Client {
  return withVariable('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', 'true', () => new S3Client(config))
}

/** One attempt, whatever comes of it as data. */
async function ask<T>({ settings, place, slots }: Sdk, doing: string, bodyBytes: number, send: (attempt: Attempt) => Promise<T>): Promise<Answer<T>> {
  const limitMs = settings.requestTimeoutMs + bodyBytes / settings.bytesPerMsMin
  await slots.take()
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), limitMs)
  try {
    return { kind: 'done', value: await send({ signal: abort.signal, touch: () => timer.refresh() }) }
  } catch (cause) {
    if (cause instanceof NotAsAsked) return badAnswer(cause.kind, doing, place, cause.message)
    return refusalOf(abort.signal.aborted ? new Error(`no answer within ${Math.round(limitMs)} ms`) : cause, doing, place)
  } finally {
    clearTimeout(timer)
    slots.give()
  }
}

/** An answer that is none to what was asked; told from the SDK's errors within `ask` and nowhere else. */
class NotAsAsked extends Error {
  readonly kind: Refusal['kind'] & ('again' | 'final')

  constructor(kind: 'again' | 'final', message: string) {
    super(message)
    this.kind = kind
  }
}

async function absentIsDone(asked: Promise<Answer<void>>): Promise<Answer<void>> {
  const answer = await asked
  return answer.kind === 'missing' ? { kind: 'done', value: undefined } : answer
}

/** By a read of one byte: the answer to a HEAD has no room for the store's words, and cannot tell a missing bucket from a missing object. */
async function head(sdk: Sdk, Key: string): ReturnType<Bucket['head']> {
  const asked = await ask(sdk, `open ${Key}`, 0, async (attempt) => {
    const got = await get(sdk, Key, 'bytes=0-0', attempt)
    await fill(new Uint8Array(1), got, attempt)
    return { byteLength: totalOf(got), putId: got.Metadata?.[putIdName] }
  })
  return asked.kind === 'past-end' ? headOfEmpty(sdk, Key) : asked
}

/** An empty object has no byte to read. */
function headOfEmpty(sdk: Sdk, Key: string): ReturnType<Bucket['head']> {
  return ask(sdk, `open ${Key}`, 0, async ({ signal }) => {
    const got = await sdk.client.send(new HeadObjectCommand({ Bucket: sdk.place.bucket, Key }), { abortSignal: signal })
    if (got.ContentLength === undefined) throw new NotAsAsked('final', 'it does not tell the size of the object')
    return { byteLength: got.ContentLength, putId: got.Metadata?.[putIdName] }
  })
}

async function read(sdk: Sdk, Key: string, into: Uint8Array, byteOffset: number): Promise<Answer<void>> {
  return ask(sdk, `read ${Key}`, 0, async (attempt) => {
    const got = await get(sdk, Key, `bytes=${byteOffset}-${byteOffset + into.length - 1}`, attempt)
    // A range that reaches past the end is answered with less; that is told by the header, and is no cut answer.
    if (got.ContentRange?.startsWith(`bytes ${byteOffset}-${byteOffset + into.length - 1}/`) !== true) {
      streamOf(got).destroy()
      throw new NotAsAsked('final', `it answered ${got.ContentRange ?? 'with the whole object'} for the range of ${into.length} bytes at ${byteOffset}`)
    }
    await fill(into, got, attempt)
  })
}

async function readWhole(sdk: Sdk, Key: string, doing = `read ${Key}`): Promise<Answer<Uint8Array>> {
  return ask(sdk, doing, 0, async (attempt) => {
    const got = await get(sdk, Key, undefined, attempt)
    if (got.ContentLength === undefined) throw new NotAsAsked('final', 'it does not tell the size of the object')
    const bytes = new Uint8Array(got.ContentLength)
    await fill(bytes, got, attempt)
    return bytes
  })
}

function get({ client, place }: Sdk, Key: string, Range: string | undefined, { signal }: Attempt): Promise<GetObjectCommandOutput> {
  return client.send(new GetObjectCommand({ Bucket: place.bucket, Key, ...(Range !== undefined && { Range }) }), { abortSignal: signal })
}

const streamOf = (got: GetObjectCommandOutput): Readable => got.Body as Readable

/** Copies a body that must have exactly `into.length` bytes. Leaving the loop ends the stream, so that no byte arrives later. */
async function fill(into: Uint8Array, got: GetObjectCommandOutput, { touch }: Attempt): Promise<void> {
  let done = 0
  for await (const chunk of streamOf(got) as AsyncIterable<Uint8Array>) {
    if (done + chunk.length > into.length) throw new NotAsAsked('again', `more than ${into.length} bytes came`)
    into.set(chunk, done)
    done += chunk.length
    touch()
  }
  if (done < into.length) throw new NotAsAsked('again', `the answer was cut: ${done} of ${into.length} bytes came`)
}

/** Of 'bytes 0-0/<total>'. */
function totalOf(got: GetObjectCommandOutput): number {
  const total = Number(/\/(\d+)$/.exec(got.ContentRange ?? '')?.[1] ?? NaN)
  if (!Number.isSafeInteger(total)) throw new NotAsAsked('final', `it answered ${got.ContentRange ?? 'with the whole object'} for the range of one byte`)
  return total
}
