/** Bytes that codecs write to: linear memory or a growing buffer, seen as a Buffer and as a DataView of the same bytes. */
export interface ByteTarget {
  readonly buffer: Buffer
  readonly view: DataView
}

/** Writes a 64-bit integer, little-endian, without a BigInt where the value is a number. */
export function writeI64(view: DataView, at: number, value: number | bigint): void {
  if (typeof value === 'bigint') {
    view.setBigInt64(at, value, true)
    return
  }
  view.setUint32(at, value, true)
  view.setInt32(at + 4, Math.floor(value / 0x1_0000_0000), true)
}

/** The same big-endian with the sign bit flipped, so that bytes compare as the integers do. */
export function writeOrderedI64(view: DataView, at: number, value: number | bigint): void {
  if (typeof value === 'bigint') {
    view.setBigUint64(at, BigInt.asUintN(64, value) ^ 0x8000_0000_0000_0000n)
    return
  }
  view.setUint32(at, (Math.floor(value / 0x1_0000_0000) ^ 0x8000_0000) >>> 0)
  view.setUint32(at + 4, value)
}

/** A double so that bytes compare as the numbers do: NaN above all, -0 as 0. */
export function writeOrderedF64(view: DataView, at: number, value: number): void {
  view.setFloat64(at, Number.isNaN(value) ? Number.NaN : value + 0)
  const high = view.getUint32(at)
  if (high < 0x8000_0000) {
    view.setUint32(at, (high | 0x8000_0000) >>> 0)
    return
  }
  view.setUint32(at, ~high >>> 0)
  view.setUint32(at + 4, ~view.getUint32(at + 4) >>> 0)
}
