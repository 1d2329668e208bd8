/**
 * A piece of linear memory in which a statement's values become columns, keys and operations, a chunk of rows at a time
 * (src/kernel/values.ts). What it holds is good within one synchronous step: statements follow each other here.
 */
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { pendingCellBytes, valuesColumnBytes, valuesPlanBytes, valuesShardBytes, valuesTextMargin } from '../../../kernel/values.ts'

const KiB = 1024

/** Tables with more columns are written row by row. */
export const scratchColumnsMax = 512
export const scratchRowsMax = 1024
/** Characters of a chunk's text at most; with characters beyond ASCII its bytes are cut off at half as much again. */
export const scratchTextUnits = 128 * KiB
export const scratchTextBytes = 192 * KiB
export const scratchDefaultBytes = 16 * KiB
export const scratchKeyBytes = 256 * KiB
export const scratchOperationBytes = 640 * KiB
export const scratchPendingMax = 4096
const vectorBytes = 256 * KiB

/** Where each part stands. */
export interface ColumnScratch {
  readonly kernel: Kernel
  readonly shardCount: number
  readonly plan: Pointer
  /** Lists of ordinals: targets, key, values. */
  readonly ordinals: Pointer
  readonly text: Pointer
  readonly defaults: Pointer
  readonly vectors: Pointer
  readonly pending: Pointer
  readonly keys: Pointer
  readonly refs: Pointer
  readonly hashes: Pointer
  /** What `valuesMeasure` tells of each shard, and where its next operation goes. */
  readonly shardRecords: Pointer
  readonly cursors: Pointer
  readonly operations: Pointer
  readonly out: Pointer
  free(): void
}

const partBytes = {
  plan: valuesPlanBytes + valuesColumnBytes * scratchColumnsMax,
  ordinals: 3 * 4 * scratchColumnsMax,
  text: scratchTextBytes + valuesTextMargin,
  defaults: scratchDefaultBytes,
  vectors: vectorBytes,
  pending: scratchPendingMax * pendingCellBytes,
  keys: scratchKeyBytes,
  refs: 8 * scratchRowsMax,
  hashes: 8 * scratchRowsMax,
  operations: scratchOperationBytes,
  out: 16,
}

/** Undefined when the memory has no room for it. */
export function createColumnScratch(kernel: Kernel, shardCount: number): ColumnScratch | undefined {
  const names = Object.keys(partBytes) as (keyof typeof partBytes)[]
  const rounded = (bytes: number): number => (bytes + 15) & ~15
  const shardBytes = rounded((valuesShardBytes + 4) * shardCount)
  const total = names.reduce((sum, name) => sum + rounded(partBytes[name]), shardBytes)
  const base = kernel.heap.tryAllocate(total)
  if (base === 0) return undefined
  let at = base + shardBytes
  const places = Object.fromEntries(names.map((name) => {
    const place = at
    at += rounded(partBytes[name])
    return [name, place]
  })) as Record<keyof typeof partBytes, Pointer>
  return { kernel, shardCount, ...places, shardRecords: base, cursors: base + valuesShardBytes * shardCount, free: () => kernel.heap.free(base) }
}

/** Rows of a chunk of a table of so many columns: values of 8 bytes, and a bit for each. */
export function chunkRows(columnCount: number): number {
  return Math.min(scratchRowsMax, Math.floor((vectorBytes * 8) / (65 * columnCount) / 64) * 64)
}

/** Where the words of a shard's record begin. */
export const shardRecordOf = ({ shardRecords }: ColumnScratch, shard: number): number => (shardRecords + shard * valuesShardBytes) >>> 2
