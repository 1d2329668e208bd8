/** Twin of assembly/column/chunk-write.ts: header, padding, and the plans and codes of blocks. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { bitWidth32, bitWidth64, blockRows, checkpointBytes, entryBytes, headerBytes, nullBitmapBytes, packedBytes, padded8 } from './layout.ts'
import type { ChunkLayout } from './layout.ts'
import type { ColumnNulls } from './nulls.ts'

export const codesBytes = 8192

/** Plans a block's entry and returns its payload's bytes. */
export type PlanBlock = (values: Pointer, rows: number, entry: Pointer) => number
/** Writes a block's payload at `offset` and returns the offset after it. */
export type WriteBlock = (values: Pointer, rows: number, entry: Pointer, out: Pointer, offset: number, codes: Pointer) => number
export type ChunkWriter = ReturnType<typeof createChunkWriter>

export function createChunkWriter(memory: LinearMemory, layout: ChunkLayout, nullMaps: ColumnNulls) {
  const { u8, u32 } = memory

  const padTo8 = (out: Pointer, end: number): number => {
    u8.fill(0, out + end, out + padded8(end))
    return padded8(end)
  }

  const begin = (out: Pointer, kind: number, count: number, nulls: Pointer): number => {
    u8.fill(0, out, out + headerBytes)
    u8[out + 1] = kind
    u32[(out >>> 2) + 1] = count
    if (!nullMaps.anyNull(nulls, count)) return headerBytes
    u8[out + 2] = 1
    u32[(out >>> 2) + 3] = headerBytes
    nullMaps.copy(nulls, count, out + headerBytes)
    return headerBytes + nullBitmapBytes(count)
  }

  const finish = (out: Pointer, encoding: number, end: number): number => {
    const byteLength = padTo8(out, end)
    u8[out] = encoding
    u32[(out >>> 2) + 2] = byteLength
    return byteLength
  }

  /** `values` with every null's slot replaced by a neighbour's, in `scratch`; or `values` itself. */
  const fillNullSlots = (values: Pointer, nulls: Pointer, count: number, scratch: Pointer): Pointer => {
    if (!nullMaps.anyNull(nulls, count)) return values
    let first = 0
    while (first < count && layout.isNull(nulls, first)) first++
    let low = first < count ? u32[(values >>> 2) + 2 * first]! : 0, high = first < count ? u32[(values >>> 2) + 2 * first + 1]! : 0
    for (let row = 0; row < count; row++) {
      if (!layout.isNull(nulls, row)) {
        low = u32[(values >>> 2) + 2 * row]!
        high = u32[(values >>> 2) + 2 * row + 1]!
      }
      u32[(scratch >>> 2) + 2 * row] = low
      u32[(scratch >>> 2) + 2 * row + 1] = high
    }
    return scratch
  }

  const allEqual64 = (values: Pointer, count: number): boolean => {
    const at = values >>> 2
    for (let i = 1; i < count; i++) if (u32[at + 2 * i] !== u32[at] || u32[at + 2 * i + 1] !== u32[at + 1]) return false
    return true
  }

  return { padTo8, begin, finish, fillNullSlots, allEqual64, ...createPlans(memory), ...createCodeWriters(memory, layout) }
}

const sign = -0x8000_0000

/** Whether a signed 64-bit number is below another; all halves are i32. */
const below = (lowA: number, highA: number, lowB: number, highB: number): boolean => highA < highB || (highA === highB && (lowA ^ sign) < (lowB ^ sign))

