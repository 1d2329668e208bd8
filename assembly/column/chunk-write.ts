/* Writing a chunk's frame: header, null bitmap, zeroed padding; and the block entries that numbers and text ends share. */
import { BLOCK_ROWS, CHECKPOINT_ROWS, HEADER_BYTES, isNull, nullBitmapBytes } from './layout'
import { anyNull, copyNulls } from './nulls'
import { bitWidth64, pack32, packedBytes } from './packing'

/** Scratch for the codes of one block: low halves, then high halves. */
export const CODES_BYTES: i32 = 8192

/** Writes header and null bitmap; returns the offset where the first section goes. */
export function beginChunk(out: usize, kind: i32, count: i32, nulls: usize): i32 {
  memory.fill(out, 0, HEADER_BYTES)
  store<u8>(out, <u8>kind, 1)
  store<u32>(out, count, 4)
  if (!anyNull(nulls, count)) return HEADER_BYTES
  store<u8>(out, 1, 2)
  store<u32>(out, HEADER_BYTES, 12)
  copyNulls(nulls, count, out + HEADER_BYTES)
  return HEADER_BYTES + nullBitmapBytes(count)
}

/** Pads to a multiple of 8 and writes encoding and length; returns the length. */
export function finishChunk(out: usize, encoding: i32, end: i32): i32 {
  const byteLength = padTo8(out, end)
  store<u8>(out, <u8>encoding)
  store<u32>(out, byteLength, 8)
  return byteLength
}

export function padTo8(out: usize, end: i32): i32 {
  const padded = (end + 7) & -8
  memory.fill(out + <usize>end, 0, <usize>(padded - end))
  return padded
}

/** `values` with every null's slot replaced by a neighbour's (in `scratch`), so that nulls cost nothing; or `values` itself. */
export function fillNullSlots(values: usize, nulls: usize, count: i32, scratch: usize): usize {
  if (!anyNull(nulls, count)) return values
  let last: u64 = 0
  for (let row = 0; row < count; row++) {
    if (isNull(nulls, row)) continue
    last = load<u64>(values + (<usize>row << 3))
    break
  }
  for (let row = 0; row < count; row++) {
    if (!isNull(nulls, row)) last = load<u64>(values + (<usize>row << 3))
    store<u64>(scratch + (<usize>row << 3), last)
  }
  return scratch
}

export function allEqual64(values: usize, count: i32): bool {
  if (count == 0) return true
  const first = load<u64>(values)
  for (let i = 1; i < count; i++) if (load<u64>(values + (<usize>i << 3)) != first) return false
  return true
}

function setEntry(entry: usize, base: i64, slope: i64, fraction: i32, range: u64): i32 {
  memory.fill(entry, 0, 32)
  const width = bitWidth64(range)
  store<i64>(entry, base)
  store<i64>(entry, slope, 8)
  store<u16>(entry, <u16>fraction, 24)
  store<u8>(entry, <u8>width, 28)
  return width
}

/** Plans a frame block of `rows` values into `entry`; returns its payload's bytes. */
export function planFrame(values: usize, rows: i32, entry: usize): i32 {
  let low = load<i64>(values)
  let high = low
  for (let i = 1; i < rows; i++) {
    const value = load<i64>(values + (<usize>i << 3))
    low = value < low ? value : low
    high = value > high ? value : high
  }
  return packedBytes(rows, setEntry(entry, low, 0, 0, <u64>(high - low)))
}

/** The same along the line from the first value to the last. */
export function planLinear(values: usize, rows: i32, entry: usize): i32 {
  const first = load<i64>(values)
  const last = load<i64>(values + (<usize>(rows - 1) << 3))
  const rise = last - first
  let slope: i64 = 0
  let fraction = 0
  // A rise that overflows has no line worth drawing.
  if (rows > 1 && ((last ^ first) & (last ^ rise)) >= 0) {
    const steps = <i64>(rows - 1)
    slope = rise / steps
    let rest = rise - slope * steps
    if (rest < 0) {
      slope -= 1
      rest += steps
    }
    fraction = <i32>((rest << 16) / steps)
  }
  let low = first
  let high = first
  let line: i64 = 0
  let part = 0
  for (let i = 0; i < rows; i++) {
    const rest = load<i64>(values + (<usize>i << 3)) - line - <i64>(part >>> 16)
    low = rest < low ? rest : low
    high = rest > high ? rest : high
    line += slope
    part += fraction
  }
  return packedBytes(rows, setEntry(entry, low, slope, fraction, <u64>(high - low)))
}

