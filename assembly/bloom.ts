/**
 * Split-block bloom filters (Putze, Sanders, Singler 2007). A key touches one block of 32 bytes, eight words, one
 * bit in each: the first hash picks the block, the second, times eight odd numbers (those of Apache Parquet), the bits.
 *
 * The hash is a file format and never changes. It runs two 32-bit lanes over 8 bytes a step with the mixing steps of
 * MurmurHash3 (Austin Appleby): 32-bit multiplications only, so that JavaScript gives the same bits without BigInt.
 * For a fixed length every step is a bijection, hence two different 8-byte keys never share both hashes.
 */
import { highMask, lowMask } from './hash/block-filter'
import { hashFour, hashWords64, KeyHash } from './hash/hash'

export function bloomHash(key: usize, keyBytes: u32, out: usize): void {
  store<u64>(out, KeyHash.ofBytes(key, keyBytes))
}

export function bloomHashRefs(refs: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    store<u64>(out, KeyHash.ofBytes(load<u32>(refs), load<u32>(refs, 4)))
    refs += 8
    out += 8
  }
}

export function bloomHashI64(values: usize, count: u32, out: usize): void {
  const whole = count & ~3
  if (whole != 0) hashFours(values, values + (<usize>whole << 3), out)
  for (let i = whole; i < count; i++) {
    const key = bswap<u64>(load<u64>(values + (<usize>i << 3)) ^ 0x8000000000000000)
    store<u64>(out + (<usize>i << 3), hashWords64(<u32>key, <u32>(key >> 32)))
  }
}

/** At least four keys. Tested at the end, so that V8 takes the constants out of the loop: it does so only for what every turn needs. */
function hashFours(values: usize, end: usize, out: usize): void {
  do {
    // The upper halves of four keys and the lower ones, the bytes of each turned round.
    const low = v128.load(values), high = v128.load(values, 16)
    const words0 = reversed(v128.shuffle<i32>(low, high, 1, 3, 5, 7))
    const words1 = reversed(v128.shuffle<i32>(low, high, 0, 2, 4, 6))
    hashFour(v128.xor(words0, i32x4.splat(0x80)), words1, out)
    values += 32
    out += 32
  } while (values != end)
}

/** The bytes of each lane in the other order. */
function reversed(lanes: v128): v128 {
  return i8x16.swizzle(lanes, i8x16(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12))
}

export function bloomBuild(hashes: usize, count: u32, filter: usize, filterBytes: u32): void {
  const blockCount = filterBytes >> 5
  if (blockCount == 0 || count == 0) return
  const end = hashes + (<usize>count << 3)
  do {
    const second = i32x4.splat(load<u32>(hashes, 4))
    const block = filter + (<usize>((<u64>load<u32>(hashes) * blockCount) >> 32) << 5)
    v128.store(block, v128.or(v128.load(block), lowMask(second)))
    v128.store(block, v128.or(v128.load(block, 16), highMask(second)), 16)
    hashes += 8
  } while (hashes != end)
}

/** A filter without blocks, which any key may be in, is asked without a branch, since V8 would make the masks anew behind one: at address 0. */
export function bloomProbe(hash: usize, filters: usize, count: u32, out: usize): u32 {
  if (count == 0) return 0
  const first = <u64>load<u32>(hash)
  const second = i32x4.splat(load<u32>(hash, 4))
  const low = lowMask(second), high = highMask(second)
  let hits: u32 = 0
  const end = out + count
  do {
    const blockCount = load<u32>(filters, 4) >> 5
    const block = select<usize>(<usize>load<u32>(filters) + (<usize>((first * blockCount) >> 32) << 5), 0, blockCount != 0)
    const missing = v128.or(v128.andnot(low, v128.load(block)), v128.andnot(high, v128.load(block, 16)))
    const may = <u32>!v128.any_true(missing) | <u32>(blockCount == 0)
    store<u8>(out, <u8>may)
    hits += may
    filters += 8
    out++
  } while (out != end)
  return hits
}
