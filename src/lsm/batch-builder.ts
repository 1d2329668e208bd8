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
import { batchFlag, batchHeaderBytesFor, encodeLayout, operation, operationHeaderBytes, readBatchHeader, tableIdBytes, viewOf } from './batch.ts'
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
  /** Puts and deletes as they stand in a batch, from `start` on. */
  append(operations: Uint8Array, operationCount: number, start?: number): void
  /** Takes the last operation away again, which began at `from`, as a batch of its own; undefined when it has not ended. */
  takeBack(from: number): Uint8Array | undefined
  /** The batch in bytes of its own, with room for `partCount` participants; the builder is empty again. */
  finish(partCount?: number): Uint8Array
  clear(): void
}

const nothing = new Uint8Array(0)

/** The operations so far, and the one under way. */
interface BatchState {
  buffer: Buffer
  view: DataView
  /** End of what was written. */
  byteLength: number
  operationCount: number
  flags: number
  /** Start of the operation under way, and of its value; -1 = none. */
  operationAt: number
  valueAt: number
}

/** No accessors: they would make every builder an object of its own kind, and each shard's writes have their own. */
export function createBatchBuilder(initialBytes = 4096): BatchBuilder {
  const buffer = Buffer.allocUnsafeSlow(Math.max(64, initialBytes))
  const state: BatchState & BatchBuilder = {
    buffer, view: viewOf(buffer), byteLength: 0, operationCount: 0, flags: 0, operationAt: -1, valueAt: -1,
    reserve: (byteLength) => reserve(state, byteLength),
    beginPut: (tableId) => beginOfTable(state, operation.put, tableId),
    beginDelete: (tableId) => beginOfTable(state, operation.delete, tableId),
    endKey: (end) => endKey(state, end),
    endOperation: (end) => endOperation(state, end),
    put: (tableId, key, row) => operate(state, operation.put, tableId, key, row),
    delete: (tableId, key) => operate(state, operation.delete, tableId, key, nothing),
    rangeDelete(tableId, start, end) {
      operate(state, operation.rangeDelete, tableId, start ?? nothing, end === undefined ? tableKey(tableId + 1) : Buffer.concat([tableKey(tableId), end]))
    },
    defineTable: (layout) => operate(state, operation.defineTable, layout.tableId, nothing, encodeLayout(layout)),
    dropTable: (tableId) => operate(state, operation.dropTable, tableId, nothing, nothing),
    copy(kind, key, value) {
      begin(state, kind)
      endKey(state, write(state, key))
      endOperation(state, write(state, value))
    },
    append(operations, operationCount, start = 0) {
      invariant(state.operationAt < 0 && (operations.length - start) % 4 === 0, 'operations are appended whole, and to whole ones')
      reserve(state, operations.length - start)
      state.byteLength = copyBytes(operations, start, operations.length, state.buffer, state.byteLength)
      state.operationCount += operationCount
    },
    finish(partCount = 0) {
      invariant(state.operationAt < 0, 'a batch is finished before its last operation ended')
      const batch = assemble({ operations: state.buffer, byteLength: state.byteLength, operationCount: state.operationCount, flags: state.flags }, partCount)
      clear(state)
      return batch
    },
    takeBack: (from) => takeBack(state, from),
    clear: () => clear(state),
  }
  return state
}

function takeBack(state: BatchState, from: number): Uint8Array | undefined {
  const hasEnded = state.operationAt < 0 && state.byteLength > from
  const batch = hasEnded ? assemble({ operations: state.buffer.subarray(from), byteLength: state.byteLength - from, operationCount: 1, flags: 0 }, 0) : undefined
  if (hasEnded) state.operationCount--
  state.byteLength = from
  state.operationAt = state.valueAt = -1
  return batch
}

function clear(state: BatchState): void {
  state.byteLength = state.operationCount = state.flags = 0
  state.operationAt = state.valueAt = -1
}

/** Room for `byteLength` bytes more, and 4 for the zeros that follow an operation. */
function reserve(state: BatchState, byteLength: number): void {
  const needed = state.byteLength + byteLength + 4
  if (needed <= state.buffer.length) return
  if (needed > batchBytesMax) throw new LsmtError('54000', `a write batch may have at most ${batchBytesMax} bytes; write in smaller parts`)
  const grown = Buffer.allocUnsafeSlow(Math.min(batchBytesMax, Math.max(needed, 2 * state.buffer.length)))
  state.buffer.copy(grown, 0, 0, state.byteLength)
  state.buffer = grown
  state.view = viewOf(grown)
}

