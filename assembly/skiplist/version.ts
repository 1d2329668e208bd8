// Nodes and their versions: one node a key, its versions from the newest to the oldest. A new key, its first version
// and the row are one piece of the arena, so that a read of them touches neighbouring lines.
import { align8, arenaAllocate } from './arena'
import { indexAdd, indexAddLate, indexCatchUp, indexSlot } from './exact-index'
import { keyCopy, keyHash } from './key'
import {
  NODE_KEY, NODE_KEY_BYTES, NODE_NEWEST, SLOT_NODE, TABLE_ENTRIES, TABLE_LAST_VERSION, TABLE_UNINDEXED, TABLE_WAITING_COUNT,
  VERSION_APPLIED_BEFORE, VERSION_NODE, VERSION_OLDER, VERSION_SEQUENCE, VERSION_VALUE, VERSION_VALUE_BYTES,
} from './layout'
import { orderCatchUp, orderInsert } from './order'
import { treeAppend, treeFind, treeIsAbove, treeShared } from './tree'

/** Arena bytes of a new key with its first version; an upper bound for a version of a key that is there. */
export function versionBytesMax(keyBytes: u64, valueBytes: u64): u64 {
  return NODE_KEY + VERSION_VALUE + ((keyBytes + 7) & ~7) + ((valueBytes + 7) & ~7)
}

/** Adds one version of a key; value bytes 0 make it a tombstone. */
export function versionPut(table: usize, key: usize, keyBytes: u32, value: usize, valueBytes: u32, sequence: f64): void {
  store<f64>(table, load<f64>(table, TABLE_ENTRIES) + 1, TABLE_ENTRIES)
  if (load<u32>(table, TABLE_WAITING_COUNT) == 0) {
    const shared = treeShared(table, key, keyBytes)
    if (treeIsAbove(table, key, keyBytes, shared)) {
      treeAppend(table, createNode(table, key, keyBytes, value, valueBytes, sequence), shared)
      return indexAddLate(table)
    }
  }
  indexCatchUp(table)
  const hash = keyHash(key, keyBytes)
  const slot = indexSlot(table, hash, key, keyBytes)
  let node: usize = slot == 0 ? 0 : load<u32>(slot, SLOT_NODE)
  if (node == 0 && load<u32>(table, TABLE_UNINDEXED) != 0) {
    orderCatchUp(table)
    node = treeFind(table, key, keyBytes)
  }
  if (node != 0) {
    const version = arenaAllocate(table, VERSION_VALUE + align8(valueBytes))
    fill(table, version, node, value, valueBytes, sequence)
    return link(node, version, sequence)
  }
  node = createNode(table, key, keyBytes, value, valueBytes, sequence)
  indexAdd(table, slot, hash, node)
  orderInsert(table, node)
}

function createNode(table: usize, key: usize, keyBytes: u32, value: usize, valueBytes: u32, sequence: f64): usize {
  const nodeBytes = NODE_KEY + align8(keyBytes)
  const node = arenaAllocate(table, nodeBytes + VERSION_VALUE + align8(valueBytes))
  store<u32>(node, <u32>(node + nodeBytes), NODE_NEWEST)
  store<u32>(node, keyBytes, NODE_KEY_BYTES)
  keyCopy(node + NODE_KEY, key, keyBytes)
  fill(table, node + nodeBytes, node, value, valueBytes, sequence)
  return node
}

function fill(table: usize, version: usize, node: usize, value: usize, valueBytes: u32, sequence: f64): void {
  store<f64>(version, sequence, VERSION_SEQUENCE)
  store<u32>(version, 0, VERSION_OLDER)
  store<u32>(version, valueBytes, VERSION_VALUE_BYTES)
  store<u32>(version, load<u32>(table, TABLE_LAST_VERSION), VERSION_APPLIED_BEFORE)
  store<u32>(version, <u32>node, VERSION_NODE)
  store<u32>(table, <u32>version, TABLE_LAST_VERSION)
  keyCopy(version + VERSION_VALUE, value, valueBytes)
}

/** Links a version before the first that is not newer: the head, but for batches applied out of order. */
function link(node: usize, version: usize, sequence: f64): void {
  let at = node + NODE_NEWEST
  while (true) {
    const older = <usize>load<u32>(at)
    if (older == 0 || load<f64>(older, VERSION_SEQUENCE) <= sequence) {
      store<u32>(version, <u32>older, VERSION_OLDER)
      store<u32>(at, <u32>version)
      return
    }
    at = older + VERSION_OLDER
  }
}

/** The newest version with a sequence up to `sequence`, or 0. */
export function versionVisible(node: usize, sequence: f64): usize {
  return versionVisibleFrom(load<u32>(node, NODE_NEWEST), sequence)
}

/** The same of a version and those older than it. */
export function versionVisibleFrom(newest: usize, sequence: f64): usize {
  let version = newest
  while (version != 0 && load<f64>(version, VERSION_SEQUENCE) > sequence) version = load<u32>(version, VERSION_OLDER)
  return version
}
