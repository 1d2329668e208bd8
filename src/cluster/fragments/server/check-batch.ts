/**
 * Whether a batch of writes that came from another node is one of puts and deletes in tables that are here, whose keys and
 * rows are what kernels take them for.
 */
import { LsmtError } from '../../../errors.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { batchFlag, batchHeaderBytes, operation, operationHeaderBytes, readBatchHeader, readOperations, tableIdBytes, tableIdOf, viewOf } from '../../../lsm/batch.ts'
import type { Operation } from '../../../lsm/batch.ts'
import type { RowLayout } from '../../../lsm/keys/row-layout.ts'
import type { PhysicalKind } from '../../../lsm/layout.ts'
import { shapeIn } from '../../../lsm/state/snapshot/tree-snapshot.ts'
import type { Snapshot } from '../../../lsm/tree.ts'
import { violation } from '../../transport/frame/frame.ts'

const flagsAll = batchFlag.participants | batchFlag.control | batchFlag.tables

/** 08P01 for what is none, 40001 for a table that the snapshot does not have. */
export function checkBatch(kernel: Kernel, snapshot: Snapshot, batch: Uint8Array): void {
  const operations = operationsOf(batch)
  const scratch = kernel.heap.allocate(operations.reduce((most, { value }) => Math.max(most, value.byteLength), 8))
  try {
    if (!operations.every((each) => areZeros(batch, each))) throw violation('a batch with bytes where it has none')
    for (const each of operations) checkOperation(kernel, snapshot, each, scratch)
  } finally {
    kernel.heap.free(scratch)
  }
}

function operationsOf(batch: Uint8Array): readonly Operation[] {
  if (batch.byteLength < batchHeaderBytes) throw violation(`a batch of ${batch.byteLength} bytes`)
  try {
    const { isControl, hasTables } = readBatchHeader(batch)
    if (isControl || hasTables || viewOf(batch).getUint32(20, true) > flagsAll) throw violation('a batch of a transaction that changes more than rows')
    return [...readOperations(batch)]
  } catch (error) {
    throw error instanceof LsmtError && error.code === 'XX001' ? violation(error.message) : error
  }
}

/** The padding of an operation, and the bytes after its kind. */
function areZeros(batch: Uint8Array, { key, value }: Operation): boolean {
  const start = key.byteOffset - batch.byteOffset - operationHeaderBytes, end = value.byteOffset - batch.byteOffset + value.byteLength
  return [...batch.subarray(start + 1, start + 4), ...batch.subarray(end, (end + 3) & ~3)].every((byte) => byte === 0)
}

function checkOperation({ memory, exports }: Kernel, snapshot: Snapshot, { kind, key, value }: Operation, scratch: Pointer): void {
  if (kind !== operation.put && kind !== operation.delete && kind !== operation.rangeDelete) throw violation(`an operation of kind ${kind} in a transaction`)
  if (key.byteLength < tableIdBytes) throw violation(`a key of ${key.byteLength} bytes`)
  const tableId = tableIdOf(key), shape = shapeIn(snapshot, tableId)
  if (shape === undefined) throw new LsmtError('40001', `there is no table ${tableId} in the shard's snapshot: it was changed meanwhile`)
  if ((value.byteLength > 0) === (kind === operation.delete)) throw violation(`an operation of kind ${kind} with a value of ${value.byteLength} bytes`)
  // Bounds of ranges may be any bytes.
  if (kind === operation.rangeDelete) return
  if (!isKey(shape, key.subarray(tableIdBytes))) throw violation(`${key.byteLength - tableIdBytes} bytes that are no key of table ${tableId}`)
  if (kind === operation.delete) return
  memory.u8.set(value, scratch)
  if (exports.rowValidate(scratch, value.byteLength, shape.descriptor) !== 0) throw violation(`${value.byteLength} bytes that are no row of table ${tableId}`)
}

function isKey({ layout, form }: RowLayout, key: Uint8Array): boolean {
  if (form === 'bytes') return true
  let at = 0
  for (const ordinal of layout.key) at = endOfPart(key, at, layout.columns[ordinal]!)
  return at === key.byteLength
}

/** Beyond the key's end where the part is not whole. */
function endOfPart(key: Uint8Array, from: number, kind: PhysicalKind): number {
  if (kind !== 'bytes') return from + 8
  for (let at = from; at + 1 < key.byteLength; at++) {
    if (key[at] !== 0) continue
    if (key[at + 1] === 1) return at + 2
    at++
  }
  return Infinity
}
