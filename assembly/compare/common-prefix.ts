/** How many leading bytes two keys of at least `limit` bytes share, of these. */
export function commonPrefixBytes(left: usize, right: usize, limit: u32): u32 {
  let at: u32 = 0
  for (; at + 8 <= limit; at += 8) {
    const difference = load<u64>(left + at) ^ load<u64>(right + at)
    if (difference != 0) return at + <u32>(ctz(difference) >> 3)
  }
  if (at + 4 <= limit) {
    const difference = load<u32>(left + at) ^ load<u32>(right + at)
    if (difference != 0) return at + (ctz(difference) >> 3)
    at += 4
  }
  while (at < limit && load<u8>(left + at) == load<u8>(right + at)) at++
  return at
}
