/** The memtable's segments in JavaScript; see assembly/skiplist/arena.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { segmentEnd, segmentFree, segmentHeaderBytes, segmentNext, tableCurrentSegment, tableUsedBytes } from './layout.ts'

const largeBytes = 2048

export const align8 = (byteLength: number): number => (byteLength + 7) & ~7

export function arenaLaySegment({ u32 }: LinearMemory, segment: Pointer, segmentBytes: number): Pointer {
  const start = align8(segment)
  const end = (segment + segmentBytes) & ~7
  if (end < start + segmentHeaderBytes) return 0
  u32[(start + segmentNext) >>> 2] = 0
  u32[(start + segmentFree) >>> 2] = start + segmentHeaderBytes
  u32[(start + segmentEnd) >>> 2] = end
  return start
}

export function arenaAppend(memory: LinearMemory, table: Pointer, segment: Pointer, segmentBytes: number): void {
  const { u32 } = memory
  const laid = arenaLaySegment(memory, segment, segmentBytes)
  if (laid === 0) return
  let last = u32[(table + tableCurrentSegment) >>> 2]!
  while (u32[(last + segmentNext) >>> 2] !== 0) last = u32[(last + segmentNext) >>> 2]!
  u32[(last + segmentNext) >>> 2] = laid
}

const freeBytes = ({ u32 }: LinearMemory, segment: Pointer): number => u32[(segment + segmentEnd) >>> 2]! - u32[(segment + segmentFree) >>> 2]!

export function arenaFits(memory: LinearMemory, table: Pointer, byteLength: number): boolean {
  let segment = memory.u32[(table + tableCurrentSegment) >>> 2]!
  while (segment !== 0) {
    if (freeBytes(memory, segment) >= byteLength) return true
    segment = memory.u32[(segment + segmentNext) >>> 2]!
  }
  return false
}

export function arenaAllocate(memory: LinearMemory, table: Pointer, byteLength: number): Pointer {
  const { u32, f64 } = memory
  const bytes = align8(byteLength)
  let segment = u32[(table + tableCurrentSegment) >>> 2]!
  while (freeBytes(memory, segment) < bytes) {
    segment = u32[(segment + segmentNext) >>> 2]!
    if (bytes < largeBytes) u32[(table + tableCurrentSegment) >>> 2] = segment
  }
  const address = u32[(segment + segmentFree) >>> 2]!
  u32[(segment + segmentFree) >>> 2] = address + bytes
  f64[(table + tableUsedBytes) >>> 3]! += bytes
  return address
}

export function arenaRecycle(memory: LinearMemory, table: Pointer, address: Pointer, byteLength: number): void {
  memory.f64[(table + tableUsedBytes) >>> 3]! -= byteLength
  arenaAppend(memory, table, address, byteLength)
}
