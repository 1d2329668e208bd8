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
  return textCompareFrom(a, aBytes, b, bBytes, 0)
}

/** The same of two texts that share their first `from` bytes. */
export function textCompareFrom(a: usize, aBytes: u32, b: usize, bBytes: u32, from: u32): i32 {
  const common = min(aBytes, bBytes)
  if (common >= 8) {
    let at = from
    for (; at + 8 <= common; at += 8) {
      const left = load<u64>(a + at), right = load<u64>(b + at)
      if (left != right) return wordOrder(left, right)
    }
    if (at < common) {
      // The last 8 bytes: some of them again, which are equal.
      const left = load<u64>(a + common - 8), right = load<u64>(b + common - 8)
      if (left != right) return wordOrder(left, right)
    }
  } else {
    const left = textPrefix(a, common), right = textPrefix(b, common)
    if (left != right) return left < right ? -1 : 1
  }
  return <i32>(aBytes > bBytes) - <i32>(aBytes < bBytes)
}

/** Of two different words by the first byte that differs: WebAssembly turns no bytes round in one step, and twice would be needed. */
function wordOrder(left: u64, right: u64): i32 {
  const shift = ctz(left ^ right) & 56
  return ((left >> shift) & 0xff) < ((right >> shift) & 0xff) ? -1 : 1
}
