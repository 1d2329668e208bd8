/** Blocks of sorted key prefixes in JavaScript; see assembly/skiplist/block.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { arenaAllocate } from './arena.ts'
import { keyCompareNode, keyCompareStart, keyShared, keyWord } from './key.ts'
import {
  blockChildren, blockCount, blockEntriesMax, blockLow, blockNext, blockNodes, blockPrefixes, blockPrevious, blockSkip, leafBytes,
  nodeKey, nodeKeyBytes, tableLevelBlocks, tableShared, upperBytes,
} from './layout.ts'

export function blockCreate(memory: LinearMemory, table: Pointer, level: number): Pointer {
  const block = arenaAllocate(memory, table, level === 0 ? leafBytes : upperBytes)
  memory.u8.fill(0, block, block + blockPrefixes)
  memory.u32[(block + blockSkip) >>> 2] = memory.u32[(table + tableShared) >>> 2]!
  memory.u32[(table + tableLevelBlocks + 4 * level) >>> 2]!++
  return block
}

export const blockNode = ({ u32 }: LinearMemory, block: Pointer, entry: number): Pointer => u32[((block + blockNodes) >>> 2) + entry]!

export function blockSetNode(memory: LinearMemory, block: Pointer, entry: number, node: Pointer): void {
  setPrefix(memory, block, entry, node, memory.u32[(block + blockSkip) >>> 2]!)
  memory.u32[((block + blockNodes) >>> 2) + entry] = node
}

function prefixesBelow({ u32 }: LinearMemory, block: Pointer, count: number, high: number, low: number): number {
  const words = (block + blockPrefixes) >>> 2
  let base = 0, end = count
  while (base < end) {
    const middle = (base + end) >>> 1
    const word = u32[words + 2 * middle + 1]!
    if (word < high || (word === high && u32[words + 2 * middle]! < low)) base = middle + 1
    else end = middle
  }
  return base
}

/** The first entry from `from` on whose prefix is not the given one. */
function prefixesEqualEnd({ u32 }: LinearMemory, block: Pointer, from: number, count: number, high: number, low: number): number {
  const words = (block + blockPrefixes) >>> 2
  let entry = from
  while (entry < count && u32[words + 2 * entry + 1] === high && u32[words + 2 * entry] === low) entry++
  return entry
}

const isEdge = ({ u32 }: LinearMemory, block: Pointer): boolean => u32[(block + blockLow) >>> 2] === 0 || u32[(block + blockNext) >>> 2] === 0

export function blockBelow(memory: LinearMemory, block: Pointer, key: Pointer, keyBytes: number, orEqual: 0 | 1): number {
  const { u32 } = memory
  const count = u32[(block + blockCount) >>> 2]!
  const skip = u32[(block + blockSkip) >>> 2]!
  if (isEdge(memory, block)) {
    const order = keyCompareStart(memory, blockNode(memory, block, 0), key, keyBytes, skip)
    if (order !== 0) return order < 0 ? count : 0
  }
  const highWord = keyWord(memory, key, keyBytes, skip), lowWord = keyWord(memory, key, keyBytes, skip + 4)
  let low = prefixesBelow(memory, block, count, highWord, lowWord)
  let high = prefixesEqualEnd(memory, block, low, count, highWord, lowWord)
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keyCompareNode(memory, blockNode(memory, block, middle), key, keyBytes, skip) < orEqual) low = middle + 1
    else high = middle
  }
  return low
}

export function blockInsert(memory: LinearMemory, block: Pointer, level: number, entry: number, node: Pointer, child: Pointer): void {
  const { u32 } = memory
  const count = u32[(block + blockCount) >>> 2]!
  const prefixes = (block + blockPrefixes) >>> 2
  u32.copyWithin(prefixes + 2 * entry + 2, prefixes + 2 * entry, prefixes + 2 * count)
  setPrefix(memory, block, entry, node, u32[(block + blockSkip) >>> 2]!)
  insertWord(memory, (block + blockNodes) >>> 2, count, entry, node)
  if (level > 0) insertWord(memory, (block + blockChildren) >>> 2, count, entry, child)
  u32[(block + blockCount) >>> 2] = count + 1
}

