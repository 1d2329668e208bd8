/**
 * A bucket as this room sees it: every call is one HTTP request that nobody repeats underneath, and every outcome is
 * data, since what to do about it differs by request. `sdk-bucket.ts` speaks to real ones; tests script their own.
 */
import type { LsmtError } from '../../../errors.ts'

export type Answer<T> = { readonly kind: 'done'; readonly value: T } | Refusal

export interface Refusal {
  /**
   * - missing: there is no such object, or upload; never said of a bucket, which is `final`.
   * - past-end: the range begins behind the object's end (416).
   * - exists: the condition did not hold (412).
   * - conflict: another request was under way (409); nothing is decided.
   * - again: the store or the way to it failed: the same request may succeed.
   * - skewed: the store calls our clock wrong; the client corrects itself, so that the next request may succeed.
   * - unsupported: the store does not know such requests (501).
   * - final: a repetition ends the same.
   */
  readonly kind: 'missing' | 'past-end' | 'exists' | 'conflict' | 'again' | 'skewed' | 'unsupported' | 'final'
  /** What to tell the user if this is the end of it. */
  readonly error: LsmtError
  /** The request may have taken effect, or may yet. */
  readonly mayHaveLanded: boolean
  /** The store asks for fewer requests. */
  readonly isThrottled: boolean
}

export interface StoredHead {
  readonly byteLength: number
  /** Of whoever created it; undefined where the store keeps no metadata. */
  readonly putId: string | undefined
}

/** When a put may take effect. */
export type PutCondition = { readonly kind: 'absent' } | { readonly kind: 'etag'; readonly etag: string }

export interface BucketPage {
  /** `modifiedMs`: milliseconds since the Unix epoch by the store's clock; undefined where it does not say. */
  readonly objects: readonly { readonly key: string; readonly byteLength: number; readonly modifiedMs: number | undefined }[]
  /** Asks for the page after this one; undefined: there is none. */
  readonly next: string | undefined
}

/** Uploads that were begun, and neither completed nor given up. */
export interface UploadPage {
  readonly uploads: readonly { readonly key: string; readonly uploadId: string; readonly startedMs: number | undefined }[]
  readonly next: UploadMarker | undefined
  /** The time by the store's clock, with which the others compare. */
  readonly nowMs: number | undefined
}

/** Asks for the page after the one that ends with it. */
export interface UploadMarker {
  readonly key: string
  readonly uploadId: string
}

export interface Bucket {
  /** For messages: the bucket and whose it is. */
  readonly description: string
  /** Bodies are read until the call ends: they must not change, nor lie in shared memory. */
  put(key: string, body: Uint8Array, putId: string, condition: PutCondition): Promise<Answer<void>>
  head(key: string): Promise<Answer<StoredHead>>
  /** Fills `into`, which may lie in shared memory, from `byteOffset` on; nothing is written there once this has ended. A body of another length is `again`. */
  read(key: string, into: Uint8Array, byteOffset: number): Promise<Answer<void>>
  /** `doing` says in messages what it is for. */
  readWhole(key: string, doing?: string): Promise<Answer<Uint8Array>>
  list(prefix: string, next: string | undefined): Promise<Answer<BucketPage>>
  /** Deleting what is absent is done. */
  delete(key: string): Promise<Answer<void>>
  /** Gives the upload's id. */
  startUpload(key: string, putId: string): Promise<Answer<string>>
  /** Gives the part's etag; part numbers count from 1. */
  uploadPart(key: string, uploadId: string, partNumber: number, body: Uint8Array): Promise<Answer<string>>
  completeUpload(key: string, uploadId: string, etags: readonly string[], ifAbsent: boolean): Promise<Answer<void>>
  abortUpload(key: string, uploadId: string): Promise<Answer<void>>
  listUploads(prefix: string, next: UploadMarker | undefined): Promise<Answer<UploadPage>>
  close(): void
}
