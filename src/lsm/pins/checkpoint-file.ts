/**
 * A checkpoint as an object: `checkpoints/<id>`, any id. The table files that its manifests name stay until it is deleted
 * or has expired, whoever replaces them.
 */
import { corruption } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { decodeFramed, encodeFramed } from '../framed-json.ts'
import type { Frame } from '../framed-json.ts'
import { decodeManifest, encodeManifest } from '../manifest-codec.ts'
import type { ManifestState } from '../manifest.ts'

export const checkpointFolder = 'checkpoints/'

export interface StoredCheckpoint {
  /** For people. */
  readonly name: string
  /** Microseconds since the Unix epoch. */
  readonly expiresAtMicros: number
  /** Of every shard. */
  readonly manifests: readonly ManifestState[]
}

const frame: Frame = { what: 'checkpoint', magic: 'LSMTCHK1', version: 1 }

export function encodeCheckpoint(kernel: Kernel, { name, expiresAtMicros, manifests }: StoredCheckpoint): Uint8Array {
  return encodeFramed(kernel, frame, { name, expiresAtMicros, manifests: manifests.map((manifest) => Buffer.from(encodeManifest(kernel, manifest)).toString('base64')) })
}

/** XX001 when the bytes of `file` are damaged, XX002 when another version wrote them. */
export function decodeCheckpoint(kernel: Kernel, bytes: Uint8Array, file: string): StoredCheckpoint {
  const { name, expiresAtMicros, manifests } = (decodeFramed(kernel, frame, bytes, file) ?? {}) as Partial<Record<keyof StoredCheckpoint, unknown>>
  if (typeof name !== 'string' || typeof expiresAtMicros !== 'number' || !Array.isArray(manifests) || !manifests.every((each) => typeof each === 'string')) {
    throw corruption('checkpoint', { file, expected: 'a name, when it expires, manifests', actual: typeof manifests })
  }
  return { name, expiresAtMicros, manifests: manifests.map((each) => decodeManifest(kernel, Buffer.from(each, 'base64'), file)) }
}
