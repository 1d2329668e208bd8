// Blocks: sorted runs of entries with their key prefixes side by side. A search reads prefixes only and looks at keys
// where prefixes tie. Blocks of one level are linked both ways; a full one is cut in two.
import { arenaAllocate } from './arena'
import { keyCompareNode, keyCompareStart, keyNodePrefix, keyPrefix, keyShared } from './key'
import {
  BLOCK_CHILDREN, BLOCK_COUNT, BLOCK_ENTRIES_MAX, BLOCK_LOW, BLOCK_NEXT, BLOCK_NODES, BLOCK_PREFIXES, BLOCK_PREVIOUS, BLOCK_SKIP,
  LEAF_BYTES, TABLE_LEVEL_BLOCKS, TABLE_SHARED, UPPER_BYTES,
} from './layout'

export function blockCreate(table: usize, level: u32): usize {
  const block = arenaAllocate(table, level == 0 ? LEAF_BYTES : UPPER_BYTES)
  memory.fill(block, 0, BLOCK_PREFIXES)
  store<u32>(block, load<u32>(table, TABLE_SHARED), BLOCK_SKIP)
  const count = table + TABLE_LEVEL_BLOCKS + (level << 2)
  store<u32>(count, load<u32>(count) + 1)
  return block
}

export function blockNode(block: usize, entry: u32): usize {
  return load<u32>(block + (entry << 2), BLOCK_NODES)
}

/** Writes an entry's node and its prefix. */
export function blockSetNode(block: usize, entry: u32, node: usize): void {
  store<u64>(block + (entry << 3), keyNodePrefix(node, load<u32>(block, BLOCK_SKIP)), BLOCK_PREFIXES)
  store<u32>(block + (entry << 2), <u32>node, BLOCK_NODES)
}

/** How many entries have a prefix below `prefix`: no branch depends on the keys. */
function prefixesBelow(block: usize, count: u32, prefix: u64): u32 {
  let base: u32 = 0
  let rest = count
  while (rest > 1) {
    const half = rest >> 1
    base = select<u32>(base + half, base, load<u64>(block + ((base + half - 1) << 3), BLOCK_PREFIXES) < prefix)
    rest -= half
  }
  return base + <u32>(rest == 1 && load<u64>(block + (base << 3), BLOCK_PREFIXES) < prefix)
}

/** How many entries are below the key (`orEqual` 1: below or equal). The key lies between the block's fences. */
export function blockBelow(block: usize, key: usize, keyBytes: u32, orEqual: i32): u32 {
  const count = load<u32>(block, BLOCK_COUNT)
  const skip = load<u32>(block, BLOCK_SKIP)
  if (isEdge(block)) {
    const order = keyCompareStart(blockNode(block, 0), key, keyBytes, skip)
    if (order != 0) return order < 0 ? count : 0
  }
  const prefix = keyPrefix(key, keyBytes, skip)
  const low = prefixesBelow(block, count, prefix)
  if (low == count || load<u64>(block + (low << 3), BLOCK_PREFIXES) != prefix) return low
  const high = prefix == u64.MAX_VALUE ? count : prefixesBelow(block, count, prefix + 1)
  return keysBelow(block, low, high, key, keyBytes, skip, orEqual)
}

function isEdge(block: usize): bool {
  return load<u32>(block, BLOCK_LOW) == 0 || load<u32>(block, BLOCK_NEXT) == 0
}

/** The same among entries [low, high), whose prefixes tie with the key's. */
function keysBelow(block: usize, low: u32, high: u32, key: usize, keyBytes: u32, skip: u32, orEqual: i32): u32 {
  while (low < high) {
    const middle = (low + high) >> 1
    if (keyCompareNode(blockNode(block, middle), key, keyBytes, skip) < orEqual) low = middle + 1
    else high = middle
  }
  return low
}

