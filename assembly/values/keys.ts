/** Columns to the order-preserving key bytes of src/engine/codec/key-codec.ts, and their hashes. */
import { hashBytes64 } from '../hash/hash'
import { COLUMN_KIND, FORM_BYTES, KIND_BYTES, KIND_I64, PLAN_KEYS, PLAN_KEY_COUNT, PLAN_KEY_FORM, columnAt, valueAt } from './layout'

export function writeKeys(plan: usize, count: u32, keys: usize, keysBytes: u32, refs: usize, hashes: usize): i32 {
  const ordinals = <usize>load<u32>(plan, PLAN_KEYS)
  const isBytes = load<u32>(plan, PLAN_KEY_FORM) == FORM_BYTES
  const end = keys + keysBytes
  let at = keys
  let longest: u32 = 0
  for (let row: u32 = 0; row < count; row++) {
    const ref = refs + (<usize>row << 3)
    if (isBytes) store<u64>(ref, load<u64>(valueAt(columnAt(plan, ordinals, 0), row)))
    else {
      const to = writeKey(plan, ordinals, row, at, end)
      if (to == 0) return -1
      store<u32>(ref, <u32>at)
      store<u32>(ref, <u32>(to - at), 4)
      at = to
    }
    const bytes = load<u32>(ref, 4)
    longest = max(longest, bytes)
    store<u64>(hashes + (<usize>row << 3), hashBytes64(load<u32>(ref), bytes))
  }
  return <i32>longest
}

/** One i64 column is what a composite key of it would be. */
function writeKey(plan: usize, ordinals: usize, row: u32, from: usize, end: usize): usize {
  const columns = load<u32>(plan, PLAN_KEY_COUNT)
  let at = from
  for (let i: u32 = 0; i < columns; i++) {
    const column = columnAt(plan, ordinals, i)
    const kind = load<u32>(column, COLUMN_KIND)
    const value = valueAt(column, row)
    if (kind == KIND_BYTES) {
      const bytes = <usize>load<u32>(value, 4)
      if (at + 2 * bytes + 2 > end) return 0
      at = writeTerminated(load<u32>(value), bytes, at)
      continue
    }
    if (at + 8 > end) return 0
    store<u64>(at, bswap<u64>(kind == KIND_I64 ? load<u64>(value) ^ 0x8000000000000000 : orderedDouble(load<f64>(value))))
    at += 8
  }
  return at
}

function orderedDouble(value: f64): u64 {
  const bits = isNaN<f64>(value) ? 0x7ff8000000000000 : reinterpret<u64>(value + 0.0)
  return (bits >> 63) != 0 ? ~bits : bits | 0x8000000000000000
}

/** Bytes with each 0 as 0, 255, and 0, 1 at their end. */
function writeTerminated(from: usize, byteLength: usize, into: usize): usize {
  let at = into
  for (let i: usize = 0; i < byteLength; i++) {
    const byte = load<u8>(from + i)
    store<u8>(at++, byte)
    if (byte == 0) store<u8>(at++, 0xff)
  }
  store<u8>(at, 0)
  store<u8>(at, 1, 1)
  return at + 2
}
