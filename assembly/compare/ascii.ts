/** Texts all of whose characters are one byte, below 128. */

const highBits: u64 = 0x8080808080808080

/** No load leaves the text. */
export function textIsAscii(text: usize, byteLength: u32): bool {
  if (byteLength < 8) {
    let bits: u32 = 0
    for (let i: u32 = 0; i < byteLength; i++) bits |= <u32>load<u8>(text + i)
    return bits < 0x80
  }
  const end = text + <usize>byteLength
  if (byteLength < 16) return ((load<u64>(text) | load<u64>(end - 8)) & highBits) == 0
  let bits = v128.load(end - 16)
  for (let at = text; at + 16 < end; at += 16) bits = v128.or(bits, v128.load(at))
  return i8x16.bitmask(bits) == 0
}
