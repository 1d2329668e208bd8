/** Tests of one text column where it has a dictionary: each entry is tested once, and rows follow by their codes. */
import { createKnownEntries } from '../../kernel/grouping/known-entries.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { entriesScratchBytes } from '../../kernel/scan.ts'
import { bitmapBytes } from '../read/read-context.ts'
import type { Allocate } from './constant.ts'
import { truthNode } from './logic.ts'
import type { Frame, TruthNode } from './node.ts'

/** What a test says of a dictionary's entries and, after them, of null: bitmaps of `bitsBytes`, those that are true and then those that are null. */
interface EntryTruth {
  readonly bits: Pointer
  readonly bitsBytes: number
  /** Whether no entry is null but null itself. */
  readonly isPlain: boolean
}

/** Kernels read so much of a bitmap of entries. */
const bitsBytesMin = 32

/** For a test, which cannot fail. `allocate`: memory that lives as long as the node. */
export function overDictionary(kernel: Kernel, ordinal: number, node: TruthNode, allocate: Allocate): TruthNode {
  const known = createKnownEntries(kernel, allocate)
  let kept: EntryTruth | undefined

  function truthOf(frame: Frame, chunk: Pointer): EntryTruth | undefined {
    const before = known.recall(chunk)
    if (before !== 0) return { ...kept!, bits: before }
    kept = testEntries(frame, chunk, node)
    if (kept !== undefined) known.keep(kept.bits, 2 * kept.bitsBytes)
    return kept
  }

  return truthNode(false, (frame, selection) => {
    const chunk = frame.rows.chunk(ordinal)
    const truth = chunk === 0 ? undefined : truthOf(frame, chunk)
    if (truth === undefined) return node.evaluate(frame, selection)
    const { exports } = frame.kernel
    const rowsOf = (bits: Pointer): Pointer => {
      const out = frame.arena.allocate(bitmapBytes(frame.rows.rowCount))
      exports.scanEntriesSelect(chunk, bits, selection, out, frame.arena.allocate(entriesScratchBytes))
      return out
    }
    return { trues: rowsOf(truth.bits), nulls: truth.isPlain && exports.columnHasNulls(chunk) === 0 ? 0 : rowsOf(truth.bits + truth.bitsBytes) }
  })
}

/** undefined where there is no dictionary, or one nearly as long as the rows. */
function testEntries(frame: Frame, chunk: Pointer, node: TruthNode): EntryTruth | undefined {
  const { kernel: { exports, memory: { u8 } }, arena } = frame
  const entries = exports.scanGroupsEntryCount(chunk)
  if (entries < 0 || 2 * entries > frame.rows.rowCount) return undefined
  const rowCount = entries + 1, byteLength = bitmapBytes(rowCount), bitsBytes = Math.max(bitsBytesMin, byteLength)
  const refs = arena.allocate(8 * rowCount), nulls = arena.allocate(byteLength), all = arena.allocate(byteLength), bits = arena.allocate(2 * bitsBytes)
  exports.scanGroupsEntries(chunk, refs, nulls)
  exports.scanSelectAll(all, rowCount)
  const truth = node.evaluate({ ...frame, rows: { rowCount, vector: () => ({ kind: 'bytes', refs, nulls }), chunk: () => 0 } }, all)
  u8.copyWithin(bits, truth.trues, truth.trues + byteLength)
  if (truth.nulls === 0) u8.fill(0, bits + bitsBytes, bits + bitsBytes + byteLength)
  else u8.copyWithin(bits + bitsBytes, truth.nulls, truth.nulls + byteLength)
  return { bits, bitsBytes, isPlain: truth.nulls === 0 || truth.nulls === nulls }
}
