/* Null bitmaps: copied out for a range of rows, and laid over decoded values so that a null's slot is 0. */
import { chunkNulls, nullBitmapBytes } from './layout'

/**
 * Writes the bitmap of rows [first, first + count) to `nulls` (unless 0) and clears the 8-byte slots of null rows in
 * `slots`. Returns 1 if any row is null.
 */
export function applyNulls(chunk: usize, first: i32, count: i32, slots: usize, nulls: usize): i32 {
  if (nulls != 0) memory.fill(nulls, 0, <usize>nullBitmapBytes(count))
  const bitmap = chunkNulls(chunk)
  if (bitmap == 0) return 0
  const from = bitmap + <usize>(first >> 3)
  let any = 0
  for (let row = 0; row < count; row += 8) {
    let bits = <u32>load<u8>(from + <usize>(row >> 3))
    if (count - row < 8) bits &= (1 << (count - row)) - 1
    if (bits == 0) continue
    any = 1
    if (nulls != 0) store<u8>(nulls + <usize>(row >> 3), <u8>bits)
    clearSlots(slots + (<usize>row << 3), bits)
  }
  return any
}

function clearSlots(slots: usize, bits: u32): void {
  while (bits != 0) {
    store<u64>(slots + (<usize>ctz<u32>(bits) << 3), 0)
    bits &= bits - 1
  }
}

/** 1 if any of `count` bits is set. */
export function anyNull(nulls: usize, count: i32): bool {
  if (nulls == 0) return false
  const whole = count >> 3
  for (let i = 0; i < whole; i++) if (load<u8>(nulls + <usize>i) != 0) return true
  return (count & 7) != 0 && (<u32>load<u8>(nulls + <usize>whole) & ((1 << (count & 7)) - 1)) != 0
}

/** Copies the first `count` bits, zeros after them up to a multiple of 8 bytes. */
export function copyNulls(nulls: usize, count: i32, out: usize): void {
  const bytes = (count + 7) >> 3
  memory.fill(out, 0, <usize>nullBitmapBytes(count))
  memory.copy(out, nulls, <usize>bytes)
  if ((count & 7) != 0) {
    const last = out + <usize>(bytes - 1)
    store<u8>(last, <u8>(<i32>load<u8>(last) & ((1 << (count & 7)) - 1)))
  }
}
