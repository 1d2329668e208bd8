// The index for exact keys: a hash table from key to node, doubled (in the arena) before a batch that would fill it
// past seven tenths. A key whose neighbourhood is full (`INDEX_PROBES_MAX`), or whose hash is that of many others
// (`INDEX_EQUALS_MAX`), stays out and is found through the levels: chosen keys cannot make a slot search long.
//
// A key above all others is certainly new, and only entered when somebody looks for a key: keys that come in order are
// mostly flushed before anybody does, and each costs the index a line that no cache has. Such late keys are the last
// entries of the leaves, one after the other, so the place of the first is all there is to remember; any other key is
// looked for before it is put, which enters them. While all keys are late the index is only kept room for: it is filled
// with empty slots when the first is entered, and a table that is flushed before touches none of its pages.
import { align8, arenaAllocate, arenaRecycle } from './arena'
import { blockNode } from './block'
import { keyEqualsNode, keyEqualsNodeInTable, keyHash, keyHashInTable } from './key'
import {
  BLOCK_COUNT, BLOCK_NEXT, INDEX_EQUALS_MAX, INDEX_PROBES_MAX, INDEX_SLOTS_MIN, NODE_KEY, NODE_KEY_BYTES, SLOT_BYTES, SLOT_NODE,
  TABLE_FIRST_LEAF, TABLE_INDEX, TABLE_INDEX_SLOTS, TABLE_KEYS, TABLE_LAST_LEAF, TABLE_LATE_ENTRY, TABLE_LATE_LEAF, TABLE_UNINDEXED,
} from './layout'

/** The slot of the key, or the empty one where it belongs, or 0 when neither is near its hash. No key is late. */
export function indexSlot(table: usize, hash: u32, key: usize, keyBytes: u32): usize {
  const index = <usize>load<u32>(table, TABLE_INDEX)
  const mask = load<u32>(table, TABLE_INDEX_SLOTS) - 1
  let equals: u32 = 0
  for (let probe: u32 = 0; probe < INDEX_PROBES_MAX; probe++) {
    const slot = index + (<usize>((hash + probe) & mask) << 3)
    const node = <usize>load<u32>(slot, SLOT_NODE)
    if (node == 0) return slot
    if (load<u32>(slot) != hash) continue
    if (keyEqualsNode(node, key, keyBytes)) return slot
    if (++equals == INDEX_EQUALS_MAX) return 0
  }
  return 0
}

/** The node of a key whose table's id is given as it would be loaded; 0 when it is not in the index. No key is late. */
export function indexNodeInTable(table: usize, tableWord: u32, key: usize, keyBytes: u32): usize {
  const hash = keyHashInTable(tableWord, key, keyBytes)
  const index = <usize>load<u32>(table, TABLE_INDEX)
  const mask = load<u32>(table, TABLE_INDEX_SLOTS) - 1
  let equals: u32 = 0
  for (let probe: u32 = 0; probe < INDEX_PROBES_MAX; probe++) {
    const slot = index + (<usize>((hash + probe) & mask) << 3)
    const node = <usize>load<u32>(slot, SLOT_NODE)
    if (node == 0) return 0
    if (load<u32>(slot) != hash) continue
    if (keyEqualsNodeInTable(node, tableWord, key, keyBytes)) return node
    if (++equals == INDEX_EQUALS_MAX) return 0
  }
  return 0
}

/** Slots the index must have before `keyCount` keys are in it. */
export function indexSlotsFor(table: usize, keyCount: u64): u64 {
  let slots = <u64>max(load<u32>(table, TABLE_INDEX_SLOTS), INDEX_SLOTS_MIN)
  while (slots * 7 < keyCount * 10) slots <<= 1
  return slots
}

/** Bytes that growing to `slots` takes from the arena; 0 when the index has them. */
export function indexGrowBytes(table: usize, slots: u64): u64 {
  return slots == <u64>load<u32>(table, TABLE_INDEX_SLOTS) ? 0 : slots * SLOT_BYTES
}

