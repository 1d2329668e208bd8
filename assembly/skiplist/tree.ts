// The levels of blocks: finding a key's place from the top, entering a new key, and the towers that grow above a cut
// block. (A deterministic skiplist after Munro, Papadakis, Sedgewick 1992, with blocks for the runs between towers.)
import { blockBelow, blockCreate, blockInsert, blockNode, blockSetNode, blockSetSkip, blockSplit } from './block'
import { keyCompareNode, keyIsAbove, keySharedWith } from './key'
import {
  BLOCK_CHILDREN, BLOCK_COUNT, BLOCK_ENTRIES_MAX, BLOCK_LOW, LEAF_ROOMY_MAX, NODE_KEY, NODE_KEY_BYTES, TABLE_FIRST_LEAF, TABLE_FULL_LEAVES, TABLE_LAST_LEAF, TABLE_LEVELS,
  TABLE_MAX_NODE, TABLE_PATH, TABLE_ROOT, TABLE_SHARED, TABLE_STAMP,
} from './layout'

/** The child to go down to: the last whose low key is not above the key. */
function childEntry(block: usize, key: usize, keyBytes: u32): u32 {
  const below = blockBelow(block, key, keyBytes, 1)
  return below == 0 ? 0 : below - 1
}

/** The leaf between whose fences the key lies; 0 in an empty table. */
export function treeLeaf(table: usize, key: usize, keyBytes: u32): usize {
  let block = <usize>load<u32>(table, TABLE_ROOT)
  for (let level = load<u32>(table, TABLE_LEVELS); level > 1; level--) {
    block = load<u32>(block + (childEntry(block, key, keyBytes) << 2), BLOCK_CHILDREN)
  }
  return block
}

/** The node of a key, or 0. */
export function treeFind(table: usize, key: usize, keyBytes: u32): usize {
  const leaf = treeLeaf(table, key, keyBytes)
  if (leaf == 0) return 0
  const entry = blockBelow(leaf, key, keyBytes, 0)
  if (entry == load<u32>(leaf, BLOCK_COUNT)) return 0
  const node = blockNode(leaf, entry)
  return keyCompareNode(node, key, keyBytes, 0) == 0 ? node : 0
}

/** Enters the node of a key that is not there yet. */
export function treeInsert(table: usize, node: usize): void {
  const key = node + NODE_KEY
  const keyBytes = load<u32>(node, NODE_KEY_BYTES)
  const shared = treeShared(table, key, keyBytes)
  if (treeIsAbove(table, key, keyBytes, shared)) return treeAppend(table, node, shared)
  if (shared < load<u32>(table, TABLE_SHARED)) shareLess(table, shared)
  store<u32>(table, load<u32>(table, TABLE_STAMP) + 1, TABLE_STAMP)
  insertFromRoot(table, node, key, keyBytes)
}

/** How many leading bytes a key shares with the greatest one; all of them when there is none. */
export function treeShared(table: usize, key: usize, keyBytes: u32): u32 {
  const maxNode = <usize>load<u32>(table, TABLE_MAX_NODE)
  return maxNode == 0 ? keyBytes : keySharedWith(maxNode, key, keyBytes)
}

/** Whether a key that shares so many bytes with the greatest one is above it. */
export function treeIsAbove(table: usize, key: usize, keyBytes: u32, shared: u32): bool {
  const maxNode = <usize>load<u32>(table, TABLE_MAX_NODE)
  return maxNode == 0 || keyIsAbove(maxNode, key, keyBytes, shared)
}

/** Enters the node of a key above all others, with the greatest of which it shares so many bytes. */
export function treeAppend(table: usize, node: usize, shared: u32): void {
  if (load<u32>(table, TABLE_ROOT) == 0) plant(table, shared)
  else if (shared < load<u32>(table, TABLE_SHARED)) shareLess(table, shared)
  store<u32>(table, load<u32>(table, TABLE_STAMP) + 1, TABLE_STAMP)
  store<u32>(table, <u32>node, TABLE_MAX_NODE)
  const last = <usize>load<u32>(table, TABLE_LAST_LEAF)
  const count = load<u32>(last, BLOCK_COUNT)
  if (count < BLOCK_ENTRIES_MAX) return leafInsert(table, last, count, node)
  insertFromRoot(table, node, node + NODE_KEY, load<u32>(node, NODE_KEY_BYTES))
}