/** Least and greatest of signed 64-bit values that are seen one by one as halves; the first is seen as `start`. */
function createRange() {
  const range = new Int32Array(4)
  return {
    minLow: (): number => range[0]!,
    minHigh: (): number => range[1]!,
    /** Greatest minus least, its low half. */
    low: (): number => (range[2]! - range[0]!) >>> 0,
    /** Bits of greatest minus least. */
    width: (): number => {
      const borrow = range[2]! >>> 0 < range[0]! >>> 0 ? 1 : 0
      return bitWidth64((range[2]! - range[0]!) >>> 0, (range[3]! - range[1]! - borrow) >>> 0)
    },
    start: (low: number, high: number): void => {
      range[0] = range[2] = low
      range[1] = range[3] = high
    },
    see: (low: number, high: number): void => {
      if (below(low, high, range[0]!, range[1]!)) {
        range[0] = low
        range[1] = high
      } else if (below(range[2]!, range[3]!, low, high)) {
        range[2] = low
        range[3] = high
      }
    },
  }
}

function createPlans({ u8, u16, i32, i64 }: LinearMemory): { planFrame: PlanBlock; planLinear: PlanBlock; planDelta: PlanBlock } {
  const { minLow, minHigh, low: rangeLow, width: rangeWidth, start, see } = createRange()

  /** The entry of the range seen; returns the width. */
  const setEntry = (entry: Pointer, slope: bigint, fraction: number): number => {
    const width = rangeWidth()
    u8.fill(0, entry, entry + entryBytes)
    i32[entry >>> 2] = minLow()
    i32[(entry >>> 2) + 1] = minHigh()
    i64[(entry >>> 3) + 1] = slope
    u16[(entry >>> 1) + 12] = fraction
    u8[entry + 28] = width
    return width
  }

  const planFrame: PlanBlock = (values, rows, entry) => {
    const from = values >>> 2
    start(i32[from]!, i32[from + 1]!)
    for (let i = 1, at = from + 2; i < rows; i++, at += 2) see(i32[at]!, i32[at + 1]!)
    return packedBytes(rows, setEntry(entry, 0n, 0))
  }

  const planLinear: PlanBlock = (values, rows, entry) => {
    const { slope, fraction } = lineThrough(i64[values >>> 3]!, i64[(values >>> 3) + rows - 1]!, rows)
    const slopeLow = Number(BigInt.asIntN(32, slope)), slopeHigh = Number(slope >> 32n), from = values >>> 2
    let low = 0, high = 0, part = 0
    start(i32[from]!, i32[from + 1]!)
    for (let i = 0, at = from; i < rows; i++, at += 2) {
      const value = i32[at]!, along = (value - low) | 0, step = part >>> 16
      see((along - step) | 0, (i32[at + 1]! - high - (value >>> 0 < low >>> 0 ? 1 : 0) - (along >>> 0 < step ? 1 : 0)) | 0)
      low = (low + slopeLow) | 0
      high = (high + slopeHigh + (low >>> 0 < slopeLow >>> 0 ? 1 : 0)) | 0
      part += fraction
    }
    return packedBytes(rows, setEntry(entry, slope, fraction))
  }

  const planDelta: PlanBlock = (values, rows, entry) => {
    start(0, 0)
    for (let i = 1, at = (values >>> 2) + 2; i < rows; i++, at += 2) {
      if ((i & 127) === 0) continue
      const value = i32[at]!, before = i32[at - 2]!
      const low = (value - before) | 0, high = (i32[at + 1]! - i32[at - 1]! - (value >>> 0 < before >>> 0 ? 1 : 0)) | 0
      if (i === 1) start(low, high)
      else see(low, high)
    }
    const width = setEntry(entry, 1n, 0)
    if (width === 0 || width > 32) return checkpointBytes(rows) + packedBytes(rows, width)
    const step = commonStep(values, rows, minLow())
    i64[(entry >>> 3) + 1] = BigInt(step)
    u8[entry + 28] = bitWidth32(Math.floor(rangeLow() / step))
    return checkpointBytes(rows) + packedBytes(rows, u8[entry + 28]!)
  }

  /** The greatest common divisor of differences less `low`, which are 32-bit numbers, by Euclid's algorithm. */
  const commonStep = (values: Pointer, rows: number, low: number): number => {
    let step = 0
    for (let i = 1, at = (values >>> 2) + 2; i < rows && step !== 1; i++, at += 2) {
      if ((i & 127) === 0) continue
      let rest = (i32[at]! - i32[at - 2]! - low) >>> 0
      if (step !== 0) rest %= step
      while (rest !== 0) {
        const next = step % rest
        step = rest
        rest = next
      }
    }
    return step
  }

  return { planFrame, planLinear, planDelta }
}

