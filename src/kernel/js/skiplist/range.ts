/** Range tombstones in JavaScript; see assembly/skiplist/range.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { arenaAllocate, arenaRecycle } from './arena.ts'
import { keyCompare, keyCopy } from './key.ts'
import { rangeBytes, rangeEnd, rangeEndBytes, rangeSequence, rangeStart, rangeStartBytes, tableRangeCapacity, tableRangeCount, tableRanges } from './layout.ts'

const tableIdBytes = 4

export function rangeCapacityFor({ u32 }: LinearMemory, table: Pointer, added: number): number {
  let capacity = u32[(table + tableRangeCapacity) >>> 2]!
  while (capacity < u32[(table + tableRangeCount) >>> 2]! + added) capacity = capacity === 0 ? 8 : capacity * 2
  return capacity
}

export function rangeGrowBytes({ u32 }: LinearMemory, table: Pointer, capacity: number): number {
  return capacity === u32[(table + tableRangeCapacity) >>> 2] ? 0 : capacity * rangeBytes
}

export function rangeGrow(memory: LinearMemory, table: Pointer, capacity: number): void {
  const { u8, u32 } = memory
  const oldCapacity = u32[(table + tableRangeCapacity) >>> 2]!
  if (capacity === oldCapacity) return
  const old = u32[(table + tableRanges) >>> 2]!
  const ranges = arenaAllocate(memory, table, capacity * rangeBytes)
  u8.copyWithin(ranges, old, old + u32[(table + tableRangeCount) >>> 2]! * rangeBytes)
  u32[(table + tableRanges) >>> 2] = ranges
  u32[(table + tableRangeCapacity) >>> 2] = capacity
  if (old !== 0) arenaRecycle(memory, table, old, oldCapacity * rangeBytes)
}

export const rangeAddress = ({ u32 }: LinearMemory, table: Pointer, position: number): Pointer => u32[(table + tableRanges) >>> 2]! + position * rangeBytes

export function rangeAdd(memory: LinearMemory, table: Pointer, start: Pointer, startBytes: number, end: Pointer, endBytes: number, sequence: number): void {
  if (keyCompare(memory, start, startBytes, end, endBytes, 0) >= 0) return
  const range = append(memory, table, start, startBytes, sequence)
  const copy = arenaAllocate(memory, table, endBytes)
  keyCopy(memory, copy, end, endBytes)
  memory.u32[(range + rangeEnd) >>> 2] = copy
  memory.u32[(range + rangeEndBytes) >>> 2] = endBytes
}

export function rangeAddTable(memory: LinearMemory, table: Pointer, tableId: Pointer, sequence: number): void {
  const range = append(memory, table, tableId, tableIdBytes, sequence)
  const next = (memory.view.getUint32(tableId) + 1) >>> 0
  const end = arenaAllocate(memory, table, tableIdBytes)
  memory.view.setUint32(end, next)
  memory.u32[(range + rangeEnd) >>> 2] = end
  memory.u32[(range + rangeEndBytes) >>> 2] = next === 0 ? 0 : tableIdBytes
}

function append(memory: LinearMemory, table: Pointer, start: Pointer, startBytes: number, sequence: number): Pointer {
  const { u32, f64 } = memory
  const position = u32[(table + tableRangeCount) >>> 2]!
  const range = rangeAddress(memory, table, position)
  const copy = arenaAllocate(memory, table, startBytes)
  keyCopy(memory, copy, start, startBytes)
  u32[(range + rangeStart) >>> 2] = copy
  u32[(range + rangeStartBytes) >>> 2] = startBytes
  f64[(range + rangeSequence) >>> 3] = sequence
  u32[(table + tableRangeCount) >>> 2] = position + 1
  return range
}

export function rangeHides(memory: LinearMemory, table: Pointer, key: Pointer, keyBytes: number, above: number, sequence: number): boolean {
  const count = memory.u32[(table + tableRangeCount) >>> 2]!
  for (let i = 0; i < count; i++) {
    const range = rangeAddress(memory, table, i)
    const at = memory.f64[(range + rangeSequence) >>> 3]!
    if (at > above && at <= sequence && covers(memory, range, key, keyBytes)) return true
  }
  return false
}

function covers(memory: LinearMemory, range: Pointer, key: Pointer, keyBytes: number): boolean {
  const { u32 } = memory
  if (keyCompare(memory, u32[(range + rangeStart) >>> 2]!, u32[(range + rangeStartBytes) >>> 2]!, key, keyBytes, 0) > 0) return false
  const endBytes = u32[(range + rangeEndBytes) >>> 2]!
  return endBytes === 0 || keyCompare(memory, key, keyBytes, u32[(range + rangeEnd) >>> 2]!, endBytes, 0) < 0
}
