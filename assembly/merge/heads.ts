/* Heads of keys that a merge goes by: 8 bytes behind those that all keys begin with. */
import { commonPrefixBytes } from '../compare/common-prefix'

/** How many of the first `most` bytes of a key another key begins with. */
export function sharedWith(key: usize, most: u32, element: usize): u32 {
  return commonPrefixBytes(key, load<u32>(element), min(most, load<u32>(element, 4)))
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
