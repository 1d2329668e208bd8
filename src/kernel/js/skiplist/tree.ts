/** The levels of blocks in JavaScript; see assembly/skiplist/tree.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { blockBelow, blockCreate, blockInsert, blockNode, blockSetNode, blockSetSkip, blockSplit } from './block.ts'
import { keyCompareNode, keyIsAbove, keySharedWith } from './key.ts'
import {
  blockChildren, blockCount, blockEntriesMax, blockLow, leafRoomyMax, nodeKey, nodeKeyBytes, tableFirstLeaf, tableFullLeaves, tableLastLeaf, tableLevels,
  tableMaxNode, tablePath, tableRoot, tableShared, tableStamp,
} from './layout.ts'

function childEntry(memory: LinearMemory, block: Pointer, key: Pointer, keyBytes: number): number {
  const below = blockBelow(memory, block, key, keyBytes, 1)
  return below === 0 ? 0 : below - 1
}

export function treeLeaf(memory: LinearMemory, table: Pointer, key: Pointer, keyBytes: number): Pointer {
  const { u32 } = memory
  let block = u32[(table + tableRoot) >>> 2]!
  for (let level = u32[(table + tableLevels) >>> 2]!; level > 1; level--) {
    block = u32[((block + blockChildren) >>> 2) + childEntry(memory, block, key, keyBytes)]!
  }
  return block
}

export function treeFind(memory: LinearMemory, table: Pointer, key: Pointer, keyBytes: number): Pointer {
  const leaf = treeLeaf(memory, table, key, keyBytes)
  if (leaf === 0) return 0
  const entry = blockBelow(memory, leaf, key, keyBytes, 0)
  if (entry === memory.u32[(leaf + blockCount) >>> 2]) return 0
  const node = blockNode(memory, leaf, entry)
  return keyCompareNode(memory, node, key, keyBytes, 0) === 0 ? node : 0
}

export function treeInsert(memory: LinearMemory, table: Pointer, node: Pointer): void {
  const { u32 } = memory
  const key = node + nodeKey
  const keyBytes = u32[(node + nodeKeyBytes) >>> 2]!
  const shared = treeShared(memory, table, key, keyBytes)
  if (treeIsAbove(memory, table, key, keyBytes, shared)) return treeAppend(memory, table, node, shared)
  if (shared < u32[(table + tableShared) >>> 2]!) shareLess(memory, table, shared)
  u32[(table + tableStamp) >>> 2]!++
  insertFromRoot(memory, table, node, key, keyBytes)
}

export function treeShared(memory: LinearMemory, table: Pointer, key: Pointer, keyBytes: number): number {
  const maxNode = memory.u32[(table + tableMaxNode) >>> 2]!
  return maxNode === 0 ? keyBytes : keySharedWith(memory, maxNode, key, keyBytes)
}

export function treeIsAbove(memory: LinearMemory, table: Pointer, key: Pointer, keyBytes: number, shared: number): boolean {
  const maxNode = memory.u32[(table + tableMaxNode) >>> 2]!
  return maxNode === 0 || keyIsAbove(memory, maxNode, key, keyBytes, shared)
}

export function treeAppend(memory: LinearMemory, table: Pointer, node: Pointer, shared: number): void {
  const { u32 } = memory
  if (u32[(table + tableRoot) >>> 2] === 0) plant(memory, table, shared)
  else if (shared < u32[(table + tableShared) >>> 2]!) shareLess(memory, table, shared)
  u32[(table + tableStamp) >>> 2]!++
  u32[(table + tableMaxNode) >>> 2] = node
  const last = u32[(table + tableLastLeaf) >>> 2]!
  const count = u32[(last + blockCount) >>> 2]!
  if (count < blockEntriesMax) return leafInsert(memory, table, last, count, node)
  insertFromRoot(memory, table, node, node + nodeKey, u32[(node + nodeKeyBytes) >>> 2]!)
}

function shareLess(memory: LinearMemory, table: Pointer, less: number): void {
  const { u32 } = memory
  u32[(table + tableShared) >>> 2] = less
  let first = u32[(table + tableRoot) >>> 2]!
  let last = first
  for (let level = u32[(table + tableLevels) >>> 2]!; level > 0; level--) {
    blockSetSkip(memory, first, less)
    blockSetSkip(memory, last, less)
    if (level === 1) return
    first = u32[(first + blockChildren) >>> 2]!
    last = u32[((last + blockChildren) >>> 2) + u32[(last + blockCount) >>> 2]! - 1]!
  }
}

function plant(memory: LinearMemory, table: Pointer, shared: number): void {
  const { u32 } = memory
  u32[(table + tableShared) >>> 2] = shared
  const leaf = blockCreate(memory, table, 0)
  u32[(table + tableRoot) >>> 2] = leaf
  u32[(table + tableFirstLeaf) >>> 2] = leaf
  u32[(table + tableLastLeaf) >>> 2] = leaf
  u32[(table + tableLevels) >>> 2] = 1
}

function insertFromRoot(memory: LinearMemory, table: Pointer, node: Pointer, key: Pointer, keyBytes: number): void {
  const { u32 } = memory
  const leaf = descend(memory, table, key, keyBytes)
  const entry = blockBelow(memory, leaf, key, keyBytes, 0)
  if (entry === 0) lowerFirst(memory, table, node)
  if (u32[(leaf + blockCount) >>> 2]! < blockEntriesMax) return leafInsert(memory, table, leaf, entry, node)
  const right = blockSplit(memory, table, leaf, 0, entry, node, 0)
  u32[(table + tableFullLeaves) >>> 2]! += Number(!isRoomy(memory, leaf)) + Number(!isRoomy(memory, right)) - 1
  if (leaf === u32[(table + tableLastLeaf) >>> 2]) u32[(table + tableLastLeaf) >>> 2] = right
  raise(memory, table, leaf, right)
}

function leafInsert(memory: LinearMemory, table: Pointer, leaf: Pointer, entry: number, node: Pointer): void {
  if (memory.u32[(leaf + blockCount) >>> 2] === leafRoomyMax) memory.u32[(table + tableFullLeaves) >>> 2]!++
  blockInsert(memory, leaf, 0, entry, node, 0)
}

const isRoomy = ({ u32 }: LinearMemory, leaf: Pointer): boolean => u32[(leaf + blockCount) >>> 2]! <= leafRoomyMax

function lowerFirst(memory: LinearMemory, table: Pointer, node: Pointer): void {
  const { u32 } = memory
  for (let level = u32[(table + tableLevels) >>> 2]! - 1; level > 0; level--) blockSetNode(memory, u32[(table + tablePath + 8 * level) >>> 2]!, 0, node)
}

function descend(memory: LinearMemory, table: Pointer, key: Pointer, keyBytes: number): Pointer {
  const { u32 } = memory
  let block = u32[(table + tableRoot) >>> 2]!
  for (let level = u32[(table + tableLevels) >>> 2]! - 1; level > 0; level--) {
    const entry = childEntry(memory, block, key, keyBytes)
    const step = (table + tablePath + 8 * level) >>> 2
    u32[step] = block
    u32[step + 1] = entry
    block = u32[((block + blockChildren) >>> 2) + entry]!
  }
  return block
}

function raise(memory: LinearMemory, table: Pointer, cut: Pointer, cutRight: Pointer): void {
  const { u32 } = memory
  let left = cut, right = cutRight, level = 1
  for (; level < u32[(table + tableLevels) >>> 2]!; level++) {
    const step = (table + tablePath + 8 * level) >>> 2
    const block = u32[step]!, entry = u32[step + 1]! + 1
    const low = u32[(right + blockLow) >>> 2]!
    if (u32[(block + blockCount) >>> 2]! < blockEntriesMax) return blockInsert(memory, block, level, entry, low, right)
    right = blockSplit(memory, table, block, level, entry, low, right)
    left = block
  }
  growRoot(memory, table, level, left, right)
}

function growRoot(memory: LinearMemory, table: Pointer, level: number, left: Pointer, right: Pointer): void {
  const { u32 } = memory
  const root = blockCreate(memory, table, level)
  blockInsert(memory, root, level, 0, blockNode(memory, left, 0), left)
  blockInsert(memory, root, level, 1, u32[(right + blockLow) >>> 2]!, right)
  u32[(table + tableRoot) >>> 2] = root
  u32[(table + tableLevels) >>> 2] = level + 1
}