/** The same for differences, with a checkpoint each 128 rows; the entry's slope is their step, 1 where they have none. */
export function planDelta(values: usize, rows: i32, entry: usize): i32 {
  let low = i64.MAX_VALUE
  let high = i64.MIN_VALUE
  let before = load<i64>(values)
  for (let i = 1; i < rows; i++) {
    const value = load<i64>(values + (<usize>i << 3))
    const step = value - before
    before = value
    if ((i & (CHECKPOINT_ROWS - 1)) == 0) continue
    low = step < low ? step : low
    high = step > high ? step : high
  }
  if (low > high) low = high = 0
  const range = <u64>(high - low)
  const step = range == 0 || range > <u64>u32.MAX_VALUE ? 1 : commonStep(values, rows, low)
  return checkpointBytes(rows) + packedBytes(rows, setEntry(entry, low, <i64>step, 0, range / step))
}

/** The greatest common divisor of differences less `low`, which are 32-bit numbers, by Euclid's algorithm. */
function commonStep(values: usize, rows: i32, low: i64): u64 {
  let step: u32 = 0
  for (let i = 1; i < rows && step != 1; i++) {
    if ((i & (CHECKPOINT_ROWS - 1)) == 0) continue
    let rest = <u32>(load<i64>(values + (<usize>i << 3)) - load<i64>(values + (<usize>(i - 1) << 3)) - low)
    if (step != 0) rest %= step
    while (rest != 0) {
      const next = step % rest
      step = rest
      rest = next
    }
  }
  return step
}

function checkpointBytes(rows: i32): i32 { return ((rows + 127) >> 7) << 3 }

/** Writes the packed codes of a frame or linear block at `offset`; returns the offset after them. */
export function writeLineCodes(values: usize, rows: i32, entry: usize, out: usize, offset: i32, codes: usize): i32 {
  const slope = load<i64>(entry, 8)
  const fraction = <i32>load<u16>(entry, 24)
  let line = load<i64>(entry)
  let part = 0
  for (let i = 0; i < rows; i++) {
    const code = load<i64>(values + (<usize>i << 3)) - line - <i64>(part >>> 16)
    store<u32>(codes + (<usize>i << 2), <u32>code)
    store<u32>(codes + (<usize>i << 2), <u32>(code >>> 32), BLOCK_ROWS * 4)
    line += slope
    part += fraction
  }
  return writeCodes(rows, entry, out, offset, codes)
}

/** Writes checkpoints and codes of a delta block. */
export function writeDeltaCodes(values: usize, rows: i32, entry: usize, out: usize, offset: i32, codes: usize): i32 {
  const base = load<i64>(entry)
  const step = <u32>load<u64>(entry, 8)
  const checkpoints = out + <usize>offset
  store<u32>(entry, offset, 20)
  let before: i64 = 0
  for (let i = 0; i < rows; i++) {
    const value = load<i64>(values + (<usize>i << 3))
    let code = value - before - base
    before = value
    if ((i & (CHECKPOINT_ROWS - 1)) == 0) {
      store<i64>(checkpoints + (<usize>(i >> 7) << 3), value)
      code = 0
    } else if (step != 1) code = <i64>(<u32>code / step)
    store<u32>(codes + (<usize>i << 2), <u32>code)
    store<u32>(codes + (<usize>i << 2), <u32>(code >>> 32), BLOCK_ROWS * 4)
  }
  return writeCodes(rows, entry, out, offset + checkpointBytes(rows), codes)
}

/** Packs the block's codes as its entry says; returns the offset after them. */
export function writeCodes(rows: i32, entry: usize, out: usize, offset: i32, codes: usize): i32 {
  const width = <i32>load<u8>(entry, 28)
  store<u32>(entry, offset, 16)
  let end = offset + pack32(codes, rows, min(width, 32), out + <usize>offset)
  if (width > 32) end += pack32(codes + BLOCK_ROWS * 4, rows, width - 32, out + <usize>end)
  return end
}
