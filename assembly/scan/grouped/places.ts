/** The places of i64 values in a window: their distances from its base, for accumulators that stand by value. */
import { blockCount, blockEntry, blockRows, chunkCount, chunkEncoding, chunkKind, chunkNulls, entryBase, entryPacked, entryWidth, ENCODING_FRAME, KIND_I64 } from '../../column/layout'
import { unpack32 } from '../../column/packing'
import { nullWord, rowsOfWord, selectionWord } from '../selection'

const WIDTH_MAX: i32 = 31

export function scanPlacesChunk(chunk: usize, base: f64, capacity: u32, places: usize): i32 {
  if (chunkKind(chunk) != KIND_I64 || chunkEncoding(chunk) != ENCODING_FRAME || chunkNulls(chunk) != 0) return -1
  for (let block = 0, blocks = blockCount(chunkCount(chunk)); block < blocks; block++) {
    const entry = blockEntry(chunk, block), width = entryWidth(entry), offset = <u64>(entryBase(entry) - <i64>base)
    if (width > WIDTH_MAX || offset >= <u64>capacity) return -1
    const to = places + (<usize>block << 12), rows = blockRows(chunk, block), whole = (rows + 3) & ~3
    unpack32(entryPacked(chunk, entry), width, 0, whole >> 2, to)
    if (shift(to, rows, <u32>offset) >= capacity) return -1
  }
  return 0
}

/** Adds `offset` to so many codes; returns the greatest sum. */
function shift(codes: usize, rows: i32, offset: u32): u32 {
  const offsets = i32x4.splat(offset), end = codes + (<usize>rows << 2)
  let greatest = i32x4.splat(0), at = codes
  for (; at + 16 <= end; at += 16) {
    const sums = i32x4.add(v128.load(at), offsets)
    greatest = i32x4.max_u(greatest, sums)
    v128.store(at, sums)
  }
  let most = max(max(<u32>i32x4.extract_lane(greatest, 0), <u32>i32x4.extract_lane(greatest, 1)), max(<u32>i32x4.extract_lane(greatest, 2), <u32>i32x4.extract_lane(greatest, 3)))
  for (; at < end; at += 4) {
    const sum = load<u32>(at) + offset
    most = max(most, sum)
    store<u32>(at, sum)
  }
  return most
}

export function scanPlaces(values: usize, nulls: usize, selection: usize, count: u32, base: f64, capacity: u32, places: usize): i32 {
  const first = <u64><i64>base
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let bits = rowsOfWord(count, word)
    if (selection != 0) bits &= selectionWord(selection, word)
    const nullBits = nullWord(nulls, word)
    for (; bits != 0; bits &= bits - 1) {
      const bit = <u32>ctz(bits), row = (word << 6) + bit
      const place = load<u64>(values + (<usize>row << 3)) - first, isNull = ((nullBits >> bit) & 1) != 0
      if (place >= <u64>capacity && !isNull) return -1
      store<u32>(places + (<usize>row << 2), isNull ? capacity : <u32>place)
    }
  }
  return 0
}

export function scanPlacesUsed(accumulators: usize, stride: u32, placeCount: u32, used: usize): u32 {
  const first = used
  for (let place: u32 = 0; place < placeCount; place++, accumulators += stride) {
    store<u32>(used, place)
    used += <usize>(load<f64>(accumulators) != 0) << 2
  }
  return <u32>((used - first) >> 2)
}
