/** Texts of a vector side by side, so that they become strings in one go. */

const highBits: u64 = 0x8080808080808080

/** Copies a text; returns whether it is ASCII. No load leaves the text, no store leaves its copy. */
function copyAscii(from: usize, byteLength: u32, to: usize): bool {
  if (byteLength < 8) {
    let bits: u32 = 0
    for (let i: u32 = 0; i < byteLength; i++) {
      const byte = <u32>load<u8>(from + i)
      bits |= byte
      store<u8>(to + i, <u8>byte)
    }
    return bits < 0x80
  }
  if (byteLength < 16) {
    const last = <usize>byteLength - 8
    const head = load<u64>(from), tail = load<u64>(from + last)
    store<u64>(to, head)
    store<u64>(to + last, tail)
    return ((head | tail) & highBits) == 0
  }
  const last = <usize>byteLength - 16
  const tail = v128.load(from + last)
  let bits = tail
  for (let i: usize = 0; i < last; i += 16) {
    const bytes = v128.load(from + i)
    bits = v128.or(bits, bytes)
    v128.store(to + i, bytes)
  }
  v128.store(to + last, tail)
  return i8x16.bitmask(bits) == 0
}

export function vectorJoinAscii(refs: usize, count: u32, out: usize, outBytes: u32, ends: usize): u32 {
  let end: u32 = 0
  for (let row: u32 = 0; row < count; row++, refs += 8, ends += 4) {
    const byteLength = load<u32>(refs, 4)
    if (byteLength > outBytes - end || !copyAscii(load<u32>(refs), byteLength, out + end)) return row
    end += byteLength
    store<u32>(ends, end)
  }
  return count
}
