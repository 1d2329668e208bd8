/** The index for exact keys in JavaScript; see assembly/skiplist/exact-index.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { arenaAllocate, arenaRecycle } from './arena.ts'
import { blockNode } from './block.ts'
import { keyEqualsNode, keyEqualsNodeInTable, keyHash, keyHashInTable } from './key.ts'
import {
  blockCount, blockNext, indexEqualsMax, indexProbesMax, indexSlotsMin, nodeKey, nodeKeyBytes, slotBytes, slotNode, tableFirstLeaf, tableIndex, tableIndexSlots, tableKeys,
  tableLastLeaf, tableLateEntry, tableLateLeaf, tableUnindexed,
} from './layout.ts'

export function indexSlot(memory: LinearMemory, table: Pointer, hash: number, key: Pointer, keyBytes: number): Pointer {
  const { u32 } = memory
  const index = u32[(table + tableIndex) >>> 2]!
  const mask = u32[(table + tableIndexSlots) >>> 2]! - 1
  let equals = 0
  for (let probe = 0; probe < indexProbesMax; probe++) {
    const slot = index + (((hash + probe) & mask) << 3)
    const node = u32[(slot + slotNode) >>> 2]!
    if (node === 0) return slot
    if (u32[slot >>> 2] !== hash) continue
    if (keyEqualsNode(memory, node, key, keyBytes)) return slot
    if (++equals === indexEqualsMax) return 0
  }
  return 0
}

/** The node of a key whose table's id is given as a word of its key; 0 when it is not in the index. No key is late. */
export function indexNodeInTable(memory: LinearMemory, table: Pointer, tableWord: number, key: Pointer, keyBytes: number): Pointer {
  const { u32 } = memory, hash = keyHashInTable(memory, tableWord, key, keyBytes)
  const index = u32[(table + tableIndex) >>> 2]!
  const mask = u32[(table + tableIndexSlots) >>> 2]! - 1
  let equals = 0
  for (let probe = 0; probe < indexProbesMax; probe++) {
    const slot = index + (((hash + probe) & mask) << 3)
    const node = u32[(slot + slotNode) >>> 2]!
    if (node === 0) return 0
    if (u32[slot >>> 2] !== hash) continue
    if (keyEqualsNodeInTable(memory, node, tableWord, key, keyBytes)) return node
    if (++equals === indexEqualsMax) return 0
  }
  return 0
}

export function indexSlotsFor({ u32 }: LinearMemory, table: Pointer, keyCount: number): number {
  let slots = Math.max(u32[(table + tableIndexSlots) >>> 2]!, indexSlotsMin)
  while (slots * 7 < keyCount * 10) slots *= 2
  return slots
}

export function indexGrowBytes({ u32 }: LinearMemory, table: Pointer, slots: number): number {
  return slots === u32[(table + tableIndexSlots) >>> 2] ? 0 : slots * slotBytes
}

export function indexGrow(memory: LinearMemory, table: Pointer, slots: number): void {
  const { u8, u32 } = memory
  const oldSlots = u32[(table + tableIndexSlots) >>> 2]!
  if (slots === oldSlots) return
  const old = u32[(table + tableIndex) >>> 2]!
  const index = arenaAllocate(memory, table, slots * slotBytes)
  u32[(table + tableIndex) >>> 2] = index
  u32[(table + tableIndexSlots) >>> 2] = slots
  if (!areAllLate(memory, table)) {
    u8.fill(0, index, index + slots * slotBytes)
    for (let i = 0; i < oldSlots; i++) {
      const slot = (old >>> 2) + 2 * i
      if (u32[slot + 1] !== 0) enter(memory, table, index, slots - 1, u32[slot]!, u32[slot + 1]!)
    }
  }
  if (old !== 0) arenaRecycle(memory, table, old, oldSlots * slotBytes)
}

function areAllLate({ u32 }: LinearMemory, table: Pointer): boolean {
  const leaf = u32[(table + tableLateLeaf) >>> 2]!
  return leaf !== 0 && leaf === u32[(table + tableFirstLeaf) >>> 2] && u32[(table + tableLateEntry) >>> 2] === 0
}

function enter({ u32 }: LinearMemory, table: Pointer, index: Pointer, mask: number, hash: number, node: Pointer): void {
  for (let probe = 0; probe < indexProbesMax; probe++) {
    const slot = (index >>> 2) + 2 * ((hash + probe) & mask)
    if (u32[slot + 1] !== 0) continue
    u32[slot] = hash
    u32[slot + 1] = node
    return
  }
  u32[(table + tableUnindexed) >>> 2]!++
}

export function indexAdd(memory: LinearMemory, table: Pointer, slot: Pointer, hash: number, node: Pointer): void {
  memory.u32[(table + tableKeys) >>> 2]!++
  fillSlot(memory, table, slot, hash, node)
}

function fillSlot({ u32 }: LinearMemory, table: Pointer, slot: Pointer, hash: number, node: Pointer): void {
  if (slot === 0) {
    u32[(table + tableUnindexed) >>> 2]!++
    return
  }
  u32[slot >>> 2] = hash
  u32[(slot + slotNode) >>> 2] = node
}

export function indexAddLate({ u32 }: LinearMemory, table: Pointer): void {
  u32[(table + tableKeys) >>> 2]!++
  if (u32[(table + tableLateLeaf) >>> 2] !== 0) return
  const leaf = u32[(table + tableLastLeaf) >>> 2]!
  u32[(table + tableLateLeaf) >>> 2] = leaf
  u32[(table + tableLateEntry) >>> 2] = u32[(leaf + blockCount) >>> 2]! - 1
}

export function indexCatchUp(memory: LinearMemory, table: Pointer): void {
  const { u8, u32 } = memory
  const index = u32[(table + tableIndex) >>> 2]!
  if (areAllLate(memory, table)) u8.fill(0, index, index + u32[(table + tableIndexSlots) >>> 2]! * slotBytes)
  let entry = u32[(table + tableLateEntry) >>> 2]!
  for (let leaf = u32[(table + tableLateLeaf) >>> 2]!; leaf !== 0; leaf = u32[(leaf + blockNext) >>> 2]!) {
    for (const count = u32[(leaf + blockCount) >>> 2]!; entry < count; entry++) {
      const node = blockNode(memory, leaf, entry)
      const key = node + nodeKey
      const keyBytes = u32[(node + nodeKeyBytes) >>> 2]!
      const hash = keyHash(memory, key, keyBytes)
      fillSlot(memory, table, indexSlot(memory, table, hash, key, keyBytes), hash, node)
    }
    entry = 0
  }
  u32[(table + tableLateLeaf) >>> 2] = 0
}
