// Reads: one key through the index, runs of keys through the leaves.
import { blockBelow, blockNode } from './block'
import { indexCatchUp, indexNodeInTable, indexSlot } from './exact-index'
import { keyCompareNode, keyHash, keyHashInTable } from './key'
import {
  BLOCK_COUNT, BLOCK_LOW, BLOCK_NEXT, BLOCK_NODES, BLOCK_PREVIOUS, CURSOR_BACKWARD, CURSOR_ENTRY, CURSOR_LEAF, CURSOR_NODE, CURSOR_STAMP,
  LEAF_BYTES, NODE_KEY, NODE_KEY_BYTES, NODE_NEWEST, SLOT_NODE, TABLE_INDEX, TABLE_INDEX_SLOTS, TABLE_LAST_LEAF, TABLE_LATE_LEAF, TABLE_MAX_NODE, TABLE_RANGE_COUNT, TABLE_STAMP, TABLE_UNINDEXED,
  TABLE_WAITING_COUNT, VERSION_SEQUENCE, VERSION_VALUE, VERSION_VALUE_BYTES,
} from './layout'
import { orderCatchUp } from './order'
import { rangeHides } from './range'
import { treeFind, treeLeaf } from './tree'
import { versionVisible, versionVisibleFrom } from './version'

function findNode(table: usize, key: usize, keyBytes: u32): usize {
  if (load<u32>(table, TABLE_INDEX) == 0) return 0
  indexCatchUp(table)
  const slot = indexSlot(table, keyHash(key, keyBytes), key, keyBytes)
  const node: usize = slot == 0 ? 0 : load<u32>(slot, SLOT_NODE)
  if (node != 0 || load<u32>(table, TABLE_UNINDEXED) == 0) return node
  orderCatchUp(table)
  return treeFind(table, key, keyBytes)
}

export function skiplistGet(table: usize, key: usize, keyBytes: u32, sequence: f64, out: usize): i32 {
  const node = findNode(table, key, keyBytes)
  const version: usize = node == 0 ? 0 : versionVisible(node, sequence)
  const found = version == 0 ? -1 : load<f64>(version, VERSION_SEQUENCE)
  if (load<u32>(table, TABLE_RANGE_COUNT) != 0 && rangeHides(table, key, keyBytes, found, sequence)) return 2
  if (version == 0) return 0
  const valueBytes = load<u32>(version, VERSION_VALUE_BYTES)
  if (valueBytes == 0) return 2
  store<u32>(out, <u32>(version + VERSION_VALUE))
  store<u32>(out, valueBytes, 4)
  return 1
}

/** Of `versionInTable`: range tombstones, or keys outside the index, have to be asked. */
export const VERSION_UNTOLD: usize = 1

/** The version, perhaps a tombstone, that a read at `sequence` sees of a key whose table's id is given as it would be loaded; 0: none. For keys that stand without their table's id. */
export function versionInTable(table: usize, tableWord: u32, key: usize, keyBytes: u32, sequence: f64): usize {
  if (load<u32>(table, TABLE_RANGE_COUNT) != 0) return VERSION_UNTOLD
  if (load<u32>(table, TABLE_INDEX) == 0) return 0
  indexCatchUp(table)
  const node = indexNodeInTable(table, tableWord, key, keyBytes)
  if (node != 0) return versionVisible(node, sequence)
  return load<u32>(table, TABLE_UNINDEXED) == 0 ? 0 : VERSION_UNTOLD
}

/** Of a node, with its key and first row, that are read ahead: three lines. */
const NODE_LINES_BYTES: usize = 136

/**
 * Loads from the slot that `versionInTable` looks at first, or, these being at hand, from the node that it leads to, with its key and row.
 * While keys are late a slot may hold anything.
 */
export function touchInTable(table: usize, tableWord: u32, key: usize, keyBytes: u32, node: bool): u64 {
  const index = <usize>load<u32>(table, TABLE_INDEX)
  if (index == 0 || load<u32>(table, TABLE_LATE_LEAF) != 0) return 0
  const hash = keyHashInTable(tableWord, key, keyBytes), slot = load<u64>(index + (<usize>(hash & (load<u32>(table, TABLE_INDEX_SLOTS) - 1)) << 3))
  if (!node || <u32>slot != hash) return slot
  const at = <usize>(slot >>> 32), memoryEnd = <usize>memory.size() << 16
  return load<u64>(at) + (at + NODE_LINES_BYTES <= memoryEnd ? load<u64>(at, 64) + load<u64>(at, 128) : 0)
}

export function skiplistHasKeys(table: usize, first: usize, firstBytes: u32, last: usize, lastBytes: u32): i32 {
  const maxNode = <usize>load<u32>(table, TABLE_MAX_NODE)
  if (load<u32>(table, TABLE_WAITING_COUNT) == 0 && (maxNode == 0 || keyCompareNode(maxNode, first, firstBytes, 0) < 0)) return 0
  orderCatchUp(table)
  const leaf = treeLeaf(table, first, firstBytes)
  const below = blockBelow(leaf, first, firstBytes, 0)
  const next = below < load<u32>(leaf, BLOCK_COUNT) ? leaf : <usize>load<u32>(leaf, BLOCK_NEXT)
  if (next == 0) return 0
  return <i32>(keyCompareNode(blockNode(next, next == leaf ? below : 0), last, lastBytes, 0) <= 0)
}

