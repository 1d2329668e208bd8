/** Tunables of a bucket's storage. */
import type { AttemptSettings } from './attempts.ts'

export interface S3Settings extends AttemptSettings {
  /** An object of more bytes goes up in parts of so many; AWS takes none below 5 MiB, and at most 10,000 of them. */
  readonly partBytes: number
  /** Parts of one object under way at a time; its writer holds one more. */
  readonly partsInFlightMax: number
  readonly connectionsMax: number
  readonly connectTimeoutMs: number
  /** How long the store may be silent, over the time that a body takes at `bytesPerMsMin`. */
  readonly requestTimeoutMs: number
  readonly bytesPerMsMin: number
  /** How long requests are repeated until they count as failed. */
  readonly deadlineMs: number
  /** The same for the first request of all, when a user waits who may have mistyped the address. */
  readonly openDeadlineMs: number
}

export const defaultS3Settings: S3Settings = {
  partBytes: 8 * 1024 * 1024,
  partsInFlightMax: 4,
  connectionsMax: 64,
  connectTimeoutMs: 3_000,
  requestTimeoutMs: 10_000,
  bytesPerMsMin: 128,
  deadlineMs: 30_000,
  openDeadlineMs: 5_000,
  backoffFirstMs: 50,
  backoffMsMax: 3_000,
}
