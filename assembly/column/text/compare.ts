/* Byte strings: order (unsigned bytes, shorter first), equality and a hash for encoders (never stored). No load leaves the string. */

import { Bytes } from '../../compare/equal'

export { textCompare as compareBytes } from '../../compare/text'

export function equalBytes(a: usize, b: usize, byteLength: u32): bool { return Bytes.equal(a, b, byteLength) }

/** First 8 bytes as a big-endian number, zeros behind a shorter string. */
export function prefix64(text: usize, byteLength: u32): u64 {
  if (byteLength >= 8) return bswap<u64>(load<u64>(text))
  let prefix: u64 = 0
  for (let i: u32 = 0; i < byteLength; i++) prefix |= <u64>load<u8>(text + i) << (56 - (i << 3))
  return prefix
}

function mix(hash: u64, word: u64): u64 {
  const product = (hash ^ word) * 0x9e3779b97f4a7c15
  return product ^ (product >>> 32)
}

/** The last multiplication carries what differs in a word's upper bytes into the upper half, which is the hash. */
function finish(hash: u64): u32 { return <u32>((hash * 0xd6e8feb86659fd93) >>> 32) }

export function hashBytes(text: usize, byteLength: u32): u32 {
  let hash = mix(0x2545f4914f6cdd1d, <u64>byteLength)
  if (byteLength < 8) return finish(mix(hash, prefix64(text, byteLength)))
  const last = byteLength - 8
  for (let i: u32 = 0; i < last; i += 8) hash = mix(hash, load<u64>(text + i))
  return finish(mix(hash, load<u64>(text + last)))
}