export function skiplistSeek(table: usize, key: usize, keyBytes: u32, backward: i32, cursor: usize): void {
  orderCatchUp(table)
  memory.fill(cursor, 0, 32)
  store<u32>(cursor, <u32>(backward != 0), CURSOR_BACKWARD)
  const toEnd = backward != 0 && keyBytes == 0
  const leaf = toEnd ? <usize>load<u32>(table, TABLE_LAST_LEAF) : treeLeaf(table, key, keyBytes)
  if (leaf == 0) return
  const below = toEnd ? load<u32>(leaf, BLOCK_COUNT) : blockBelow(leaf, key, keyBytes, 0)
  if (backward != 0) placeBackward(table, cursor, leaf, below)
  else placeForward(table, cursor, leaf, below)
}

/** The first half of a seek forward, for whoever has several tables to seek in: the leaf where the place is; 0 in an empty table. */
export function seekLeaf(table: usize, key: usize, keyBytes: u32): usize {
  orderCatchUp(table)
  return treeLeaf(table, key, keyBytes)
}

/** The second half, before anything is written to the table. */
export function seekInLeaf(table: usize, leaf: usize, key: usize, keyBytes: u32, cursor: usize): void {
  memory.fill(cursor, 0, 32)
  if (leaf != 0) placeForward(table, cursor, leaf, blockBelow(leaf, key, keyBytes, 0))
}

/** Loads from each line of a leaf, whose search, and whoever reads on from there, would wait for one after the other. */
export function touchLeaf(leaf: usize): u64 {
  let sum: u64 = 0
  for (const end = leaf + LEAF_BYTES; leaf < end; leaf += 64) sum += load<u64>(leaf)
  return sum
}

/** A node with a key of a table's id alone, and the head of its first version. */
const NODE_BYTES_MIN: usize = NODE_KEY + 8 + VERSION_VALUE

/** Loads from the nodes of at most `count` entries of the cursor's leaf, from its place on. */
export function touchNodes(cursor: usize, count: u32): u64 {
  const leaf = <usize>load<u32>(cursor, CURSOR_LEAF), entry = load<u32>(cursor, CURSOR_ENTRY)
  if (leaf == 0) return 0
  let sum: u64 = 0, at = leaf + (<usize>entry << 2)
  for (const end = leaf + (<usize>min(entry + count, load<u32>(leaf, BLOCK_COUNT)) << 2); at < end; at += 4) {
    const node = <usize>load<u32>(at, BLOCK_NODES)
    sum += load<u64>(node) + load<u64>(node, NODE_BYTES_MIN - 8)
  }
  return sum
}

/** The next entry is `entry` of `leaf`, or the first of the leaf after it. */
function placeForward(table: usize, cursor: usize, leaf: usize, entry: u32): void {
  if (entry < load<u32>(leaf, BLOCK_COUNT)) return place(table, cursor, leaf, entry)
  place(table, cursor, load<u32>(leaf, BLOCK_NEXT), 0)
}

/** The next entry is the one before `entry` of `leaf`, or the last of the leaf before it. */
function placeBackward(table: usize, cursor: usize, leaf: usize, entry: u32): void {
  if (entry > 0) return place(table, cursor, leaf, entry - 1)
  const previous = <usize>load<u32>(leaf, BLOCK_PREVIOUS)
  place(table, cursor, previous, previous == 0 ? 0 : load<u32>(previous, BLOCK_COUNT) - 1)
}

function place(table: usize, cursor: usize, leaf: usize, entry: u32): void {
  store<u32>(cursor, <u32>leaf, CURSOR_LEAF)
  store<u32>(cursor, entry, CURSOR_ENTRY)
  store<u32>(cursor, leaf == 0 ? 0 : <u32>blockNode(leaf, entry), CURSOR_NODE)
  store<u32>(cursor, load<u32>(table, TABLE_STAMP), CURSOR_STAMP)
}

/** Finds the place of the cursor's node again after keys were entered. */
function replace(table: usize, cursor: usize): void {
  if (load<u32>(cursor, CURSOR_STAMP) == load<u32>(table, TABLE_STAMP)) return
  const node = <usize>load<u32>(cursor, CURSOR_NODE)
  const key = node + NODE_KEY
  const keyBytes = load<u32>(node, NODE_KEY_BYTES)
  const leaf = treeLeaf(table, key, keyBytes)
  place(table, cursor, leaf, blockBelow(leaf, key, keyBytes, 0))
}