/** Puts an entry in a block that has room. */
export function blockInsert(block: usize, level: u32, entry: u32, node: usize, child: usize): void {
  const count = load<u32>(block, BLOCK_COUNT)
  const prefixes = block + BLOCK_PREFIXES
  for (let i = count; i > entry; i--) store<u64>(prefixes + (i << 3), load<u64>(prefixes + ((i - 1) << 3)))
  store<u64>(prefixes + (entry << 3), keyNodePrefix(node, load<u32>(block, BLOCK_SKIP)))
  insertWord(block + BLOCK_NODES, count, entry, <u32>node)
  if (level > 0) insertWord(block + BLOCK_CHILDREN, count, entry, <u32>child)
  store<u32>(block, count + 1, BLOCK_COUNT)
}

function insertWord(words: usize, count: u32, entry: u32, word: u32): void {
  for (let i = count; i > entry; i--) store<u32>(words + (i << 2), load<u32>(words + ((i - 1) << 2)))
  store<u32>(words + (entry << 2), word)
}

/**
 * Where to cut a full block for an entry at `entry`. Behind the last block's end the new block starts empty, so that
 * keys that come in order fill blocks; behind another's end it takes an eighth, which bounds how often that happens.
 */
function cutAt(block: usize, entry: u32): u32 {
  if (entry < BLOCK_ENTRIES_MAX) return BLOCK_ENTRIES_MAX >> 1
  return load<u32>(block, BLOCK_NEXT) == 0 ? BLOCK_ENTRIES_MAX : BLOCK_ENTRIES_MAX - (BLOCK_ENTRIES_MAX >> 3)
}

/** Cuts a full block and puts the entry into its half; returns the new right half, which still must be entered above. */
export function blockSplit(table: usize, block: usize, level: u32, entry: u32, node: usize, child: usize): usize {
  const cut = cutAt(block, entry)
  const right = blockCreate(table, level)
  moveTail(block, right, level, cut)
  linkAfter(block, right)
  store<u32>(right, <u32>(cut == BLOCK_ENTRIES_MAX ? node : blockNode(right, 0)), BLOCK_LOW)
  if (cut < BLOCK_ENTRIES_MAX && entry <= cut) blockInsert(block, level, entry, node, child)
  else blockInsert(right, level, entry - cut, node, child)
  narrow(block)
  narrow(right)
  return right
}

function moveTail(block: usize, right: usize, level: u32, cut: u32): void {
  const moved = BLOCK_ENTRIES_MAX - cut
  memory.copy(right + BLOCK_PREFIXES, block + BLOCK_PREFIXES + (cut << 3), moved << 3)
  memory.copy(right + BLOCK_NODES, block + BLOCK_NODES + (cut << 2), moved << 2)
  if (level > 0) memory.copy(right + BLOCK_CHILDREN, block + BLOCK_CHILDREN + (cut << 2), moved << 2)
  store<u32>(block, cut, BLOCK_COUNT)
  store<u32>(right, moved, BLOCK_COUNT)
  store<u32>(right, load<u32>(block, BLOCK_SKIP), BLOCK_SKIP)
}

function linkAfter(block: usize, right: usize): void {
  const next = <usize>load<u32>(block, BLOCK_NEXT)
  store<u32>(right, <u32>next, BLOCK_NEXT)
  store<u32>(right, <u32>block, BLOCK_PREVIOUS)
  store<u32>(block, <u32>right, BLOCK_NEXT)
  if (next != 0) store<u32>(next, <u32>right, BLOCK_PREVIOUS)
}

/** Takes the prefixes from as far back as the block's fences allow. */
function narrow(block: usize): void {
  const low = <usize>load<u32>(block, BLOCK_LOW)
  const next = <usize>load<u32>(block, BLOCK_NEXT)
  if (low != 0 && next != 0) blockSetSkip(block, keyShared(low, load<u32>(next, BLOCK_LOW)))
}

/** Takes all prefixes from `skip` on. */
export function blockSetSkip(block: usize, skip: u32): void {
  if (skip == load<u32>(block, BLOCK_SKIP)) return
  store<u32>(block, skip, BLOCK_SKIP)
  const count = load<u32>(block, BLOCK_COUNT)
  for (let i: u32 = 0; i < count; i++) store<u64>(block + (i << 3), keyNodePrefix(blockNode(block, i), skip), BLOCK_PREFIXES)
}