/** Slope and 16-bit fraction of the line from the first value to the last; flat when the rise overflows. */
function lineThrough(first: bigint, last: bigint, rows: number): { slope: bigint; fraction: number } {
  const rise = last - first
  if (rows < 2 || rise !== BigInt.asIntN(64, rise)) return { slope: 0n, fraction: 0 }
  const steps = BigInt(rows - 1)
  let slope = rise / steps, rest = rise - slope * steps
  if (rest < 0n) {
    slope -= 1n
    rest += steps
  }
  return { slope, fraction: Number((rest << 16n) / steps) }
}

function createCodeWriters({ u32, i32 }: LinearMemory, layout: ChunkLayout): { writeLineCodes: WriteBlock; writeDeltaCodes: WriteBlock } {
  const writeCodes = (rows: number, entry: Pointer, out: Pointer, offset: number, codes: Pointer): number => {
    const width = layout.width(entry)
    u32[(entry >>> 2) + 4] = offset
    const end = offset + layout.pack(codes, rows, Math.min(width, 32), out + offset)
    return width > 32 ? end + layout.pack(codes + blockRows * 4, rows, width - 32, out + end) : end
  }

  const writeLineCodes: WriteBlock = (values, rows, entry, out, offset, codes) => {
    const slopeLow = layout.slopeLow(entry), slopeHigh = layout.slopeHigh(entry), fraction = layout.fraction(entry)
    let low = layout.baseLow(entry), high = layout.baseHigh(entry), part = 0
    for (let i = 0, at = values >>> 2, to = codes >>> 2; i < rows; i++, at += 2, to++) {
      const value = i32[at]!, along = (value - low) | 0, step = part >>> 16
      i32[to] = (along - step) | 0
      i32[to + blockRows] = (i32[at + 1]! - high - (value >>> 0 < low >>> 0 ? 1 : 0) - (along >>> 0 < step ? 1 : 0)) | 0
      low = (low + slopeLow) | 0
      high = (high + slopeHigh + (low >>> 0 < slopeLow >>> 0 ? 1 : 0)) | 0
      part += fraction
    }
    return writeCodes(rows, entry, out, offset, codes)
  }

  const writeDeltaCodes: WriteBlock = (values, rows, entry, out, offset, codes) => {
    const baseLow = layout.baseLow(entry), baseHigh = layout.baseHigh(entry), divisor = layout.slopeLow(entry) >>> 0
    const checkpoints = (out + offset) >>> 2
    u32[(entry >>> 2) + 5] = offset
    for (let i = 0, at = values >>> 2, to = codes >>> 2; i < rows; i++, at += 2, to++) {
      if ((i & 127) === 0) {
        i32[checkpoints + (i >> 7) * 2] = i32[at]!
        i32[checkpoints + (i >> 7) * 2 + 1] = i32[at + 1]!
        i32[to] = 0
        i32[to + blockRows] = 0
        continue
      }
      const value = i32[at]!, before = i32[at - 2]!, step = (value - before) | 0
      i32[to] = (step - baseLow) | 0
      i32[to + blockRows] = (i32[at + 1]! - i32[at - 1]! - baseHigh - (value >>> 0 < before >>> 0 ? 1 : 0) - (step >>> 0 < baseLow >>> 0 ? 1 : 0)) | 0
      if (divisor !== 1) i32[to] = Math.floor((i32[to]! >>> 0) / divisor)
    }
    return writeCodes(rows, entry, out, offset + checkpointBytes(rows), codes)
  }

  return { writeLineCodes, writeDeltaCodes }
}