export function skiplistRead(
  table: usize, cursor: usize, sequence: f64, bound: usize, boundBytes: u32, skipBytes: u32, keys: usize, values: usize, limit: u32,
): i32 {
  if (load<u32>(cursor, CURSOR_NODE) == 0) return 0
  orderCatchUp(table)
  replace(table, cursor)
  const backward = load<u32>(cursor, CURSOR_BACKWARD) != 0
  let written: u32 = 0
  while (written < limit && load<u32>(cursor, CURSOR_NODE) != 0) {
    written = readLeaf(table, cursor, backward, sequence, bound, boundBytes, skipBytes, keys, values, written, limit)
  }
  return written
}

/** Whether every key of the leaf is inside the bound, as far as its fences tell. */
function isInside(leaf: usize, backward: bool, bound: usize, boundBytes: u32): bool {
  if (boundBytes == 0) return true
  const fenced = <usize>(backward ? leaf : load<u32>(leaf, BLOCK_NEXT))
  const low: usize = fenced == 0 ? 0 : load<u32>(fenced, BLOCK_LOW)
  if (low == 0) return false
  const order = keyCompareNode(low, bound, boundBytes, 0)
  return backward ? order >= 0 : order <= 0
}

/** Reads on in the cursor's leaf; places the cursor in the next one, at the limit, or (past the bound) nowhere. */
function readLeaf(
  table: usize, cursor: usize, backward: bool, sequence: f64, bound: usize, boundBytes: u32, skipBytes: u32, keys: usize, values: usize,
  from: u32, limit: u32,
): u32 {
  const leaf = <usize>load<u32>(cursor, CURSOR_LEAF)
  const entry = load<u32>(cursor, CURSOR_ENTRY)
  const most = min(backward ? entry + 1 : load<u32>(leaf, BLOCK_COUNT) - entry, limit - from)
  const inside = isInside(leaf, backward, bound, boundBytes) ? most : entriesInside(leaf, entry, most, backward, bound, boundBytes)
  const keysAt = keys + (<usize>from << 3), valuesAt = values + (<usize>from << 3)
  const first = leaf + BLOCK_NODES + (<usize>entry << 2)
  if (inside != 0) writeKeys(first, backward ? -4 : 4, inside, skipBytes, keysAt, valuesAt)
  const written = from + keepVisible(table, inside, sequence, skipBytes, keysAt, valuesAt)
  if (inside < most) place(table, cursor, 0, 0)
  else if (backward) placeBackward(table, cursor, leaf, entry + 1 - inside)
  else placeForward(table, cursor, leaf, entry + inside)
  return written
}

/** How many of the next `most` entries come before the first that is past the bound. */
function entriesInside(leaf: usize, entry: u32, most: u32, backward: bool, bound: usize, boundBytes: u32): u32 {
  let inside: u32 = 0
  while (inside < most && !isPast(blockNode(leaf, backward ? entry - inside : entry + inside), backward, bound, boundBytes)) inside++
  return inside
}

/**
 * Writes the refs of keys, and beside each its newest version. A loop of so little that the processor waits for the memory of many nodes
 * at a time, which in a table of keys that came in no order is what a scan takes.
 */
export function writeKeys(nodes: usize, step: i32, count: u32, skipBytes: u32, keys: usize, values: usize): void {
  const end = keys + (<usize>count << 3)
  do {
    const node = <usize>load<u32>(nodes)
    store<u32>(keys, <u32>(node + NODE_KEY) + skipBytes)
    store<u32>(keys, load<u32>(node, NODE_KEY_BYTES) - skipBytes, 4)
    store<u32>(values, load<u32>(node, NODE_NEWEST))
    nodes += step
    keys += 8
    values += 8
  } while (keys != end)
}

/** Writes the refs of the visible versions in place of the newest ones and leaves out keys that have none; returns how many are left. */
export function keepVisible(table: usize, count: u32, sequence: f64, skipBytes: u32, keys: usize, values: usize): u32 {
  const hasRanges = load<u32>(table, TABLE_RANGE_COUNT) != 0
  let written: usize = 0
  for (let i: usize = 0; i < count; i++) {
    let version = <usize>load<u32>(values + (i << 3))
    if (load<f64>(version, VERSION_SEQUENCE) > sequence) {
      version = versionVisibleFrom(version, sequence)
      if (version == 0) continue
    }
    const key = keys + (i << 3), valueBytes = load<u32>(version, VERSION_VALUE_BYTES)
    let value = <u64>(version + VERSION_VALUE) | (<u64>valueBytes << 32)
    if (valueBytes == 0 || (hasRanges && rangeHides(table, load<u32>(key) - skipBytes, load<u32>(key, 4) + skipBytes, load<f64>(version, VERSION_SEQUENCE), sequence))) value = 0
    if (written != i) store<u64>(keys + (written << 3), load<u64>(key))
    store<u64>(values + (written << 3), value)
    written++
  }
  return <u32>written
}

function isPast(node: usize, backward: bool, bound: usize, boundBytes: u32): bool {
  const order = keyCompareNode(node, bound, boundBytes, 0)
  return backward ? order < 0 : order >= 0
}