/** Shortens what all keys share to what a new one shares with them, in the blocks that rely on it. */
function shareLess(table: usize, less: u32): void {
  store<u32>(table, less, TABLE_SHARED)
  let first = <usize>load<u32>(table, TABLE_ROOT)
  let last = first
  for (let level = load<u32>(table, TABLE_LEVELS); level > 0; level--) {
    blockSetSkip(first, less)
    blockSetSkip(last, less)
    if (level == 1) return
    first = load<u32>(first, BLOCK_CHILDREN)
    last = load<u32>(last + ((load<u32>(last, BLOCK_COUNT) - 1) << 2), BLOCK_CHILDREN)
  }
}

function plant(table: usize, shared: u32): void {
  store<u32>(table, shared, TABLE_SHARED)
  const leaf = <u32>blockCreate(table, 0)
  store<u32>(table, leaf, TABLE_ROOT)
  store<u32>(table, leaf, TABLE_FIRST_LEAF)
  store<u32>(table, leaf, TABLE_LAST_LEAF)
  store<u32>(table, 1, TABLE_LEVELS)
}

function insertFromRoot(table: usize, node: usize, key: usize, keyBytes: u32): void {
  const leaf = descend(table, key, keyBytes)
  const entry = blockBelow(leaf, key, keyBytes, 0)
  if (entry == 0) lowerFirst(table, node)
  if (load<u32>(leaf, BLOCK_COUNT) < BLOCK_ENTRIES_MAX) return leafInsert(table, leaf, entry, node)
  const right = blockSplit(table, leaf, 0, entry, node, 0)
  store<u32>(table, load<u32>(table, TABLE_FULL_LEAVES) - 1 + <u32>!isRoomy(leaf) + <u32>!isRoomy(right), TABLE_FULL_LEAVES)
  if (leaf == <usize>load<u32>(table, TABLE_LAST_LEAF)) store<u32>(table, <u32>right, TABLE_LAST_LEAF)
  raise(table, leaf, right)
}

/** Puts an entry in a leaf that has room. */
function leafInsert(table: usize, leaf: usize, entry: u32, node: usize): void {
  if (load<u32>(leaf, BLOCK_COUNT) == LEAF_ROOMY_MAX) store<u32>(table, load<u32>(table, TABLE_FULL_LEAVES) + 1, TABLE_FULL_LEAVES)
  blockInsert(leaf, 0, entry, node, 0)
}

function isRoomy(leaf: usize): bool {
  return load<u32>(leaf, BLOCK_COUNT) <= LEAF_ROOMY_MAX
}

/**
 * A key below all others: the first entries above it, through which the path leads, take it as their low key. Only the
 * first leaf is entered at 0, since every other leaf holds its low key.
 */
function lowerFirst(table: usize, node: usize): void {
  const levels = load<u32>(table, TABLE_LEVELS)
  for (let level: u32 = 1; level < levels; level++) blockSetNode(load<u32>(table + TABLE_PATH + (level << 3)), 0, node)
}

/** As `treeLeaf`, and writes the way down to the table's path. */
function descend(table: usize, key: usize, keyBytes: u32): usize {
  let block = <usize>load<u32>(table, TABLE_ROOT)
  for (let level = load<u32>(table, TABLE_LEVELS) - 1; level > 0; level--) {
    const entry = childEntry(block, key, keyBytes)
    const step = table + TABLE_PATH + (level << 3)
    store<u32>(step, <u32>block)
    store<u32>(step, entry, 4)
    block = load<u32>(block + (entry << 2), BLOCK_CHILDREN)
  }
  return block
}

/** Enters the new right half of a cut block in the level above, which may be cut in turn. */
function raise(table: usize, cut: usize, right: usize): void {
  let left = cut
  let level: u32 = 1
  for (; level < load<u32>(table, TABLE_LEVELS); level++) {
    const step = table + TABLE_PATH + (level << 3)
    const block = <usize>load<u32>(step)
    const entry = load<u32>(step, 4) + 1
    const low = lowNode(right)
    if (load<u32>(block, BLOCK_COUNT) < BLOCK_ENTRIES_MAX) return blockInsert(block, level, entry, low, right)
    right = blockSplit(table, block, level, entry, low, right)
    left = block
  }
  growRoot(table, level, left, right)
}

function growRoot(table: usize, level: u32, left: usize, right: usize): void {
  const root = blockCreate(table, level)
  blockInsert(root, level, 0, blockNode(left, 0), left)
  blockInsert(root, level, 1, lowNode(right), right)
  store<u32>(table, <u32>root, TABLE_ROOT)
  store<u32>(table, level + 1, TABLE_LEVELS)
}

function lowNode(block: usize): usize {
  return load<u32>(block, BLOCK_LOW)
}
