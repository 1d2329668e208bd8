/** Nodes and their versions in JavaScript; see assembly/skiplist/version.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { align8, arenaAllocate } from './arena.ts'
import { indexAdd, indexAddLate, indexCatchUp, indexSlot } from './exact-index.ts'
import { keyCopy, keyHash } from './key.ts'
import {
  nodeKey, nodeKeyBytes, nodeNewest, slotNode, tableEntries, tableLastVersion, tableUnindexed, tableWaitingCount, versionAppliedBefore, versionNode,
  versionOlder, versionSequence, versionValue, versionValueBytes,
} from './layout.ts'
import { orderCatchUp, orderInsert } from './order.ts'
import { treeAppend, treeFind, treeIsAbove, treeShared } from './tree.ts'

const roundUp8 = (byteLength: number): number => Math.ceil(byteLength / 8) * 8

export const versionBytesMax = (keyBytes: number, valueBytes: number): number => nodeKey + versionValue + roundUp8(keyBytes) + roundUp8(valueBytes)

export function versionPut(memory: LinearMemory, table: Pointer, key: Pointer, keyBytes: number, value: Pointer, valueBytes: number, sequence: number): void {
  const { u32, f64 } = memory
  f64[(table + tableEntries) >>> 3]!++
  if (u32[(table + tableWaitingCount) >>> 2] === 0) {
    const shared = treeShared(memory, table, key, keyBytes)
    if (treeIsAbove(memory, table, key, keyBytes, shared)) {
      treeAppend(memory, table, createNode(memory, table, key, keyBytes, value, valueBytes, sequence), shared)
      return indexAddLate(memory, table)
    }
  }
  indexCatchUp(memory, table)
  const hash = keyHash(memory, key, keyBytes)
  const slot = indexSlot(memory, table, hash, key, keyBytes)
  let node = slot === 0 ? 0 : u32[(slot + slotNode) >>> 2]!
  if (node === 0 && u32[(table + tableUnindexed) >>> 2] !== 0) {
    orderCatchUp(memory, table)
    node = treeFind(memory, table, key, keyBytes)
  }
  if (node !== 0) {
    const version = arenaAllocate(memory, table, versionValue + align8(valueBytes))
    fill(memory, table, version, node, value, valueBytes, sequence)
    return link(memory, node, version, sequence)
  }
  node = createNode(memory, table, key, keyBytes, value, valueBytes, sequence)
  indexAdd(memory, table, slot, hash, node)
  orderInsert(memory, table, node)
}

function createNode(memory: LinearMemory, table: Pointer, key: Pointer, keyBytes: number, value: Pointer, valueBytes: number, sequence: number): Pointer {
  const nodeBytes = nodeKey + align8(keyBytes)
  const node = arenaAllocate(memory, table, nodeBytes + versionValue + align8(valueBytes))
  memory.u32[(node + nodeNewest) >>> 2] = node + nodeBytes
  memory.u32[(node + nodeKeyBytes) >>> 2] = keyBytes
  keyCopy(memory, node + nodeKey, key, keyBytes)
  fill(memory, table, node + nodeBytes, node, value, valueBytes, sequence)
  return node
}

function fill(memory: LinearMemory, table: Pointer, version: Pointer, node: Pointer, value: Pointer, valueBytes: number, sequence: number): void {
  memory.f64[(version + versionSequence) >>> 3] = sequence
  memory.u32[(version + versionOlder) >>> 2] = 0
  memory.u32[(version + versionValueBytes) >>> 2] = valueBytes
  memory.u32[(version + versionAppliedBefore) >>> 2] = memory.u32[(table + tableLastVersion) >>> 2]!
  memory.u32[(version + versionNode) >>> 2] = node
  memory.u32[(table + tableLastVersion) >>> 2] = version
  keyCopy(memory, version + versionValue, value, valueBytes)
}

function link({ u32, f64 }: LinearMemory, node: Pointer, version: Pointer, sequence: number): void {
  let at = node + nodeNewest
  let older = u32[at >>> 2]!
  while (older !== 0 && f64[(older + versionSequence) >>> 3]! > sequence) {
    at = older + versionOlder
    older = u32[at >>> 2]!
  }
  u32[(version + versionOlder) >>> 2] = older
  u32[at >>> 2] = version
}

export function versionVisible({ u32, f64 }: LinearMemory, node: Pointer, sequence: number): Pointer {
  let version = u32[(node + nodeNewest) >>> 2]!
  while (version !== 0 && f64[(version + versionSequence) >>> 3]! > sequence) version = u32[(version + versionOlder) >>> 2]!
  return version
}
