/** The bits of a key in a block of a filter, and one filter asked; what they are is told in assembly/bloom.ts. */

/** Whether a key may be in a filter, by its hash; in one without blocks any key may be. */
export function filterMayHave(filter: usize, filterBytes: u32, hash: usize): bool {
  const blockCount = filterBytes >> 5
  if (blockCount == 0) return true
  const second = i32x4.splat(load<u32>(hash, 4))
  const block = filter + (<usize>((<u64>load<u32>(hash) * blockCount) >> 32) << 5)
  return !v128.any_true(v128.or(v128.andnot(lowMask(second), v128.load(block)), v128.andnot(highMask(second), v128.load(block, 16))))
}

export function lowMask(second: v128): v128 {
  return oneBit(i32x4.mul(second, i32x4(0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d)))
}

export function highMask(second: v128): v128 {
  return oneBit(i32x4.mul(second, i32x4(0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31)))
}

/** In each 32-bit lane 1 << (lane >>> 27). SIMD has no shift by lane: the bit within its byte comes from a table, the byte by comparison. */
function oneBit(product: v128): v128 {
  const shift = i8x16.swizzle(i32x4.shr_u(product, 27), i8x16(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12))
  const bit = i8x16.swizzle(
    i8x16(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0),
    v128.and(shift, i8x16.splat(7)),
  )
  const inByte = i8x16.eq(v128.and(shift, i8x16.splat(24)), i32x4.splat(0x18100800))
  return v128.and(bit, inByte)
}
