/** A chunk's columns to the operations of the statement's batches. */
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { writeI64 } from '../../codec/byte-target.ts'
import { keyLengthMax } from '../../shards/key-scratch.ts'
import type { TableAccess } from '../../tables/table-access.ts'
import type { StatementBuilder } from '../statement.ts'
import { scratchKeyBytes, scratchOperationBytes, shardRecordOf } from './column-scratch.ts'
import type { ColumnScratch } from './column-scratch.ts'
import type { KeyExtents } from './key-extents.ts'
import type { ColumnPlan } from './values-plan.ts'

export interface ChunkStatement {
  readonly scratch: ColumnScratch
  readonly access: TableAccess
  readonly builder: StatementBuilder
  /** A row with more bytes is refused, elsewhere. */
  readonly rowLengthMax: number
  /** Of a table with a hidden key: the first row's id. */
  readonly firstRowId: number
  /** Of rows that are to be new: is told of their keys. */
  readonly extents?: KeyExtents | undefined
}

/** Columns to keys, hashes and operations, each shard's one after the other. */
export function encodeChunk(statement: ChunkStatement, plan: ColumnPlan, rowsBefore: number, rows: number): boolean {
  const { scratch, access, builder, rowLengthMax } = statement
  const { kernel: { exports, memory: { u32 } }, shardCount, refs, hashes, shardRecords, cursors, operations } = scratch
  if (access.schema.hiddenKey) writeRowIds(statement, plan.values[0]!, statement.firstRowId + rowsBefore, rows)
  const longestKey = exports.valuesKeys(scratch.plan, rows, scratch.keys, scratchKeyBytes, refs, hashes)
  if (longestKey < 0 || longestKey > keyLengthMax) return false
  if (exports.valuesMeasure(scratch.plan, rows, refs, hashes, shardRecords) > rowLengthMax) return false
  let at = operations
  for (let shard = 0; shard < shardCount; shard++) {
    u32[(cursors >>> 2) + shard] = at
    at += u32[shardRecordOf(scratch, shard)]!
  }
  if (at > operations + scratchOperationBytes) return false
  exports.valuesEncode(scratch.plan, rows, refs, hashes, cursors)
  for (let shard = 0; shard < shardCount; shard++) {
    const record = shardRecordOf(scratch, shard), byteLength = u32[record]!
    if (byteLength > 0) builder.append(shard, u32[(cursors >>> 2) + shard]! - byteLength, byteLength, u32[record + 1]!)
  }
  statement.extents?.note(scratch)
  return true
}

function writeRowIds({ scratch: { kernel: { memory } } }: ChunkStatement, values: Pointer, first: number, rows: number): void {
  for (let i = 0; i < rows; i++) writeI64(memory.view, values + 8 * i, first + i)
}

/** The lock hashes of the chunk's keys. */
export function copyHashes({ kernel: { memory: { u32 } }, hashes }: ColumnScratch, into: Uint32Array, from: number, rows: number): void {
  for (let i = 0; i < rows; i++) into[from + i] = u32[(hashes >>> 2) + 2 * i]!
}
