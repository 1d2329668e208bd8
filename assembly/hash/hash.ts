/** The 2 x 32-bit key hash shared by filters, routing and hash tables; what it promises is told in assembly/bloom.ts. */

const laneMul1: u32 = 0xcc9e2d51
const laneMul2: u32 = 0x1b873593
const seed1: u32 = 0x9e3779b9
const seed2: u32 = 0x85ebca6b

export class KeyHash {
  /** First hash in the low half, second in the high half. Part of whatever hashes a key, since a call takes as long as hashing a short one. */
  @inline
  static ofBytes(key: usize, keyBytes: u32): u64 {
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
}

export function hashBytes64(key: usize, keyBytes: u32): u64 { return KeyHash.ofBytes(key, keyBytes) }

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

/** hashWords64 of four keys at once, given as four first and four second words; the pairs go to 32 bytes at `out`. */
export function hashFour(words0: v128, words1: v128, out: usize): void {
  const b0 = i32x4.splat(seed2 + 8)
  const mul1 = i32x4.splat(laneMul1), mul2 = i32x4.splat(laneMul2)
  const keys0 = i32x4.mul(rotlFour(i32x4.mul(words0, mul1), 15), mul2)
  let a = v128.xor(i32x4.splat(seed1 ^ 8), keys0)
  a = timesFive(i32x4.add(rotlFour(a, 13), b0), 0xe6546b64)
  const keys1 = i32x4.mul(rotlFour(i32x4.mul(words1, mul2), 17), mul1)
  let b = timesFive(i32x4.add(rotlFour(v128.xor(b0, keys1), 17), a), 0x561ccd1b)
  a = i32x4.add(a, b)
  b = mixFour(i32x4.add(b, a))
  a = i32x4.add(mixFour(a), b)
  b = i32x4.add(b, a)
  v128.store(out, v128.shuffle<i32>(a, b, 0, 4, 1, 5))
  v128.store(out, v128.shuffle<i32>(a, b, 2, 6, 3, 7), 16)
}

function rotlFour(lanes: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(lanes, bits), i32x4.shr_u(lanes, 32 - bits))
}

function timesFive(lanes: v128, plus: u32): v128 {
  return i32x4.add(i32x4.add(lanes, i32x4.shl(lanes, 2)), i32x4.splat(plus))
}

function mixFour(lanes: v128): v128 {
  lanes = i32x4.mul(v128.xor(lanes, i32x4.shr_u(lanes, 16)), i32x4.splat(0x85ebca6b))
  lanes = i32x4.mul(v128.xor(lanes, i32x4.shr_u(lanes, 13)), i32x4.splat(0xc2b2ae35))
  return v128.xor(lanes, i32x4.shr_u(lanes, 16))
}
