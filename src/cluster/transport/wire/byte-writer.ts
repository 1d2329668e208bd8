/** Small binary texts as they are written: integers in as few bytes as they need (LEB128), doubles, texts with their length. */
export interface ByteWriter {
  u8(value: number): void
  u32(value: number): void
  f64(value: number): void
  i64(value: bigint): void
  /** A whole number from 0 to 2^53-1. */
  count(value: number): void
  flag(value: boolean): void
  text(value: string): void
  bytes(value: Uint8Array): void
  /** With its length before it. */
  sized(value: Uint8Array): void
  /** Of what was written so far. */
  readonly byteLength: number
  /** What was written so far. */
  done(): Uint8Array
}

export function createByteWriter(capacity = 256): ByteWriter {
  let buffer = Buffer.allocUnsafe(capacity)
  let at = 0
  function reserve(byteLength: number): number {
    const start = at
    at += byteLength
    if (at > buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(at, buffer.length * 2))
      buffer.copy(larger, 0, 0, start)
      buffer = larger
    }
    return start
  }
  function count(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      const start = reserve(1)
      buffer[start] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    const start = reserve(1)
    buffer[start] = rest
  }
  function bytes(value: Uint8Array): void {
    const start = reserve(value.byteLength)
    buffer.set(value, start)
  }
  return {
    get byteLength() { return at },
    u8(value) {
      const start = reserve(1)
      buffer[start] = value
    },
    u32(value) {
      const start = reserve(4)
      buffer.writeUInt32LE(value, start)
    },
    f64(value) {
      const start = reserve(8)
      buffer.writeDoubleLE(value, start)
    },
    i64(value) {
      const start = reserve(8)
      buffer.writeBigInt64LE(value, start)
    },
    count,
    flag: (value) => count(value ? 1 : 0),
    bytes,
    sized(value) {
      count(value.byteLength)
      bytes(value)
    },
    text(value) {
      const utf8 = Buffer.from(value, 'utf8')
      count(utf8.length)
      bytes(utf8)
    },
    done: () => buffer.subarray(0, at),
  }
}
