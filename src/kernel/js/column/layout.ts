/** Twin of assembly/column/layout.ts and packing.ts: the numbers of the chunk layout and its accessors over typed arrays. A file format: never change. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'

export const columnKinds = { i64: 1, f64: 2, bytes: 3 } as const
export const encodings = {
  constant: 1, plain: 2, frame: 3, linear: 4, delta: 5, decimal: 6, steppedDelta: 7,
  textConstant: 16, textPlain: 17, textDictionary: 18, textRuns: 19, textLz: 20, textFront: 21,
} as const
/** Whether rows are reached by adding up differences. */
export const isDelta = (encoding: number): boolean => encoding === encodings.delta || encoding === encodings.steppedDelta
export const headerBytes = 48
export const entryBytes = 32
export const subBlockBytes = 12
export const sumBytes = 4
export const blockRows = 1024
export const frontRows = 64
export const guideFlag = 2
export const guideRows = 16
export const countMax = 65_535
export const exponentMax = 18

export const blockCount = (count: number): number => (count + 1023) >> 10
export const nullBitmapBytes = (count: number): number => ((count + 63) >> 6) << 3
export const padded8 = (bytes: number): number => (bytes + 7) & -8
export const checkpointBytes = (rows: number): number => ((rows + 127) >> 7) << 3
export const exceptionBytes = (exceptions: number): number => padded8(exceptions * 2) + exceptions * 8

export function packedBytes(count: number, width: number): number {
  const rows = (count + 3) >> 2
  if (width > 32) return (rows << 4) + packedBytes(count, width - 32)
  return ((rows * width + 31) >>> 5) << 4
}

export const bitWidth32 = (value: number): number => 32 - Math.clz32(value)
export const bitWidth64 = (low: number, high: number): number => (high !== 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(low))

export type ChunkLayout = ReturnType<typeof createChunkLayout>

/** Accessors of chunk headers, block entries and packed codes; chunk addresses are multiples of 8. */
export function createChunkLayout({ u8, u16, u32, i32 }: LinearMemory) {
  const header = (chunk: Pointer, offset: number): number => u32[(chunk + offset) >>> 2]!
  const nulls = (chunk: Pointer): Pointer => {
    const offset = header(chunk, 12)
    return offset === 0 ? 0 : chunk + offset
  }

  /** Code `index` of a stream of at most 32 bits, as an i32 (so that it never leaves integer registers). */
  const packedBits = (packed: Pointer, width: number, index: number): number => {
    if (width === 0) return 0
    const bit = (index >> 2) * width, shift = bit & 31
    const word = (packed >>> 2) + ((bit >> 5) << 2) + (index & 3)
    let code = u32[word]! >>> shift
    if (shift + width > 32) code |= u32[word + 4]! << (32 - shift)
    return code & (0xffffffff >>> (32 - width))
  }

  /** The same as a u32. */
  const packedGet = (packed: Pointer, width: number, index: number): number => packedBits(packed, width, index) >>> 0

  /** Packs `count` u32 codes of `width` bits; returns the bytes. */
  const pack = (codes: Pointer, count: number, width: number, out: Pointer): number => {
    const bytes = packedBytes(count, width)
    u32.fill(0, out >>> 2, (out + bytes) >>> 2)
    if (width === 0) return 0
    for (let i = 0; i < count; i++) {
      const code = u32[(codes >>> 2) + i]!
      const bit = (i >> 2) * width, shift = bit & 31
      const word = (out >>> 2) + ((bit >> 5) << 2) + (i & 3)
      u32[word] = u32[word]! | (code << shift)
      if (shift + width > 32) u32[word + 4] = code >>> (32 - shift)
    }
    return bytes
  }

  return {
    packedBits,
    packedGet,
    pack,
    encoding: (chunk: Pointer): number => u8[chunk]!,
    kind: (chunk: Pointer): number => u8[chunk + 1]!,
    flags: (chunk: Pointer): number => u8[chunk + 2]!,
    codeWidth: (chunk: Pointer): number => u8[chunk + 3]!,
    exponent: (chunk: Pointer): number => (u8[chunk + 3]! << 24) >> 24,
    count: (chunk: Pointer): number => header(chunk, 4),
    byteLength: (chunk: Pointer): number => header(chunk, 8),
    nulls,
    data: (chunk: Pointer): Pointer => chunk + header(chunk, 20),
    text: (chunk: Pointer): Pointer => chunk + header(chunk, 24),
    textBytes: (chunk: Pointer): number => header(chunk, 28),
    entryCount: (chunk: Pointer): number => header(chunk, 32),
    entries: (chunk: Pointer): Pointer => chunk + header(chunk, 36),
    runCount: (chunk: Pointer): number => header(chunk, 40),
    runEnds: (chunk: Pointer): Pointer => chunk + header(chunk, 44),
    /** Offset of the sums of an lz chunk; 0 when it has none. */
    sums: (chunk: Pointer): number => header(chunk, 44),
    header,
    rowsOf: (chunk: Pointer, block: number): number => Math.min(header(chunk, 4) - (block << 10), blockRows),
    entry: (chunk: Pointer, block: number): Pointer => chunk + header(chunk, 16) + block * entryBytes,
    /** Halves of the entry's 64-bit numbers, as i32. */
    baseLow: (entry: Pointer): number => i32[entry >>> 2]!,
    baseHigh: (entry: Pointer): number => i32[(entry >>> 2) + 1]!,
    /** As a double, which it is not exactly beyond 2^53. */
    base: (entry: Pointer): number => i32[(entry >>> 2) + 1]! * 2 ** 32 + u32[entry >>> 2]!,
    slopeLow: (entry: Pointer): number => i32[(entry >>> 2) + 2]!,
    slopeHigh: (entry: Pointer): number => i32[(entry >>> 2) + 3]!,
    packed: (chunk: Pointer, entry: Pointer): Pointer => chunk + u32[(entry >>> 2) + 4]!,
    aux: (chunk: Pointer, entry: Pointer): Pointer => chunk + u32[(entry >>> 2) + 5]!,
    textStartOf: (entry: Pointer): number => u32[(entry >>> 2) + 5]!,
    fraction: (entry: Pointer): number => u16[(entry >>> 1) + 12]!,
    exceptionCount: (entry: Pointer): number => u16[(entry >>> 1) + 13]!,
    width: (entry: Pointer): number => u8[entry + 28]!,
    isNull: (bitmap: Pointer, row: number): boolean => bitmap !== 0 && ((u8[bitmap + (row >> 3)]! >> (row & 7)) & 1) !== 0,
  }
}
