/** What goes with exported files: framed JSON of where they end, the manifest that names them, and parts in them that may not be settled. */
import { corruption } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { decodeFramed, encodeFramed } from '../framed-json.ts'
import type { Frame } from '../framed-json.ts'
import { decodeManifest, encodeManifest } from '../manifest-codec.ts'
import type { ManifestState } from '../manifest.ts'
import { isPosition, isVisibleParts } from './replica-record.ts'
import type { LogPosition, VisiblePart } from './replicated-tree.ts'

export interface ExportedState {
  readonly through: LogPosition
  readonly manifest: ManifestState
  readonly parts: readonly VisiblePart[]
}

const frame: Frame = { what: 'exported state', magic: 'LSMTEXP1', version: 1 }
const where = 'exported files'

export function encodeExported(kernel: Kernel, { through, manifest, parts }: ExportedState): Uint8Array {
  return encodeFramed(kernel, frame, { through, manifest: Buffer.from(encodeManifest(kernel, manifest)).toString('base64'), parts })
}

/** XX001 when they are damaged, XX002 when another version wrote them. */
export function decodeExported(kernel: Kernel, bytes: Uint8Array): ExportedState {
  const { through, manifest: encoded, parts } = (decodeFramed(kernel, frame, bytes, where) ?? {}) as Readonly<Record<string, unknown>>
  const demand = (good: boolean, expected: string): void => {
    if (!good) throw corruption('exported state', { file: where, expected, actual: 'another' })
  }
  demand(isPosition(through) && typeof encoded === 'string' && isVisibleParts(parts), 'position, manifest and parts')
  const manifest = decodeManifest(kernel, Buffer.from(encoded as string, 'base64'), where)
  demand((through as LogPosition).sequence === manifest.flushedSequence, `files up to sequence ${(through as LogPosition).sequence}`)
  return { through: through as LogPosition, manifest, parts: parts as readonly VisiblePart[] }
}