export function indexGrow(table: usize, slots: u32): void {
  const oldSlots = load<u32>(table, TABLE_INDEX_SLOTS)
  if (slots == oldSlots) return
  const old = <usize>load<u32>(table, TABLE_INDEX)
  const index = arenaAllocate(table, align8(<usize>slots * SLOT_BYTES))
  store<u32>(table, <u32>index, TABLE_INDEX)
  store<u32>(table, slots, TABLE_INDEX_SLOTS)
  if (!areAllLate(table)) {
    memory.fill(index, 0, <usize>slots * SLOT_BYTES)
    for (let i: u32 = 0; i < oldSlots; i++) {
      const slot = old + (<usize>i << 3)
      if (load<u32>(slot, SLOT_NODE) != 0) enter(table, index, slots - 1, load<u64>(slot))
    }
  }
  if (old != 0) arenaRecycle(table, old, <usize>oldSlots * SLOT_BYTES)
}

/** Whether there are keys and none was entered: what stands in the slots means nothing then. */
function areAllLate(table: usize): bool {
  const leaf = load<u32>(table, TABLE_LATE_LEAF)
  return leaf != 0 && leaf == load<u32>(table, TABLE_FIRST_LEAF) && load<u32>(table, TABLE_LATE_ENTRY) == 0
}

function enter(table: usize, index: usize, mask: u32, hashAndNode: u64): void {
  const hash = <u32>hashAndNode
  for (let probe: u32 = 0; probe < INDEX_PROBES_MAX; probe++) {
    const slot = index + (<usize>((hash + probe) & mask) << 3)
    if (load<u32>(slot, SLOT_NODE) != 0) continue
    store<u64>(slot, hashAndNode)
    return
  }
  store<u32>(table, load<u32>(table, TABLE_UNINDEXED) + 1, TABLE_UNINDEXED)
}

/** Adds a key by the empty slot that `indexSlot` gave, if it gave one. */
export function indexAdd(table: usize, slot: usize, hash: u32, node: usize): void {
  store<u32>(table, load<u32>(table, TABLE_KEYS) + 1, TABLE_KEYS)
  fillSlot(table, slot, hash, node)
}

function fillSlot(table: usize, slot: usize, hash: u32, node: usize): void {
  if (slot == 0) {
    store<u32>(table, load<u32>(table, TABLE_UNINDEXED) + 1, TABLE_UNINDEXED)
    return
  }
  store<u32>(slot, hash)
  store<u32>(slot, <u32>node, SLOT_NODE)
}

/** Adds the key that was just entered behind all others, to be in the index later. */
export function indexAddLate(table: usize): void {
  store<u32>(table, load<u32>(table, TABLE_KEYS) + 1, TABLE_KEYS)
  if (load<u32>(table, TABLE_LATE_LEAF) != 0) return
  const leaf = load<u32>(table, TABLE_LAST_LEAF)
  store<u32>(table, leaf, TABLE_LATE_LEAF)
  store<u32>(table, load<u32>(leaf, BLOCK_COUNT) - 1, TABLE_LATE_ENTRY)
}

/** Enters all keys that are late. */
export function indexCatchUp(table: usize): void {
  let leaf = <usize>load<u32>(table, TABLE_LATE_LEAF)
  let entry = load<u32>(table, TABLE_LATE_ENTRY)
  if (areAllLate(table)) memory.fill(load<u32>(table, TABLE_INDEX), 0, <usize>load<u32>(table, TABLE_INDEX_SLOTS) * SLOT_BYTES)
  for (; leaf != 0; leaf = load<u32>(leaf, BLOCK_NEXT)) {
    for (const count = load<u32>(leaf, BLOCK_COUNT); entry < count; entry++) {
      const node = blockNode(leaf, entry)
      const key = node + NODE_KEY
      const keyBytes = load<u32>(node, NODE_KEY_BYTES)
      const hash = keyHash(key, keyBytes)
      fillSlot(table, indexSlot(table, hash, key, keyBytes), hash, node)
    }
    entry = 0
  }
  store<u32>(table, 0, TABLE_LATE_LEAF)
}
