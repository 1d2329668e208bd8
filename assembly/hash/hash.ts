/** The 2 x 32-bit key hash shared by filters, routing and hash tables; what it promises is told in assembly/bloom.ts. */

const laneMul1: u32 = 0xcc9e2d51
const laneMul2: u32 = 0x1b873593
const seed1: u32 = 0x9e3779b9
const seed2: u32 = 0x85ebca6b

/** First hash in the low half, second in the high half. */
export function hashBytes64(key: usize, keyBytes: u32): u64 {
  let a = seed1 ^ keyBytes, b = seed2 + keyBytes
  let at = key
  for (let left = keyBytes; left >= 8; left -= 8) {
    a = stepFirst(a, b, load<u32>(at))
    b = stepSecond(a, b, load<u32>(at, 4))
    at += 8
  }
  const rest = keyBytes & 7
  if (rest != 0) {
    let word: u64 = 0
    if (rest & 4) word = load<u32>(at)
    if (rest & 2) word |= <u64>load<u16>(at + (rest & 4)) << ((rest & 4) << 3)
    if (rest & 1) word |= <u64>load<u8>(at + (rest & 6)) << ((rest & 6) << 3)
    a = stepFirst(a, b, <u32>word)
    b = stepSecond(a, b, <u32>(word >> 32))
  }
  return finish(a, b)
}

/** hashBytes64 of the 8 bytes that the two little-endian words are. */
export function hashWords64(word0: u32, word1: u32): u64 {
  const a = stepFirst(seed1 ^ 8, seed2 + 8, word0)
  return finish(a, stepSecond(a, seed2 + 8, word1))
}

function stepFirst(a: u32, b: u32, word: u32): u32 {
  return (rotl(a ^ (rotl(word * laneMul1, 15) * laneMul2), 13) + b) * 5 + 0xe6546b64
}

function stepSecond(a: u32, b: u32, word: u32): u32 {
  return (rotl(b ^ (rotl(word * laneMul2, 17) * laneMul1), 17) + a) * 5 + 0x561ccd1b
}

function finish(a: u32, b: u32): u64 {
  a += b
  b += a
  a = mix(a)
  b = mix(b)
  a += b
  b += a
  return <u64>a | (<u64>b << 32)
}

/** The finalizer of MurmurHash3: a bijection that lets every bit reach every other. */
export function mix(h: u32): u32 {
  h = (h ^ (h >> 16)) * 0x85ebca6b
  h = (h ^ (h >> 13)) * 0xc2b2ae35
  return h ^ (h >> 16)
}
