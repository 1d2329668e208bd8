/** What the serving thread and the background worker say to each other: plain data only. */
import { LsmtError } from '../../errors.ts'
import type { ErrorCode, Evidence } from '../../errors.ts'
import type { HeapRegion } from '../../kernel/open-kernel.ts'
import type { KernelKind } from '../../settings.ts'
import type { StorageAddress } from '../../storage/open-storage.ts'
import type { KeptBlock, StorageCounts } from '../../storage/storage.ts'
import type { Job, JobResult } from './job.ts'

/** What a worker starts with. */
export interface WorkerStart {
  /** The serving thread's linear memory, shared. */
  readonly memory: WebAssembly.Memory
  /** The part of it that is the worker's own. */
  readonly region: HeapRegion
  readonly kernelKind: KernelKind
  readonly cacheBytesMax: number
  readonly storageAddress: StorageAddress
}

export type ToWorker =
  | { readonly kind: 'run'; readonly id: number; readonly job: Job }
  | { readonly kind: 'abort'; readonly id: number }
  | { readonly kind: 'close' }

export type FromWorker =
  /** Its storage has brought a block to the cache on disk. */
  | { readonly kind: 'kept'; readonly block: KeptBlock }
  | { readonly kind: 'done'; readonly id: number; readonly result: JobResult; readonly counts: StorageCounts }
  | { readonly kind: 'failed'; readonly id: number; readonly error: PlainError; readonly counts: StorageCounts }

export interface PlainError {
  readonly code: ErrorCode
  readonly message: string
  readonly evidence: Evidence
}

export function plainError(error: unknown): PlainError {
  if (error instanceof LsmtError) return { code: error.code, message: error.message, evidence: error.evidence }
  return { code: 'XX000', message: `internal error in the background worker: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, evidence: {} }
}
