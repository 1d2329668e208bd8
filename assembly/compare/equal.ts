/* Equality of byte strings. */

export class Bytes {
  /** Whether two strings of one length are equal; part of whatever compares, since most strings are a load or two. */
  @inline
  static equal(a: usize, b: usize, byteLength: u32): bool {
    if (byteLength < 8) return Bytes.fewEqual(a, b, byteLength)
    const last = byteLength - 8
    for (let i: u32 = 0; i < last; i += 8) if (load<u64>(a + i) != load<u64>(b + i)) return false
    return load<u64>(a + last) == load<u64>(b + last)
  }

  static fewEqual(a: usize, b: usize, byteLength: u32): bool {
    if (byteLength >= 4) return load<u32>(a) == load<u32>(b) && load<u32>(a + byteLength - 4) == load<u32>(b + byteLength - 4)
    for (let i: u32 = 0; i < byteLength; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false
    return true
  }
}
