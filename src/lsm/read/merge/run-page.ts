/**
 * Pages of one run on their way into a merge. Positions count rows in the direction of the scan; rows count them as
 * stored. They differ only for row groups read backwards, whose keys are reversed while their columns are not.
 */
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import { compareToMemory, i64BoundaryWords } from '../../keys/key-bytes.ts'
import type { Arena } from '../../state/arena.ts'
import type { Boundary } from '../../keys/key-bytes.ts'
import type { Vector } from '../../page.ts'
import { clipCover } from '../../keys/range-cover.ts'
import type { RangeCover } from '../../keys/range-cover.ts'
import { bitmapBytes } from '../read-context.ts'
import type { ReadContext } from '../read-context.ts'

export interface RunPage {
  readonly rowCount: number
  /** i64 values for key form 'i64', otherwise refs; by position. */
  readonly keys: Pointer
  /** Positions [from, to) belong to the stretch. */
  readonly from: number
  readonly to: number
  /** No page of this run follows in the stretch. */
  readonly last: boolean
  /** Bitmaps by position: deleted keys, and rows that newer range tombstones hide; 0 = none. */
  readonly tombstones: Pointer
  readonly covered: Pointer
  /** Row = rowCount - 1 - position. */
  readonly flipped: boolean
  /** Refs of the rows as memtables hold them, by row, tombstones empty; 0 where rows are stored by column. */
  readonly rows: Pointer
  /** A column's vector by row, decoded on demand; of rows outside of [first, end), where given, it may say nothing. */
  column(ordinal: number, first?: number, end?: number): Vector
}

export interface RunSource {
  /** Starts a stretch: keys in [lower, upper). */
  open(lower: Uint8Array, upper: Boundary): void
  /** The next page in the direction of the scan; the one before is void then. At once where nothing must be read. */
  next(): RunPage | undefined | Promise<RunPage | undefined>
  close(): void
}

/** How many of the `count` keys come before a boundary in the direction of the scan. */
export function positionOf({ kernel: { memory }, shape, reverse }: ReadContext, keys: Pointer, count: number, boundary: Boundary): number {
  if (boundary === undefined) return reverse ? 0 : count
  const isBelow = shape.form === 'i64' ? belowI64(memory, keys >>> 2, boundary) : (position: number): boolean => {
    const ref = (keys >>> 2) + 2 * position
    return compareToMemory(memory, memory.u32[ref]!, memory.u32[ref + 1]!, boundary) < 0
  }
  let low = 0, high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBelow(middle) !== reverse) low = middle + 1
    else high = middle
  }
  return low
}

/** By words: as a bigint each key that is looked at would be an allocation. */
function belowI64({ u32, i32 }: LinearMemory, word: number, boundary: Uint8Array): (position: number) => boolean {
  const { high, low: exact, after } = i64BoundaryWords(boundary), low = exact + (after ? 1 : 0)
  return (position) => {
    const difference = i32[word + 2 * position + 1]! - high
    return difference < 0 || (difference === 0 && u32[word + 2 * position]! < low)
  }
}

/** Bitmap by position of the keys that a cover hides in [lower, upper); 0 when none. */
export function coveredBits(context: ReadContext, cover: RangeCover, keys: Pointer, count: number, bounds: { readonly lower: Uint8Array; readonly upper: Boundary }, arena: Arena): Pointer {
  if (cover.length === 0) return 0
  const { memory: { u8 } } = context.kernel
  let bits: Pointer = 0
  for (const { start, end } of clipCover(cover, bounds.lower, bounds.upper)) {
    const a = positionOf(context, keys, count, start), b = positionOf(context, keys, count, end)
    if (a === b) continue
    if (bits === 0) {
      bits = arena.allocate(bitmapBytes(count))
      u8.fill(0, bits, bits + bitmapBytes(count))
    }
    setBits(u8, bits, Math.min(a, b), Math.max(a, b))
  }
  return bits
}

export function setBits(u8: Uint8Array, bits: Pointer, from: number, to: number): void {
  const whole = Math.min(to, (from + 7) & ~7), rest = Math.max(whole, to & ~7)
  for (let i = from; i < whole; i++) u8[bits + (i >>> 3)]! |= 1 << (i & 7)
  u8.fill(255, bits + (whole >>> 3), bits + (rest >>> 3))
  for (let i = rest; i < to; i++) u8[bits + (i >>> 3)]! |= 1 << (i & 7)
}

/** A vector of `count` nulls. */
export function nullVector({ kernel: { memory: { u8 } }, shape }: ReadContext, ordinal: number, count: number, arena: Arena): Vector {
  const values = arena.allocate(8 * count), nulls = arena.allocate(bitmapBytes(count))
  u8.fill(0, values, values + 8 * count)
  u8.fill(0, nulls, nulls + bitmapBytes(count))
  setBits(u8, nulls, 0, count)
  const kind = shape.layout.columns[ordinal]!
  return kind === 'bytes' ? { kind, refs: values, nulls } : { kind, values, nulls }
}
