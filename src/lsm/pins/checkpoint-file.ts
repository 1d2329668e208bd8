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
import { tableFileName } from '../table/table-file-name.ts'

export const checkpointFolder = 'checkpoints/'

export interface StoredCheckpoint {
  /** For people. */
  readonly name: string
  /** Microseconds since the Unix epoch. */
  readonly createdAtMicros: number
  /** Undefined: it stays until it is deleted. */
  readonly expiresAtMicros: number | undefined
  /** Of every shard. */
  readonly manifests: readonly ManifestState[]
}

const frame: Frame = { what: 'checkpoint', magic: 'LSMTCHK1', version: 1 }

export function encodeCheckpoint(kernel: Kernel, { name, createdAtMicros, expiresAtMicros, manifests }: StoredCheckpoint): Uint8Array {
  return encodeFramed(kernel, frame, { name, createdAtMicros, expiresAtMicros, manifests: manifests.map((manifest) => Buffer.from(encodeManifest(kernel, manifest)).toString('base64')) })
}

/** XX001 when the bytes of `file` are damaged, XX002 when another version wrote them. */
export function decodeCheckpoint(kernel: Kernel, bytes: Uint8Array, file: string): StoredCheckpoint {
  const { name, createdAtMicros, expiresAtMicros, manifests } = (decodeFramed(kernel, frame, bytes, file) ?? {}) as Partial<Record<keyof StoredCheckpoint, unknown>>
  const isTime = typeof createdAtMicros === 'number' && (expiresAtMicros === undefined || typeof expiresAtMicros === 'number')
  if (typeof name !== 'string' || !isTime || !Array.isArray(manifests) || !manifests.every((each) => typeof each === 'string')) {
    throw corruption('checkpoint', { file, expected: 'a name, times, manifests', actual: typeof manifests })
  }
  return { name, createdAtMicros, expiresAtMicros, manifests: manifests.map((each) => decodeManifest(kernel, Buffer.from(each, 'base64'), file)) }
}

export function isExpired({ expiresAtMicros }: StoredCheckpoint, nowMicros: number): boolean {
  return expiresAtMicros !== undefined && expiresAtMicros <= nowMicros
}

/** Numbers of the table files that a manifest names. */
export function filesOfManifest({ tables }: ManifestState): readonly number[] {
  return tables.flatMap(({ levels }) => levels.flat().map(({ fileNumber }) => fileNumber))
}

/** Names of the table files that a checkpoint keeps. */
export function filesOfCheckpoint({ manifests }: StoredCheckpoint): readonly string[] {
  return manifests.flatMap((manifest) => filesOfManifest(manifest).map((fileNumber) => tableFileName(manifest.shard, fileNumber)))
}
