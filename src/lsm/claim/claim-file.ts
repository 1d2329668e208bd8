/**
 * A claim on a database as an object: `writer/<epoch, 20 digits>.claim`, created if absent and never deleted. Each epoch
 * has one writer; who finds a claim of a later epoch than its own is out.
 */
import { corruption } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { claimFileName } from '../file-names.ts'
import { decodeFramed, encodeFramed } from '../framed-json.ts'
import type { Frame } from '../framed-json.ts'

/** Where a writer keeps its log: with all else, or on a disk of its own. */
export type LogPlace = 'stored' | 'local'

export interface Claim {
  readonly epoch: number
  /** 32 hexadecimal digits, random: equal claims are one. */
  readonly writerId: string
  readonly log: LogPlace
}

const frame: Frame = { what: 'claim', magic: 'LSMTCLM1', version: 1 }

export function encodeClaim(kernel: Kernel, { epoch, writerId, log }: Claim): Uint8Array {
  return encodeFramed(kernel, frame, { epoch, writerId, log })
}

/** XX001 when the bytes are damaged, XX002 when another version wrote them. */
export function decodeClaim(kernel: Kernel, bytes: Uint8Array, expectedEpoch: number): Claim {
  const file = claimFileName(expectedEpoch)
  const { epoch, writerId, log } = (decodeFramed(kernel, frame, bytes, file) ?? {}) as Partial<Record<keyof Claim, unknown>>
  const isClaim = epoch === expectedEpoch && typeof writerId === 'string' && (log === 'stored' || log === 'local')
  if (!isClaim) throw corruption('claim', { file, expected: `a claim of epoch ${expectedEpoch}`, actual: JSON.stringify({ epoch, writerId, log }) })
  return { epoch: expectedEpoch, writerId, log }
}
