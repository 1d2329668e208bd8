/** A bucket in memory that does what a script says to each request: for outcomes that a real store shows once a year. */
import { LsmtError } from '../../../src/errors.ts'
import type { Clock } from '../../../src/runtime/clock.ts'
import type { Answer, Bucket, Refusal } from '../../../src/storage/s3/bucket/bucket.ts'

export interface ScriptedRequest {
  /** Counted from 1. */
  readonly number: number
  readonly kind: 'put' | 'head' | 'read' | 'readWhole' | 'list' | 'delete' | 'startUpload' | 'uploadPart' | 'completeUpload' | 'abortUpload' | 'listUploads'
  readonly key: string
}

/**
 * lost-request: no answer and no effect. lost-answer: the effect, and no answer. late: no answer, and the effect when
 * `deliver` is called. The others are answers without effect.
 */
export type Fault = 'lost-request' | 'lost-answer' | 'late' | 'conflict' | 'slow-down' | 'unreachable' | 'skewed' | 'denied' | 'unsupported'

export interface BucketScript {
  readonly fault?: (request: ScriptedRequest) => Fault | undefined
  readonly keepsMetadata?: boolean
  /** A store that overwrites whatever the condition. */
  readonly ignoresConditions?: boolean
  /** A store that checks, then waits, then writes. */
  readonly racesConditions?: boolean
  /** A store that creates what should have matched. */
  readonly createsOnMatch?: boolean
  readonly ignoresRanges?: boolean
  readonly listsStale?: boolean
  /** What the store calls the time; whatever it holds was begun at 0. Default 0. */
  readonly nowMs?: number
  /** Objects in one answer to a list. */
  readonly pageObjects?: number
  /** As Ceph: completing an upload overwrites. */
  readonly completesUnconditionally?: boolean
}

interface StoredObject {
  readonly bytes: Uint8Array
  readonly putId: string | undefined
}

export interface ScriptedBucket extends Bucket {
  readonly objects: Map<string, StoredObject>
  readonly uploads: Map<string, { readonly key: string; readonly putId: string; readonly parts: Map<number, Uint8Array> }>
  /** 'put a/b', in order. */
  readonly requests: string[]
  /** Lets late requests take effect, in their order. */
  deliver(): Promise<void>
}

const refusal = (kind: Refusal['kind'], message: string, mayHaveLanded = false, isThrottled = false): Refusal => ({ kind, error: new LsmtError('58030', message), mayHaveLanded, isThrottled })
const done = <T>(value: T): Answer<T> => ({ kind: 'done', value })
const missing = refusal('missing', 'no such object')
const exists = refusal('exists', 'the condition does not hold')
const noAnswer = refusal('again', 'no answer', true)

const answers: Readonly<Record<Exclude<Fault, 'lost-answer'>, Refusal>> = {
  'lost-request': noAnswer,
  late: noAnswer,
  conflict: refusal('conflict', 'a conflicting request', true),
  'slow-down': refusal('again', 'slow down', true, true),
  unreachable: refusal('again', 'cannot be reached'),
  skewed: refusal('skewed', 'the clock is wrong'),
  denied: refusal('final', 'access denied'),
  unsupported: refusal('unsupported', 'not implemented'),
}

