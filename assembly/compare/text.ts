/** Texts compared as unsigned bytes, a prefix before what it starts. */

/** The first 8 bytes, zero-padded, as an unsigned number that orders as the text does; reads no byte beyond it. */
export function textPrefix(address: usize, byteLength: u32): u64 {
  if (byteLength >= 8) return bswap<u64>(load<u64>(address))
  let prefix: u64 = 0
  let at: u32 = 0
  if (byteLength & 4) {
    prefix = <u64>bswap<u32>(load<u32>(address)) << 32
    at = 4
  }
  if (byteLength & 2) {
    prefix |= <u64>bswap<u16>(load<u16>(address + at)) << (48 - (at << 3))
    at += 2
  }
  if (byteLength & 1) prefix |= <u64>load<u8>(address + at) << (56 - (at << 3))
  return prefix
}

/** -1, 0 or 1. */
export function textCompare(a: usize, aBytes: u32, b: usize, bBytes: u32): i32 {
  const common = min(aBytes, bBytes)
  let at: u32 = 0
  for (; at + 8 <= common; at += 8) {
    const left = load<u64>(a + at), right = load<u64>(b + at)
    if (left != right) return bswap<u64>(left) < bswap<u64>(right) ? -1 : 1
  }
  if (at < common) {
    const left = textPrefix(a + at, common - at), right = textPrefix(b + at, common - at)
    if (left != right) return left < right ? -1 : 1
  }
  return <i32>(aBytes > bBytes) - <i32>(aBytes < bBytes)
}
