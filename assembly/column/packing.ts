/*
 * Packed codes: the four interleaved bit streams that layout.ts describes. Reading never touches a byte
 * beyond packedBytes(count, width): the second word of a code is loaded only where the code crosses words.
 */
import { unpackRows } from './unpack-rows'

/** Stored size of `count` codes of `width` bits (0..64). */
export function packedBytes(count: i32, width: i32): i32 {
  const rows = (count + 3) >> 2
  if (width > 32) return (rows << 4) + packedBytes(count, width - 32)
  return ((rows * width + 31) >> 5) << 4
}

/** Bits needed for the unsigned value. */
export function bitWidth64(value: u64): i32 { return 64 - <i32>clz<u64>(value) }
export function bitWidth32(value: u32): i32 { return 32 - <i32>clz<u32>(value) }

export function widthMask32(width: i32): u32 { return width == 0 ? 0 : <u32>0xffffffff >> (32 - width) }

/** Code `index` of a stream of at most 32 bits. */
export function packedGet32(packed: usize, width: i32, index: i32): u32 {
  if (width == 0) return 0
  const bit = (index >> 2) * width
  const shift = bit & 31
  const word = packed + <usize>(((bit >> 5) << 4) + ((index & 3) << 2))
  // Without a branch, which single reads would mostly take in vain: where the code does not cross words the upper half is not looked at.
  const next = word + (<usize>(shift + width > 32) << 4)
  const wide = <u64>load<u32>(word) | (<u64>load<u32>(next) << 32)
  return <u32>(wide >> shift) & (<u32>0xffffffff >> (32 - width))
}

/** Code `index` of `count` codes of any width. */
export function packedGet64(packed: usize, width: i32, count: i32, index: i32): u64 {
  if (width <= 32) return packedGet32(packed, width, index)
  const high = packed + <usize>(((count + 3) >> 2) << 4)
  return <u64>load<u32>(packed + <usize>(index << 2)) | (<u64>packedGet32(high, width - 32, index) << 32)
}

/** Four codes of stream row `row` (values 4·row .. 4·row + 3), width 1..32, `mask` = splat of widthMask32. */
export function packedRow(packed: usize, width: i32, row: i32, mask: v128): v128 {
  const bit = row * width
  const shift = bit & 31
  const word = packed + <usize>((bit >> 5) << 4)
  const next = word + <usize>(shift + width > 32 ? 16 : 0)
  // Where the code does not cross words, what `next` adds lies above the mask.
  const high = i32x4.shl(i32x4.shl(v128.load(next), 1), 31 - shift)
  return v128.and(v128.or(i32x4.shr_u(v128.load(word), shift), high), mask)
}

/** Unpacks codes [4·firstRow, 4·(firstRow + rows)) of at most 32 bits as u32 at `out`. */
export function unpack32(packed: usize, width: i32, firstRow: i32, rows: i32, out: usize): void {
  if (width == 0) {
    memory.fill(out, 0, <usize>(rows << 4))
    return
  }
  const groups = (firstRow & 31) == 0 ? rows >> 5 : 0, groupBytes = <usize>width << 4
  let from = packed + <usize>(firstRow >> 5) * groupBytes, to = out
  for (const end = out + (<usize>groups << 9); to < end; to += 512, from += groupBytes) unpackRows(from, width, to)
  unpackSome(packed, width, firstRow + (groups << 5), rows - (groups << 5), to)
}

/** The current word of the streams stays in a register; `shift` is how many of its bits are used up. */
function unpackSome(packed: usize, width: i32, firstRow: i32, rows: i32, out: usize): void {
  const mask = i32x4.splat(<i32>widthMask32(width))
  const bit = firstRow * width
  let word = packed + <usize>((bit >> 5) << 4)
  let shift = bit & 31
  let current = rows == 0 ? mask : v128.load(word)
  for (const end = out + (<usize>rows << 4); out < end; out += 16) {
    if (shift == 32) {
      word += 16
      current = v128.load(word)
      shift = 0
    }
    let codes = i32x4.shr_u(current, shift)
    shift += width
    if (shift > 32) {
      word += 16
      current = v128.load(word)
      shift -= 32
      codes = v128.or(codes, i32x4.shl(current, width - shift))
    }
    v128.store(out, v128.and(codes, mask))
  }
}

/** Packs `count` u32 codes of `width` bits (0..32) at `out`, which receives packedBytes(count, width) bytes; returns them. */
export function pack32(codes: usize, count: i32, width: i32, out: usize): i32 {
  const bytes = packedBytes(count, width)
  if (bytes == 0) return 0
  let current = i32x4.splat(0)
  let used = 0
  let to = out
  for (let i = 0; i < count; i += 4) {
    const four = loadFour(codes, i, count)
    current = v128.or(current, i32x4.shl(four, used))
    used += width
    if (used >= 32) {
      v128.store(to, current)
      to += 16
      used -= 32
      // The bits of `four` that did not fit; none when the word was filled exactly.
      current = used == 0 ? i32x4.splat(0) : i32x4.shr_u(four, width - used)
    }
  }
  if (used > 0) v128.store(to, current)
  return bytes
}

/** Four codes from index i, zeros beyond count. */
function loadFour(codes: usize, i: i32, count: i32): v128 {
  const at = codes + (<usize>i << 2)
  if (i + 4 <= count) return v128.load(at)
  let four = i32x4.splat(0)
  four = i32x4.replace_lane(four, 0, load<i32>(at))
  if (i + 1 < count) four = i32x4.replace_lane(four, 1, load<i32>(at, 4))
  if (i + 2 < count) four = i32x4.replace_lane(four, 2, load<i32>(at, 8))
  return four
}
