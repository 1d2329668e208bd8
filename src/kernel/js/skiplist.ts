/** The memtable kernel in JavaScript, over the same arena layout: a memtable that one kind built the other reads. */
import type { LinearMemory, Pointer } from '../linear-memory.ts'
import type { SkiplistExports } from '../skiplist.ts'
import { align8, arenaAppend, arenaLaySegment } from './skiplist/arena.ts'
import { batchApply, batchIsControl, batchIsWellFormed, batchPrepare } from './skiplist/batch.ts'
import {
  rangeBytes, segmentFree, segmentHeaderBytes, tableBytes, tableCurrentSegment, tableEntries, tableFirstSegment, tableMaxSequence,
  tableMinSequence, tableRangeCount, tableUsedBytes,
} from './skiplist/layout.ts'
import { orderCatchUp } from './skiplist/order.ts'
import { rangeAddress } from './skiplist/range.ts'
import { get, hasKeys, read, seek } from './skiplist/read.ts'
import { readSince } from './skiplist/recent.ts'

function create(memory: LinearMemory, segment: Pointer, segmentBytes: number): Pointer {
  const { u8, u32, f64 } = memory
  if (segmentBytes < segmentHeaderBytes + tableBytes + 16) return 0
  const laid = arenaLaySegment(memory, segment, segmentBytes)
  const table = laid + segmentHeaderBytes
  u8.fill(0, table, table + tableBytes)
  u32[(laid + segmentFree) >>> 2] = table + align8(tableBytes)
  u32[(table + tableFirstSegment) >>> 2] = laid
  u32[(table + tableCurrentSegment) >>> 2] = laid
  f64[(table + tableUsedBytes) >>> 3] = tableBytes
  f64[(table + tableMinSequence) >>> 3] = Infinity
  f64[(table + tableMaxSequence) >>> 3] = -1
  return table
}

function apply(memory: LinearMemory, table: Pointer, batch: Pointer, batchBytes: number): number {
  if (!batchIsWellFormed(memory, batch, batchBytes)) return -1
  if (batchIsControl(memory, batch)) return 0
  const needed = batchPrepare(memory, table, batch)
  if (needed === 0) batchApply(memory, table, batch)
  return needed
}

function rangeAt(memory: LinearMemory, table: Pointer, index: number, out: Pointer): void {
  const range = rangeAddress(memory, table, index)
  memory.u8.copyWithin(out, range, range + rangeBytes)
}

export function createSkiplistJs(memory: LinearMemory): SkiplistExports {
  return {
    skiplistCreate: (segment, segmentBytes) => create(memory, segment, segmentBytes),
    skiplistAddSegment: (table, segment, segmentBytes) => arenaAppend(memory, table, segment, segmentBytes),
    skiplistApply: (table, batch, batchBytes) => apply(memory, table, batch, batchBytes),
    skiplistOrder: (table) => orderCatchUp(memory, table),
    skiplistEntryCount: (table) => memory.f64[(table + tableEntries) >>> 3]!,
    skiplistUsedBytes: (table) => memory.f64[(table + tableUsedBytes) >>> 3]!,
    skiplistRangeCount: (table) => memory.u32[(table + tableRangeCount) >>> 2]!,
    skiplistRangeAt: (table, index, out) => rangeAt(memory, table, index, out),
    skiplistGet: (table, key, keyBytes, sequence, out) => get(memory, table, key, keyBytes, sequence, out),
    skiplistHasKeys: (table, first, firstBytes, last, lastBytes) => Number(hasKeys(memory, table, first, firstBytes, last, lastBytes)),
    skiplistSeek: (table, key, keyBytes, backward, cursor) => seek(memory, table, key, keyBytes, backward !== 0, cursor),
    skiplistRead: (table, cursor, sequence, bound, boundBytes, skipBytes, keys, values, limit) =>
      read(memory, table, cursor, { sequence, bound, boundBytes, skipBytes, keys, values, limit }),
    skiplistReadSince: (table, since, sequence, prefix, prefixBytes, keys, values, limit) =>
      readSince(memory, table, { since, sequence, prefix, prefixBytes, keys, values, limit }),
  }
}
