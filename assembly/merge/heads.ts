/* Heads of keys that a merge goes by: 8 bytes behind those that all keys begin with. */

/** How many of the first `most` bytes of a key another key begins with. */
export function sharedWith(key: usize, most: u32, element: usize): u32 {
  const other = <usize>load<u32>(element)
  const end = min(most, load<u32>(element, 4))
  let at: u32 = 0
  for (; at + 8 <= end; at += 8) {
    const difference = load<u64>(key + at) ^ load<u64>(other + at)
    if (difference != 0) return at + (<u32>ctz(difference) >> 3)
  }
  while (at < end && load<u8>(key + at) == load<u8>(other + at)) at++
  return at
}

/** First 8 bytes of a key, big-endian, zero-padded. Reads before the key, never after it. */
function prefixOf(key: usize, keyBytes: u32): u64 {
  if (keyBytes >= 8) return bswap<u64>(load<u64>(key))
  if (keyBytes == 0) return 0
  return bswap<u64>(load<u64>(key + keyBytes - 8)) << (<u64>(8 - keyBytes) << 3)
}

/** The head of a key (a ref) behind its first `from` bytes, which it has. */
export function headBehind(element: usize, from: u32): u64 {
  return prefixOf(<usize>load<u32>(element) + <usize>from, load<u32>(element, 4) - from)
}