function begin(state: BatchState, kind: number): void {
  invariant(state.operationAt < 0, 'a batch operation begins before the last one ended')
  reserve(state, operationHeaderBytes + tableIdBytes)
  if (kind === operation.defineTable || kind === operation.dropTable) state.flags |= batchFlag.tables
  state.operationAt = state.byteLength
  state.view.setUint32(state.byteLength, kind, true)
  state.byteLength += operationHeaderBytes
}

function beginOfTable(state: BatchState, kind: number, tableId: number): number {
  if (!(tableId >= 0 && tableId <= tableIdMax)) throw new LsmtError('22023', `table id ${tableId} is not from 0 to ${tableIdMax}`)
  begin(state, kind)
  state.view.setUint32(state.byteLength, tableId)
  return (state.byteLength += tableIdBytes)
}

function endKey(state: BatchState, end: number): number {
  state.view.setUint32(state.operationAt + 4, end - state.operationAt - operationHeaderBytes, true)
  return (state.byteLength = state.valueAt = end)
}

function endOperation(state: BatchState, end: number): void {
  const { operationAt, valueAt, buffer, view } = state
  invariant(operationAt >= 0 && valueAt >= 0 && end >= valueAt && end <= buffer.length - 4, 'a batch operation ends outside of its bytes')
  view.setUint32(operationAt + 8, end - valueAt, true)
  const padded = (end + 3) & ~3
  for (let at = end; at < padded; at++) buffer[at] = 0
  state.byteLength = padded
  state.operationAt = state.valueAt = -1
  state.operationCount++
}

function write(state: BatchState, bytes: Uint8Array): number {
  reserve(state, bytes.length)
  state.buffer.set(bytes, state.byteLength)
  return (state.byteLength += bytes.length)
}

function operate(state: BatchState, kind: number, tableId: number, key: Uint8Array, value: Uint8Array): void {
  beginOfTable(state, kind, tableId)
  endKey(state, write(state, key))
  endOperation(state, write(state, value))
}

/** A control batch: the transactions of these ids do not count, whatever the logs hold of them. */
export function abortBatch(transactionIds: readonly Uint8Array[]): Uint8Array {
  const builder = createBatchBuilder(64)
  for (const id of transactionIds) builder.copy(operation.abort, id, nothing)
  const batch = builder.finish()
  viewOf(batch).setUint32(20, batchFlag.control, true)
  return batch
}

interface Operations {
  /** In the first `byteLength` bytes. */
  readonly operations: Uint8Array
  readonly byteLength: number
  readonly operationCount: number
  readonly flags: number
}

function assemble({ operations, byteLength, operationCount, flags }: Operations, partCount: number): Uint8Array {
  const headerBytes = batchHeaderBytesFor(partCount)
  // From Buffer's pool where it is small: memory of its own costs more than all else here.
  const { buffer, byteOffset, length } = Buffer.allocUnsafe(headerBytes + byteLength)
  const batch = new Uint8Array(buffer, byteOffset, length)
  for (let at = 0; at < headerBytes; at++) batch[at] = 0
  setU32(batch, 0, batch.length)
  setU32(batch, 4, operationCount)
  setU32(batch, 16, headerBytes)
  setU32(batch, 20, flags | (partCount > 0 ? batchFlag.participants : 0))
  if (partCount > 0) setU32(batch, 24, partCount)
  copyBytes(operations, 0, byteLength, batch, headerBytes)
  return batch
}

/** Without a view, which would cost more than all that is written by it. */
function setU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}

const copiedByLoopMax = 128

/** Copies [from, to); short pieces by a loop, since a view of them costs more. Returns the end of the copy. */
function copyBytes(source: Uint8Array, from: number, to: number, target: Uint8Array, at: number): number {
  if (to - from > copiedByLoopMax) target.set(source.subarray(from, to), at)
  else for (let i = 0; i < to - from; i++) target[at + i] = source[from + i]!
  return at + to - from
}

/** The operations of several batches in their order, as one batch with room for `partCount` participants. */
export function joinBatches(batches: readonly Uint8Array[], partCount: number): Uint8Array {
  const headers = batches.map((batch) => readBatchHeader(batch))
  const operations = Buffer.concat(batches.map((batch, i) => batch.subarray(headers[i]!.headerBytes)))
  const operationCount = headers.reduce((sum, header) => sum + header.operationCount, 0)
  return assemble({ operations, byteLength: operations.length, operationCount, flags: headers.some(({ hasTables }) => hasTables) ? batchFlag.tables : 0 }, partCount)
}

/** The key that all keys of a table start with. */
export function tableKey(tableId: number): Uint8Array {
  return Uint8Array.of(tableId >>> 24, tableId >>> 16, tableId >>> 8, tableId)
}
