// The arena: segments in a list, each with its own free end. Small allocations go to the current segment and move on
// for good when it is full; large ones (the index) take the first segment that has room, so that they leave no hole.
//
// A caller that found room for `n` bytes with `arenaFits` may allocate up to n bytes in pieces: the segment that has
// the room takes whatever does not fit before it.
import { SEGMENT_END, SEGMENT_FREE, SEGMENT_HEADER_BYTES, SEGMENT_NEXT, TABLE_CURRENT_SEGMENT, TABLE_USED_BYTES } from './layout'

const LARGE_BYTES: usize = 2048

export function align8(byteLength: usize): usize {
  return (byteLength + 7) & ~7
}

/** Lays the header of a segment; returns its address, or 0 when it is too small to hold anything. */
export function arenaLaySegment(segment: usize, segmentBytes: usize): usize {
  const start = align8(segment)
  const end = (segment + segmentBytes) & ~7
  if (end < start + SEGMENT_HEADER_BYTES) return 0
  store<u32>(start, 0, SEGMENT_NEXT)
  store<u32>(start, <u32>(start + SEGMENT_HEADER_BYTES), SEGMENT_FREE)
  store<u32>(start, <u32>end, SEGMENT_END)
  return start
}

/** Appends a segment to the table's list. */
export function arenaAppend(table: usize, segment: usize, segmentBytes: usize): void {
  const laid = arenaLaySegment(segment, segmentBytes)
  if (laid == 0) return
  let last = <usize>load<u32>(table, TABLE_CURRENT_SEGMENT)
  while (load<u32>(last, SEGMENT_NEXT) != 0) last = load<u32>(last, SEGMENT_NEXT)
  store<u32>(last, <u32>laid, SEGMENT_NEXT)
}

function freeBytes(segment: usize): usize {
  return load<u32>(segment, SEGMENT_END) - load<u32>(segment, SEGMENT_FREE)
}

/** Whether one segment has room for `byteLength` bytes. */
export function arenaFits(table: usize, byteLength: usize): bool {
  let segment = <usize>load<u32>(table, TABLE_CURRENT_SEGMENT)
  while (segment != 0) {
    if (freeBytes(segment) >= byteLength) return true
    segment = load<u32>(segment, SEGMENT_NEXT)
  }
  return false
}

export function arenaAllocate(table: usize, byteLength: usize): usize {
  const bytes = align8(byteLength)
  let segment = <usize>load<u32>(table, TABLE_CURRENT_SEGMENT)
  while (freeBytes(segment) < bytes) {
    segment = load<u32>(segment, SEGMENT_NEXT)
    if (bytes < LARGE_BYTES) store<u32>(table, <u32>segment, TABLE_CURRENT_SEGMENT)
  }
  const address = <usize>load<u32>(segment, SEGMENT_FREE)
  store<u32>(segment, <u32>(address + bytes), SEGMENT_FREE)
  store<f64>(table, load<f64>(table, TABLE_USED_BYTES) + <f64>bytes, TABLE_USED_BYTES)
  return address
}

/** Gives memory back that the table no longer uses, as one more segment. */
export function arenaRecycle(table: usize, address: usize, byteLength: usize): void {
  store<f64>(table, load<f64>(table, TABLE_USED_BYTES) - <f64>byteLength, TABLE_USED_BYTES)
  arenaAppend(table, address, byteLength)
}
