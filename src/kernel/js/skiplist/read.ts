/** Reads of one key and of runs of keys in JavaScript; see assembly/skiplist/read.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { blockBelow, blockNode } from './block.ts'
import { indexCatchUp, indexNodeInTable, indexSlot } from './exact-index.ts'
import { keyCompareNode, keyHash } from './key.ts'
import {
  blockCount, blockLow, blockNext, blockPrevious, cursorBackward, cursorEntry, cursorLeaf, cursorNode, cursorStamp, nodeKey, nodeKeyBytes,
  slotNode, tableIndex, tableLastLeaf, tableMaxNode, tableRangeCount, tableStamp, tableUnindexed, tableWaitingCount, versionSequence, versionValue, versionValueBytes,
} from './layout.ts'
import { orderCatchUp } from './order.ts'
import { rangeHides } from './range.ts'
import { treeFind, treeLeaf } from './tree.ts'
import { versionVisible } from './version.ts'

/** Where a read writes, and how far it goes. */
export interface ReadTarget {
  readonly sequence: number
  readonly bound: Pointer
  readonly boundBytes: number
  readonly skipBytes: number
  readonly keys: Pointer
  readonly values: Pointer
  readonly limit: number
}

function findNode(memory: LinearMemory, table: Pointer, key: Pointer, keyBytes: number): Pointer {
  const { u32 } = memory
  if (u32[(table + tableIndex) >>> 2] === 0) return 0
  indexCatchUp(memory, table)
  const slot = indexSlot(memory, table, keyHash(memory, key, keyBytes), key, keyBytes)
  const node = slot === 0 ? 0 : u32[(slot + slotNode) >>> 2]!
  if (node !== 0 || u32[(table + tableUnindexed) >>> 2] === 0) return node
  orderCatchUp(memory, table)
  return treeFind(memory, table, key, keyBytes)
}

export function get(memory: LinearMemory, table: Pointer, key: Pointer, keyBytes: number, sequence: number, out: Pointer): number {
  const { u32, f64, view } = memory
  const node = findNode(memory, table, key, keyBytes)
  const version = node === 0 ? 0 : versionVisible(memory, node, sequence)
  const found = version === 0 ? -1 : f64[(version + versionSequence) >>> 3]!
  if (u32[(table + tableRangeCount) >>> 2] !== 0 && rangeHides(memory, table, key, keyBytes, found, sequence)) return 2
  if (version === 0) return 0
  const valueBytes = u32[(version + versionValueBytes) >>> 2]!
  if (valueBytes === 0) return 2
  view.setUint32(out, version + versionValue, true)
  view.setUint32(out + 4, valueBytes, true)
  return 1
}

/** Of `versionInTable`: range tombstones, or keys outside the index, have to be asked. */
export const versionUntold = 1

/** The version, perhaps a tombstone, that a read at `sequence` sees of a key whose table's id is given as a word of its key; 0: none. */
export function versionInTable(memory: LinearMemory, table: Pointer, tableWord: number, key: Pointer, keyBytes: number, sequence: number): Pointer {
  const { u32 } = memory
  if (u32[(table + tableRangeCount) >>> 2] !== 0) return versionUntold
  if (u32[(table + tableIndex) >>> 2] === 0) return 0
  indexCatchUp(memory, table)
  const node = indexNodeInTable(memory, table, tableWord, key, keyBytes)
  if (node !== 0) return versionVisible(memory, node, sequence)
  return u32[(table + tableUnindexed) >>> 2] === 0 ? 0 : versionUntold
}

export function hasKeys(memory: LinearMemory, table: Pointer, first: Pointer, firstBytes: number, last: Pointer, lastBytes: number): boolean {
  const { u32 } = memory
  const maxNode = u32[(table + tableMaxNode) >>> 2]!
  if (u32[(table + tableWaitingCount) >>> 2] === 0 && (maxNode === 0 || keyCompareNode(memory, maxNode, first, firstBytes, 0) < 0)) return false
  orderCatchUp(memory, table)
  const leaf = treeLeaf(memory, table, first, firstBytes)
  const below = blockBelow(memory, leaf, first, firstBytes, 0)
  const next = below < u32[(leaf + blockCount) >>> 2]! ? leaf : u32[(leaf + blockNext) >>> 2]!
  return next !== 0 && keyCompareNode(memory, blockNode(memory, next, next === leaf ? below : 0), last, lastBytes, 0) <= 0
}

export function seek(memory: LinearMemory, table: Pointer, key: Pointer, keyBytes: number, backward: boolean, cursor: Pointer): void {
  const { u8, u32 } = memory
  orderCatchUp(memory, table)
  u8.fill(0, cursor, cursor + 32)
  u32[(cursor + cursorBackward) >>> 2] = backward ? 1 : 0
  const toEnd = backward && keyBytes === 0
  const leaf = toEnd ? u32[(table + tableLastLeaf) >>> 2]! : treeLeaf(memory, table, key, keyBytes)
  if (leaf === 0) return
  const below = toEnd ? u32[(leaf + blockCount) >>> 2]! : blockBelow(memory, leaf, key, keyBytes, 0)
  if (backward) placeBackward(memory, table, cursor, leaf, below)
  else placeForward(memory, table, cursor, leaf, below)
}