export function createScriptedBucket(script: BucketScript = {}): ScriptedBucket {
  const { keepsMetadata = true } = script
  const objects: ScriptedBucket['objects'] = new Map()
  const uploads: ScriptedBucket['uploads'] = new Map()
  const requests: string[] = []
  const lateEffects: (() => Promise<unknown>)[] = []

  const perform = async <T>(kind: ScriptedRequest['kind'], key: string, effect: () => Promise<Answer<T>> | Answer<T>): Promise<Answer<T>> => {
    requests.push(`${kind} ${key}`)
    const fault = script.fault?.({ number: requests.length, kind, key })
    if (fault === undefined) return effect()
    if (fault === 'late') lateEffects.push(async () => effect())
    if (fault === 'lost-answer') await effect()
    return fault === 'lost-answer' ? noAnswer : answers[fault]
  }
  const store = (key: string, bytes: Uint8Array, putId: string): Answer<void> => {
    objects.set(key, { bytes: new Uint8Array(bytes), putId: keepsMetadata ? putId : undefined })
    return done(undefined)
  }
  return {
    description: 'a scripted bucket', objects, uploads, requests,
    deliver: async () => { for (const effect of lateEffects.splice(0)) await effect() },
    put: (key, body, putId, condition) => perform('put', key, async () => {
      if (script.ignoresConditions === true) return store(key, body, putId)
      const isThere = objects.has(key)
      if (script.racesConditions === true) await new Promise((resolve) => setImmediate(resolve))
      if (condition.kind === 'absent') return isThere ? exists : store(key, body, putId)
      if (!isThere && script.createsOnMatch === true) return store(key, body, putId)
      return isThere ? exists : missing
    }),
    head: (key) => perform('head', key, () => {
      const object = objects.get(key)
      return object === undefined ? missing : done({ byteLength: object.bytes.length, putId: object.putId })
    }),
    read: (key, into, byteOffset) => perform('read', key, () => {
      const object = objects.get(key)
      if (object === undefined) return missing
      into.set(object.bytes.subarray(script.ignoresRanges === true ? 0 : byteOffset).subarray(0, into.length))
      return done(undefined)
    }),
    readWhole: (key) => perform('readWhole', key, () => {
      const object = objects.get(key)
      return object === undefined ? missing : done(object.bytes.slice())
    }),
    list: (prefix, next) => perform('list', prefix, () => {
      if (script.listsStale === true) return done({ objects: [], next: undefined })
      const found = [...objects].filter(([key]) => key.startsWith(prefix) && key > (next ?? '')).map(([key, { bytes }]) => ({ key, byteLength: bytes.length, modifiedMs: 0 })).sort((a, b) => (a.key < b.key ? -1 : 1))
      const page = found.slice(0, script.pageObjects)
      return done({ objects: page, next: page.length < found.length ? page.at(-1)!.key : undefined })
    }),
    delete: (key) => perform('delete', key, () => {
      objects.delete(key)
      return done(undefined)
    }),
    startUpload: (key, putId) => perform('startUpload', key, () => {
      const uploadId = `upload-${requests.length}`
      uploads.set(uploadId, { key, putId, parts: new Map() })
      return done(uploadId)
    }),
    uploadPart: (key, uploadId, partNumber, body) => perform('uploadPart', key, () => {
      uploads.get(uploadId)?.parts.set(partNumber, body.slice())
      return uploads.has(uploadId) ? done(`etag-${partNumber}`) : missing
    }),
    completeUpload: (key, uploadId, etags, ifAbsent) => perform('completeUpload', key, () => {
      const upload = uploads.get(uploadId)
      if (upload === undefined) return missing
      if (ifAbsent && script.completesUnconditionally !== true && objects.has(key)) return exists
      uploads.delete(uploadId)
      return store(key, new Uint8Array(Buffer.concat(etags.map((_, i) => upload.parts.get(i + 1)!))), upload.putId)
    }),
    listUploads: (prefix, next) => perform('listUploads', prefix, () => {
      const found = [...uploads].map(([uploadId, { key }]) => ({ key, uploadId, startedMs: 0 })).filter(({ key }) => key.startsWith(prefix)).sort((a, b) => (a.uploadId < b.uploadId ? -1 : 1))
      const behind = found.filter(({ uploadId }) => next === undefined || uploadId > next.uploadId)
      const page = behind.slice(0, script.pageObjects)
      return done({ uploads: page, nowMs: script.nowMs ?? 0, next: page.length < behind.length ? page.at(-1) : undefined })
    }),
    abortUpload: (key, uploadId) => perform('abortUpload', key, () => {
      uploads.delete(uploadId)
      return done(undefined)
    }),
    close: () => {},
  }
}

/** A clock that only sleeping moves, at once. */
export function sleepingClock(): Clock & { readonly slept: readonly number[] } {
  let nowMs = 0
  const slept: number[] = []
  return {
    slept,
    monotonicMs: () => nowMs,
    wallMicros: () => BigInt(Math.round(nowMs * 1000)),
    sleep: async (ms) => {
      slept.push(ms)
      nowMs += ms
    },
  }
}
