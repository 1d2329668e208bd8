/**
 * Builds write batches in one growing buffer. Keys and rows can be written in place:
 *
 *   let at = builder.beginPut(tableId)         // where the primary-key bytes go
 *   builder.reserve(n)                         // room for n bytes from the offset returned last; may replace `buffer` and `view`
 *   … write key bytes into builder.buffer at `at`
 *   at = builder.endKey(keyEnd)                // where the row goes
 *   … reserve, write the row
 *   builder.endOperation(rowEnd)
 *
 * Offsets stay valid when `reserve` replaces the buffer: it is `buffer` and `view` that must be read again.
 * `endOperation` right after `endKey(keyEnd)` with the same offset means an empty value (a delete).
 */
import { invariant, LsmtError } from '../errors.ts'
import { batchFlag, batchHeaderBytesFor, encodeLayout, operation, operationHeaderBytes, tableIdBytes, viewOf } from './batch.ts'
import type { TableLayout } from './layout.ts'

/** Batches cross memory with 32-bit lengths; larger statements must be split above. */
export const batchBytesMax = 1 << 30

/** Table ids leave room for the end of the last table's keys. */
export const tableIdMax = 0xffff_fffe

export interface BatchBuilder {
  readonly buffer: Buffer
  readonly view: DataView
  readonly operationCount: number
  /** Bytes of the operations so far. */
  readonly byteLength: number
  reserve(byteLength: number): void
  beginPut(tableId: number): number
  beginDelete(tableId: number): number
  endKey(end: number): number
  endOperation(end: number): void
  put(tableId: number, key: Uint8Array, row: Uint8Array): void
  delete(tableId: number, key: Uint8Array): void
  /** Deletes all keys in [start, end); undefined = from the first, to the last. */
  rangeDelete(tableId: number, start: Uint8Array | undefined, end: Uint8Array | undefined): void
  /** Makes a table known, or known with more columns. */
  defineTable(layout: TableLayout): void
  dropTable(tableId: number): void
  /** An operation of another batch, as it is. */
  copy(kind: number, key: Uint8Array, value: Uint8Array): void
  /** The batch in bytes of its own, with room for `partCount` participants; the builder is empty again. */
  finish(partCount?: number): Uint8Array
  clear(): void
}

const nothing = new Uint8Array(0)

export function createBatchBuilder(initialBytes = 4096): BatchBuilder {
  let buffer = Buffer.allocUnsafeSlow(Math.max(64, initialBytes))
  let view = viewOf(buffer)
  let at = 0, operationCount = 0, flags = 0
  /** Start of the operation under way, and of its value; -1 = none. */
  let operationAt = -1, valueAt = -1

  const reserve = (byteLength: number): void => {
    const needed = at + byteLength + 4
    if (needed <= buffer.length) return
    if (needed > batchBytesMax) throw new LsmtError('54000', `a write batch may have at most ${batchBytesMax} bytes; write in smaller parts`)
    const grown = Buffer.allocUnsafeSlow(Math.min(batchBytesMax, Math.max(needed, 2 * buffer.length)))
    buffer.copy(grown, 0, 0, at)
    buffer = grown
    view = viewOf(grown)
  }
  const begin = (kind: number): number => {
    invariant(operationAt < 0, 'a batch operation begins before the last one ended')
    reserve(operationHeaderBytes + tableIdBytes)
    operationAt = at
    view.setUint32(at, kind, true)
    at += operationHeaderBytes
    return at
  }
  const beginOf = (kind: number, tableId: number): number => {
    if (!(tableId >= 0 && tableId <= tableIdMax)) throw new LsmtError('22023', `table id ${tableId} is not from 0 to ${tableIdMax}`)
    begin(kind)
    view.setUint32(at, tableId)
    at += tableIdBytes
    return at
  }
  const endKey = (end: number): number => {
    view.setUint32(operationAt + 4, end - operationAt - operationHeaderBytes, true)
    at = valueAt = end
    return at
  }
  const endOperation = (end: number): void => {
    invariant(operationAt >= 0 && valueAt >= 0 && end >= valueAt && end <= buffer.length - 4, 'a batch operation ends outside of its bytes')
    view.setUint32(operationAt + 8, end - valueAt, true)
    // `reserve` keeps 4 bytes of slack for this.
    while (end & 3) buffer[end++] = 0
    at = end
    operationAt = valueAt = -1
    operationCount++
  }
  const write = (bytes: Uint8Array): number => {
    reserve(bytes.length)
    buffer.set(bytes, at)
    at += bytes.length
    return at
  }
  const copy = (kind: number, key: Uint8Array, value: Uint8Array): void => {
    begin(kind)
    endKey(write(key))
    endOperation(write(value))
  }
  const operate = (kind: number, tableId: number, key: Uint8Array, value: Uint8Array): void => {
    beginOf(kind, tableId)
    endKey(write(key))
    endOperation(write(value))
  }
  const clear = (): void => {
    at = operationCount = flags = 0
    operationAt = valueAt = -1
  }

  return {
    get buffer() { return buffer },
    get view() { return view },
    get operationCount() { return operationCount },
    get byteLength() { return at },
    reserve,
    beginPut: (tableId) => beginOf(operation.put, tableId),
    beginDelete: (tableId) => beginOf(operation.delete, tableId),
    endKey,
    endOperation,
    put: (tableId, key, row) => operate(operation.put, tableId, key, row),
    delete: (tableId, key) => operate(operation.delete, tableId, key, nothing),
    rangeDelete(tableId, start, end) {
      operate(operation.rangeDelete, tableId, start ?? nothing, end === undefined ? tableKey(tableId + 1) : Buffer.concat([tableKey(tableId), end]))
    },
    defineTable(layout) {
      flags |= batchFlag.tables
      operate(operation.defineTable, layout.tableId, nothing, encodeLayout(layout))
    },
    dropTable(tableId) {
      flags |= batchFlag.tables
      operate(operation.dropTable, tableId, nothing, nothing)
    },
    copy(kind, key, value) {
      if (kind === operation.defineTable || kind === operation.dropTable) flags |= batchFlag.tables
      copy(kind, key, value)
    },
    finish(partCount = 0) {
      invariant(operationAt < 0, 'a batch is finished before its last operation ended')
      const batch = assemble(buffer.subarray(0, at), operationCount, flags, partCount)
      clear()
      return batch
    },
    clear,
  }
}

/** A control batch: the transactions of these ids do not count, whatever the logs hold of them. */
export function abortBatch(transactionIds: readonly Uint8Array[]): Uint8Array {
  const builder = createBatchBuilder(64)
  for (const id of transactionIds) builder.copy(operation.abort, id, nothing)
  const batch = builder.finish()
  viewOf(batch).setUint32(20, batchFlag.control, true)
  return batch
}

function assemble(operations: Uint8Array, operationCount: number, flags: number, partCount: number): Uint8Array {
  const headerBytes = batchHeaderBytesFor(partCount)
  const batch = new Uint8Array(headerBytes + operations.length)
  const view = viewOf(batch)
  view.setUint32(0, batch.length, true)
  view.setUint32(4, operationCount, true)
  view.setUint32(16, headerBytes, true)
  view.setUint32(20, flags | (partCount > 0 ? batchFlag.participants : 0), true)
  if (partCount > 0) view.setUint32(24, partCount, true)
  batch.set(operations, headerBytes)
  return batch
}

/** The key that all keys of a table start with. */
export function tableKey(tableId: number): Uint8Array {
  return Uint8Array.of(tableId >>> 24, tableId >>> 16, tableId >>> 8, tableId)
}
