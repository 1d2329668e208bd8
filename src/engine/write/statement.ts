/**
 * From rows to one batch per shard. Everything here is synchronous; the builders are shared by all statements and
 * empty whenever no call is running.
 */
import { LsmtError } from '../../errors.ts'
import { createBatchBuilder } from '../../lsm/batch-builder.ts'
import type { BatchBuilder } from '../../lsm/batch-builder.ts'
import type { LinearMemory, Pointer } from '../../kernel/linear-memory.ts'
import type { KeyRange } from '../codec/key-codec.ts'
import { rowBytesMax, writeRow } from '../codec/row-codec.ts'
import type { EngineRow } from '../engine.ts'
import type { StatementPart } from '../shards/commit.ts'
import type { KeyScratch } from '../shards/key-scratch.ts'
import type { TableAccess } from '../tables/table-access.ts'

export interface StatementBuilder {
  /** Bytes of all operations so far. */
  readonly byteLength: number
  /** Adds a put of each row. */
  put(access: TableAccess, rows: readonly EngineRow[]): void
  /** Adds a put into, or a delete from, one shard, whatever the key's own. */
  putIn(shard: number, access: TableAccess, row: EngineRow): void
  deleteIn(shard: number, access: TableAccess, key: EngineRow): void
  /** Adds operations of one shard that stand encoded in linear memory. */
  append(shard: number, from: Pointer, byteLength: number, operationCount: number): void
  /** Adds a delete of each key. */
  delete(access: TableAccess, keys: readonly EngineRow[]): void
  /** Adds a delete of a range in every shard. */
  deleteRange(access: TableAccess, range: Exclude<KeyRange, 'empty'>): void
  /** Makes the table known to, or forgotten by, every shard. */
  define(access: TableAccess): void
  drop(tableId: number): void
  /** The parts of the statement; the builder is empty again. */
  finish(): readonly StatementPart[]
  /** Drops what was added, after a failure. */
  clear(): void
}

export function createStatementBuilder(memory: LinearMemory, scratch: KeyScratch, shardCount: number, rowLengthMax: number): StatementBuilder {
  const builders = Array.from({ length: shardCount }, () => createBatchBuilder())
  const source: KeySource = { memory, scratch, rowLengthMax }

  return {
    get byteLength() {
      let bytes = 0
      for (const builder of builders) bytes += builder.byteLength
      return bytes
    },
    put(access, rows) {
      if (rows.length === 1) {
        scratch.writeOne(access, rows[0]!, access.keyInRow)
        putAt(source, builders[scratch.shardOf(0)]!, access, 0, rows[0]!)
        return
      }
      for (let from = 0; from < rows.length; ) {
        const count = scratch.writeMany(access, rows, from, access.keyInRow)
        for (let i = 0; i < count; i++) putAt(source, builders[scratch.shardOf(i)]!, access, i, rows[from + i]!)
        from += count
      }
    },
    putIn(shard, access, row) {
      scratch.writeOne(access, row, access.keyInRow)
      putAt(source, builders[shard]!, access, 0, row)
    },
    deleteIn(shard, access, key) {
      scratch.writeOne(access, key, access.keyInKey)
      deleteAt(source, builders[shard]!, access, 0)
    },
    append(shard, from, byteLength, operationCount) {
      builders[shard]!.append(memory.u8.subarray(from, from + byteLength), operationCount)
    },
    delete(access, keys) {
      for (let from = 0; from < keys.length; ) {
        const count = scratch.writeMany(access, keys, from, access.keyInKey)
        for (let i = 0; i < count; i++) deleteAt(source, builders[scratch.shardOf(i)]!, access, i)
        from += count
      }
    },
    deleteRange(access, range) {
      for (const builder of builders) builder.rangeDelete(access.schema.tableId, range.lower, range.upper)
    },
    define(access) {
      for (const builder of builders) builder.defineTable(access.layout)
    },
    drop(tableId) {
      for (const builder of builders) builder.dropTable(tableId)
    },
    finish: () => finishParts(builders),
    clear() {
      for (const builder of builders) builder.clear()
    },
  }
}

/** Keys as they stand in linear memory, and what bounds the rows. */
export interface KeySource {
  readonly memory: LinearMemory
  readonly scratch: KeyScratch
  /** A row with more bytes is 54000. */
  readonly rowLengthMax: number
}

/** Adds a put of a row whose key stands at `index` of the scratch. */
export function putAt(source: KeySource, builder: BatchBuilder, access: TableAccess, index: number, row: EngineRow): void {
  const rowAt = writeKeyAt(source, builder, index, rowBytesMax(access.rows, row), builder.beginPut(access.schema.tableId))
  const rowBytes = writeRow(access.rows, builder, rowAt, row)
  if (rowBytes > source.rowLengthMax) throw new LsmtError('54000', `a row of table "${access.schema.name}" has ${rowBytes} bytes, at most ${source.rowLengthMax} are possible`, { hint: 'raise the kernel memory setting' })
  builder.endOperation(rowAt + rowBytes)
}

function deleteAt(source: KeySource, builder: BatchBuilder, access: TableAccess, index: number): void {
  builder.endOperation(writeKeyAt(source, builder, index, 0, builder.beginDelete(access.schema.tableId)))
}

/** Writes the scratch's key at `keyAt` and makes room for a row of `rowBytes`; returns where the row goes. */
function writeKeyAt({ memory, scratch }: KeySource, builder: BatchBuilder, index: number, rowBytes: number, keyAt: number): number {
  const byteLength = scratch.byteLengthOf(index)
  builder.reserve(byteLength + rowBytes)
  copyOut(memory, scratch.addressOf(index), byteLength, builder.buffer, keyAt)
  return builder.endKey(keyAt + byteLength)
}

/** A builder whose buffer grew beyond this is replaced, so that one large statement does not hold its memory for good. */
const keptBufferBytesMax = 1024 * 1024

function finishParts(builders: BatchBuilder[]): readonly StatementPart[] {
  let partCount = 0
  for (const builder of builders) if (builder.operationCount > 0) partCount++
  const parts: StatementPart[] = []
  for (let shard = 0; shard < builders.length; shard++) {
    const builder = builders[shard]!
    const { operationCount } = builder
    if (operationCount > 0) parts.push({ shard, operationCount, batch: builder.finish(partCount > 1 ? partCount : 0) })
    if (builder.buffer.length > keptBufferBytesMax) builders[shard] = createBatchBuilder()
  }
  return parts
}

const copiedByLoopMax = 32

/** Copies out of linear memory; short copies by a loop, since a view of its own costs more. */
function copyOut(memory: LinearMemory, from: Pointer, byteLength: number, into: Buffer, at: number): void {
  const { u8 } = memory
  if (byteLength > copiedByLoopMax) {
    into.set(u8.subarray(from, from + byteLength), at)
    return
  }
  for (let i = 0; i < byteLength; i++) into[at + i] = u8[from + i]!
}
