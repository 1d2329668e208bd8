/** Write batches in JavaScript; see assembly/skiplist/batch.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { arenaFits } from './arena.ts'
import { indexGrow, indexGrowBytes, indexSlotsFor } from './exact-index.ts'
import {
  blockEntriesMax, leafBytes, levelsMax, segmentHeaderBytes, tableFullLeaves, tableKeys, tableLevelBlocks, tableLevels, tableMaxSequence, tableMinSequence, tableWaitingCount,
  upperBytes,
} from './layout.ts'
import { orderCatchUp, orderListBytes, orderProvideList } from './order.ts'
import { rangeAdd, rangeAddTable, rangeCapacityFor, rangeGrow, rangeGrowBytes } from './range.ts'
import { versionBytesMax, versionPut } from './version.ts'

const batchHeaderBytes = 24
const operationHeaderBytes = 12
const tableIdBytes = 4
const segmentBytesMax = 0x7fffffff

const put = 1, remove = 2, rangeDelete = 3, defineTable = 4, dropTable = 5, abort = 6

export const batchIsControl = ({ view }: LinearMemory, batch: Pointer): boolean => (view.getUint32(batch + 20, true) & 2) !== 0

export function batchIsWellFormed(memory: LinearMemory, batch: Pointer, batchBytes: number): boolean {
  const { view } = memory
  if (batchBytes < batchHeaderBytes || view.getUint32(batch, true) !== batchBytes) return false
  const count = view.getUint32(batch + 4, true)
  const base = view.getFloat64(batch + 8, true)
  const headerBytes = view.getUint32(batch + 16, true)
  const flags = view.getUint32(batch + 20, true)
  if (!(base >= 0 && base <= Number.MAX_SAFE_INTEGER - count) || base !== Math.floor(base)) return false
  if (flags > 7 || headerBytes < batchHeaderBytes || headerBytes > batchBytes || (headerBytes & 3) !== 0) return false
  if ((flags & 1) === 0 && headerBytes !== batchHeaderBytes) return false
  let at = headerBytes
  for (let i = 0; i < count; i++) {
    const bytes = operationBytes(memory, batch + at, batchBytes - at, (flags & 2) !== 0)
    if (bytes === 0) return false
    at += bytes
  }
  return at === batchBytes
}

function operationBytes({ u8, view }: LinearMemory, operation: Pointer, rest: number, control: boolean): number {
  if (rest < operationHeaderBytes) return 0
  const kind = view.getUint32(operation, true)
  const keyBytes = view.getUint32(operation + 4, true)
  const valueBytes = view.getUint32(operation + 8, true)
  if (keyBytes > rest - operationHeaderBytes || valueBytes > rest - operationHeaderBytes - keyBytes) return 0
  const content = operationHeaderBytes + keyBytes + valueBytes
  const padded = (content + 3) & ~3
  if (padded > rest || !isLegal(kind, keyBytes, valueBytes, control)) return 0
  for (let at = content; at < padded; at++) if (u8[operation + at] !== 0) return 0
  return padded
}

function isLegal(kind: number, keyBytes: number, valueBytes: number, control: boolean): boolean {
  if (kind === put) return keyBytes >= tableIdBytes && valueBytes > 0
  if (kind === remove) return keyBytes >= tableIdBytes && valueBytes === 0
  if (kind === rangeDelete) return valueBytes > 0
  if (kind === defineTable || kind === dropTable) return keyBytes === tableIdBytes
  return kind === abort && control
}

function paddedBytes({ view }: LinearMemory, operation: Pointer): number {
  return (operationHeaderBytes + view.getUint32(operation + 4, true) + view.getUint32(operation + 8, true) + 3) & ~3
}

export function batchPrepare(memory: LinearMemory, table: Pointer, batch: Pointer): number {
  const { u8, u32, view } = memory
  let inserts = 0, ranges = 0, bytes = 0
  let operation = batch + view.getUint32(batch + 16, true)
  for (let i = view.getUint32(batch + 4, true); i > 0; i--) {
    const kind = u8[operation]!
    if (kind <= remove) inserts++
    else if (kind !== defineTable) ranges++
    if (kind !== defineTable) bytes += versionBytesMax(view.getUint32(operation + 4, true), view.getUint32(operation + 8, true))
    operation += paddedBytes(memory, operation)
  }
  const slots = indexSlotsFor(memory, table, u32[(table + tableKeys) >>> 2]! + inserts)
  const capacity = rangeCapacityFor(memory, table, ranges)
  bytes += indexGrowBytes(memory, table, slots) + rangeGrowBytes(memory, table, capacity) + orderListBytes(memory, table, inserts)
  if (u32[(table + tableWaitingCount) >>> 2] !== 0 && !arenaFits(memory, table, bytes + waitingBlockBytesMax(memory, table, inserts))) orderCatchUp(memory, table)
  bytes += waitingBlockBytesMax(memory, table, inserts)
  if (bytes > segmentBytesMax || !arenaFits(memory, table, bytes)) return Math.min(bytes + segmentHeaderBytes + 16, segmentBytesMax)
  indexGrow(memory, table, slots)
  rangeGrow(memory, table, capacity)
  orderProvideList(memory, table, inserts)
  return 0
}

const waitingBlockBytesMax = (memory: LinearMemory, table: Pointer, inserts: number): number => blockBytesMax(memory, table, inserts + memory.u32[(table + tableWaitingCount) >>> 2]!)

function blockBytesMax({ u32 }: LinearMemory, table: Pointer, inserts: number): number {
  const levels = u32[(table + tableLevels) >>> 2]!
  let entries = inserts, bytes = 0
  for (let level = 0; level < levelsMax && entries > 0; level++) {
    const blockBytes = level === 0 ? leafBytes : upperBytes
    if (level >= levels && entries < blockEntriesMax) return bytes + blockBytes
    const cuts = Math.floor(entries / 7) + 2
    entries = level >= levels ? cuts : Math.min(entries, u32[(table + (level === 0 ? tableFullLeaves : tableLevelBlocks + 4 * level)) >>> 2]! + cuts)
    bytes += entries * blockBytes
  }
  return bytes
}

export function batchApply(memory: LinearMemory, table: Pointer, batch: Pointer): void {
  const { f64, view } = memory
  const count = view.getUint32(batch + 4, true)
  const base = view.getFloat64(batch + 8, true)
  let operation = batch + view.getUint32(batch + 16, true)
  for (let i = 0; i < count; i++) {
    applyOperation(memory, table, operation, base + i)
    operation += paddedBytes(memory, operation)
  }
  if (memory.u32[(table + tableWaitingCount) >>> 2] !== 0 && !arenaFits(memory, table, waitingBlockBytesMax(memory, table, 0))) orderCatchUp(memory, table)
  if (count === 0) return
  f64[(table + tableMinSequence) >>> 3] = Math.min(f64[(table + tableMinSequence) >>> 3]!, base)
  f64[(table + tableMaxSequence) >>> 3] = Math.max(f64[(table + tableMaxSequence) >>> 3]!, base + count - 1)
}

function applyOperation(memory: LinearMemory, table: Pointer, operation: Pointer, sequence: number): void {
  const { u8, view } = memory
  const kind = u8[operation]!
  const keyBytes = view.getUint32(operation + 4, true)
  const valueBytes = view.getUint32(operation + 8, true)
  const key = operation + operationHeaderBytes
  if (kind <= remove) return versionPut(memory, table, key, keyBytes, key + keyBytes, valueBytes, sequence)
  if (kind === rangeDelete) return rangeAdd(memory, table, key, keyBytes, key + keyBytes, valueBytes, sequence)
  if (kind === dropTable) rangeAddTable(memory, table, key, sequence)
}
