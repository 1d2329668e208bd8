/** Keys that wait for their place in the leaves, in JavaScript; see assembly/skiplist/order.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { arenaAllocate } from './arena.ts'
import { keyWord } from './key.ts'
import { lateKeysMin, nodeKey, nodeKeyBytes, tableKeys, tableShared, tableWaiting, tableWaitingCount, waitingBytes, waitingEntryBytes, waitingMax, waitingSortedMin } from './layout.ts'
import { treeInsert } from './tree.ts'

export function orderListBytes({ u32 }: LinearMemory, table: Pointer, inserts: number): number {
  return u32[(table + tableWaiting) >>> 2] !== 0 || u32[(table + tableKeys) >>> 2]! + inserts < lateKeysMin ? 0 : waitingBytes
}

export function orderProvideList(memory: LinearMemory, table: Pointer, inserts: number): void {
  if (orderListBytes(memory, table, inserts) !== 0) memory.u32[(table + tableWaiting) >>> 2] = arenaAllocate(memory, table, waitingBytes)
}

export function orderInsert(memory: LinearMemory, table: Pointer, node: Pointer): void {
  const { u32 } = memory
  const list = u32[(table + tableWaiting) >>> 2]!
  if (list === 0) return treeInsert(memory, table, node)
  const count = u32[(table + tableWaitingCount) >>> 2]!
  u32[nodeWord(list, count)] = node
  u32[(table + tableWaitingCount) >>> 2] = count + 1
  if (count + 1 === waitingMax) orderCatchUp(memory, table)
}

export function orderCatchUp(memory: LinearMemory, table: Pointer): void {
  const { u32 } = memory
  const count = u32[(table + tableWaitingCount) >>> 2]!
  if (count === 0) return
  u32[(table + tableWaitingCount) >>> 2] = 0
  const list = u32[(table + tableWaiting) >>> 2]!, skip = u32[(table + tableShared) >>> 2]!
  const entries = Array.from({ length: count }, (_, i) => entryOf(memory, u32[nodeWord(list, i)]!, skip))
  // Stable, as the radix sort is.
  if (count >= waitingSortedMin) entries.sort((a, b) => a.high - b.high || a.low - b.low)
  for (const { node } of entries) treeInsert(memory, table, node)
}

const nodeWord = (list: Pointer, entry: number): number => (list + entry * waitingEntryBytes + 8) >>> 2

interface Entry {
  readonly node: Pointer
  readonly high: number
  readonly low: number
}

function entryOf(memory: LinearMemory, node: Pointer, skip: number): Entry {
  const keyBytes = memory.u32[(node + nodeKeyBytes) >>> 2]!
  return { node, high: keyWord(memory, node + nodeKey, keyBytes, skip), low: keyWord(memory, node + nodeKey, keyBytes, skip + 4) }
}