function setPrefix(memory: LinearMemory, block: Pointer, entry: number, node: Pointer, skip: number): void {
  const { u32 } = memory
  const keyBytes = u32[(node + nodeKeyBytes) >>> 2]!
  const prefix = ((block + blockPrefixes) >>> 2) + 2 * entry
  u32[prefix] = keyWord(memory, node + nodeKey, keyBytes, skip + 4)
  u32[prefix + 1] = keyWord(memory, node + nodeKey, keyBytes, skip)
}

function insertWord({ u32 }: LinearMemory, words: number, count: number, entry: number, word: number): void {
  u32.copyWithin(words + entry + 1, words + entry, words + count)
  u32[words + entry] = word
}

function cutAt({ u32 }: LinearMemory, block: Pointer, entry: number): number {
  if (entry < blockEntriesMax) return blockEntriesMax >>> 1
  return u32[(block + blockNext) >>> 2] === 0 ? blockEntriesMax : blockEntriesMax - (blockEntriesMax >>> 3)
}

export function blockSplit(memory: LinearMemory, table: Pointer, block: Pointer, level: number, entry: number, node: Pointer, child: Pointer): Pointer {
  const cut = cutAt(memory, block, entry)
  const right = blockCreate(memory, table, level)
  moveTail(memory, block, right, level, cut)
  linkAfter(memory, block, right)
  memory.u32[(right + blockLow) >>> 2] = cut === blockEntriesMax ? node : blockNode(memory, right, 0)
  if (cut < blockEntriesMax && entry <= cut) blockInsert(memory, block, level, entry, node, child)
  else blockInsert(memory, right, level, entry - cut, node, child)
  narrow(memory, block)
  narrow(memory, right)
  return right
}

function moveTail({ u8, u32 }: LinearMemory, block: Pointer, right: Pointer, level: number, cut: number): void {
  u8.copyWithin(right + blockPrefixes, block + blockPrefixes + 8 * cut, block + blockPrefixes + 8 * blockEntriesMax)
  u8.copyWithin(right + blockNodes, block + blockNodes + 4 * cut, block + blockNodes + 4 * blockEntriesMax)
  if (level > 0) u8.copyWithin(right + blockChildren, block + blockChildren + 4 * cut, block + blockChildren + 4 * blockEntriesMax)
  u32[(block + blockCount) >>> 2] = cut
  u32[(right + blockCount) >>> 2] = blockEntriesMax - cut
  u32[(right + blockSkip) >>> 2] = u32[(block + blockSkip) >>> 2]!
}

function linkAfter({ u32 }: LinearMemory, block: Pointer, right: Pointer): void {
  const next = u32[(block + blockNext) >>> 2]!
  u32[(right + blockNext) >>> 2] = next
  u32[(right + blockPrevious) >>> 2] = block
  u32[(block + blockNext) >>> 2] = right
  if (next !== 0) u32[(next + blockPrevious) >>> 2] = right
}

function narrow(memory: LinearMemory, block: Pointer): void {
  const { u32 } = memory
  const low = u32[(block + blockLow) >>> 2]!
  const next = u32[(block + blockNext) >>> 2]!
  if (low !== 0 && next !== 0) blockSetSkip(memory, block, keyShared(memory, low, u32[(next + blockLow) >>> 2]!))
}

export function blockSetSkip(memory: LinearMemory, block: Pointer, skip: number): void {
  const { u32 } = memory
  if (skip === u32[(block + blockSkip) >>> 2]) return
  u32[(block + blockSkip) >>> 2] = skip
  const count = u32[(block + blockCount) >>> 2]!
  for (let entry = 0; entry < count; entry++) setPrefix(memory, block, entry, blockNode(memory, block, entry), skip)
}