function placeForward(memory: LinearMemory, table: Pointer, cursor: Pointer, leaf: Pointer, entry: number): void {
  if (entry < memory.u32[(leaf + blockCount) >>> 2]!) return place(memory, table, cursor, leaf, entry)
  place(memory, table, cursor, memory.u32[(leaf + blockNext) >>> 2]!, 0)
}

function placeBackward(memory: LinearMemory, table: Pointer, cursor: Pointer, leaf: Pointer, entry: number): void {
  if (entry > 0) return place(memory, table, cursor, leaf, entry - 1)
  const previous = memory.u32[(leaf + blockPrevious) >>> 2]!
  place(memory, table, cursor, previous, previous === 0 ? 0 : memory.u32[(previous + blockCount) >>> 2]! - 1)
}

function place(memory: LinearMemory, table: Pointer, cursor: Pointer, leaf: Pointer, entry: number): void {
  const { u32 } = memory
  u32[(cursor + cursorLeaf) >>> 2] = leaf
  u32[(cursor + cursorEntry) >>> 2] = entry
  u32[(cursor + cursorNode) >>> 2] = leaf === 0 ? 0 : blockNode(memory, leaf, entry)
  u32[(cursor + cursorStamp) >>> 2] = u32[(table + tableStamp) >>> 2]!
}

/** Finds the place of the cursor's node again after keys were entered. */
function replace(memory: LinearMemory, table: Pointer, cursor: Pointer): void {
  const { u32 } = memory
  if (u32[(cursor + cursorStamp) >>> 2] === u32[(table + tableStamp) >>> 2]) return
  const node = u32[(cursor + cursorNode) >>> 2]!
  const key = node + nodeKey, keyBytes = u32[(node + nodeKeyBytes) >>> 2]!
  const leaf = treeLeaf(memory, table, key, keyBytes)
  place(memory, table, cursor, leaf, blockBelow(memory, leaf, key, keyBytes, 0))
}

export function read(memory: LinearMemory, table: Pointer, cursor: Pointer, target: ReadTarget): number {
  const { u32 } = memory
  if (u32[(cursor + cursorNode) >>> 2] === 0) return 0
  orderCatchUp(memory, table)
  replace(memory, table, cursor)
  let written = 0
  while (written < target.limit && u32[(cursor + cursorNode) >>> 2] !== 0) written = readLeaf(memory, table, cursor, target, written)
  return written
}

function isInside(memory: LinearMemory, leaf: Pointer, backward: boolean, target: ReadTarget): boolean {
  const { u32 } = memory
  if (target.boundBytes === 0) return true
  const fenced = backward ? leaf : u32[(leaf + blockNext) >>> 2]!
  const low = fenced === 0 ? 0 : u32[(fenced + blockLow) >>> 2]!
  if (low === 0) return false
  const order = keyCompareNode(memory, low, target.bound, target.boundBytes, 0)
  return backward ? order >= 0 : order <= 0
}

function readLeaf(memory: LinearMemory, table: Pointer, cursor: Pointer, target: ReadTarget, from: number): number {
  const { u32 } = memory
  const backward = u32[(cursor + cursorBackward) >>> 2] !== 0
  const leaf = u32[(cursor + cursorLeaf) >>> 2]!
  const inside = isInside(memory, leaf, backward, target)
  const count = u32[(leaf + blockCount) >>> 2]!
  let written = from
  let entry = u32[(cursor + cursorEntry) >>> 2]!
  while (entry >= 0 && entry < count && written < target.limit) {
    const node = blockNode(memory, leaf, entry)
    if (!inside && isPast(memory, node, backward, target)) {
      place(memory, table, cursor, 0, 0)
      return written
    }
    written += emit(memory, table, node, target, written)
    entry += backward ? -1 : 1
  }
  if (backward) placeBackward(memory, table, cursor, leaf, entry + 1)
  else placeForward(memory, table, cursor, leaf, entry)
  return written
}

function isPast(memory: LinearMemory, node: Pointer, backward: boolean, target: ReadTarget): boolean {
  const order = keyCompareNode(memory, node, target.bound, target.boundBytes, 0)
  return backward ? order < 0 : order >= 0
}

/** Writes the refs of a key's visible version; 0 when it has none. */
export function emit(memory: LinearMemory, table: Pointer, node: Pointer, target: Pick<ReadTarget, 'sequence' | 'skipBytes' | 'keys' | 'values'>, position: number): 0 | 1 {
  const { u32, f64 } = memory
  const version = versionVisible(memory, node, target.sequence)
  if (version === 0) return 0
  const keyBytes = u32[(node + nodeKeyBytes) >>> 2]!
  const key = (target.keys >>> 2) + 2 * position, value = (target.values >>> 2) + 2 * position
  u32[key] = node + nodeKey + target.skipBytes
  u32[key + 1] = keyBytes - target.skipBytes
  let valueBytes = u32[(version + versionValueBytes) >>> 2]!
  if (valueBytes !== 0 && u32[(table + tableRangeCount) >>> 2] !== 0) {
    if (rangeHides(memory, table, node + nodeKey, keyBytes, f64[(version + versionSequence) >>> 3]!, target.sequence)) valueBytes = 0
  }
  u32[value] = valueBytes === 0 ? 0 : version + versionValue
  u32[value + 1] = valueBytes
  return 1
}
