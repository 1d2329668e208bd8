/** Least and greatest text by group from dictionary codes; twin of assembly/scan/grouped/text-extremes.ts. */
import type { LinearMemory, Pointer } from '../../../linear-memory.ts'
import { codeRangeBytes, noCode } from '../../../scan.ts'
import type { ScanExports } from '../../../scan.ts'
import { columnKinds, createChunkLayout, encodings } from '../../column/layout.ts'
import { createTextOrder } from '../../compare/text.ts'
import type { Selections } from '../selection.ts'

export type TextExtremes = Pick<ScanExports, 'scanGroupedCodes' | 'scanGroupedTexts' | 'scanGroupedCodesByEntry' | 'scanGroupedCodesBeat' | 'scanGroupedCodesReset'>

const rangeWords = codeRangeBytes / 4
const cellBitsMax = 12

export function createTextExtremes(memory: LinearMemory, { active }: Selections): TextExtremes {
  const { u32, f64 } = memory
  const { compare } = createTextOrder(memory)
  const layout = createChunkLayout(memory)
  const cells = new Uint32Array(1 << cellBitsMax)
  const isPlainDictionary = (chunk: Pointer): boolean => layout.kind(chunk) === columnKinds.bytes && layout.encoding(chunk) === encodings.textDictionary && layout.nulls(chunk) === 0

  const compareRows = (refs: Pointer, left: number, right: number): number => {
    const a = (refs >>> 2) + 2 * left, b = (refs >>> 2) + 2 * right
    return compare(u32[a]!, u32[a + 1]!, u32[b]!, u32[b + 1]!)
  }

  /** Whether the group had no code in this chunk. */
  const take = (group: number, counted: Uint32Array, ranges: Pointer): boolean => {
    const range = (ranges >>> 2) + rangeWords * group, isNew = u32[range + 2] === noCode
    f64[range >>> 1]! += counted.reduce((sum, rows) => sum + rows, 0)
    u32[range + 2] = Math.min(u32[range + 2]!, counted.findIndex((rows) => rows > 0))
    u32[range + 3] = Math.max(u32[range + 3]!, counted.findLastIndex((rows) => rows > 0))
    return isNew
  }

  return {
    scanGroupedCodesByEntry(keys, map, values, selection, ranges, touched) {
      const count = layout.count(values), keyWidth = layout.codeWidth(keys), width = layout.codeWidth(values)
      if (!isPlainDictionary(keys) || !isPlainDictionary(values) || layout.count(keys) !== count || keyWidth + width > cellBitsMax) return -1
      cells.fill(0)
      const keyCodes = layout.data(keys), codes = layout.data(values)
      for (let row = 0; row < count; row++) if (active(0, selection, row)) cells[(layout.packedGet(keyCodes, keyWidth, row) << width) | layout.packedGet(codes, width, row)]! += 1
      let touchedCount = 0
      for (let key = 0; key < layout.entryCount(keys); key++) {
        const group = u32[(map >>> 2) + key]!, counted = cells.subarray(key << width, (key + 1) << width)
        if (counted.some((rows) => rows > 0) && take(group, counted, ranges)) u32[(touched >>> 2) + touchedCount++] = group
      }
      return touchedCount
    },
    scanGroupedCodes(groups, codes, nullCode, selection, count, ranges, touched) {
      let touchedCount = 0
      for (let row = 0; row < count; row++) {
        const code = u32[(codes >>> 2) + row]!
        if (code === nullCode || !active(0, selection, row)) continue
        const group = u32[(groups >>> 2) + row]!, range = (ranges >>> 2) + rangeWords * group
        f64[range >>> 1]! += 1
        if (u32[range + 2] === noCode) u32[(touched >>> 2) + touchedCount++] = group
        if (code < u32[range + 2]!) u32[range + 2] = code
        if (code > u32[range + 3]!) u32[range + 3] = code
      }
      return touchedCount
    },
    scanGroupedTexts(groups, refs, nulls, selection, count, ranges, touched) {
      let touchedCount = 0
      for (let row = 0; row < count; row++) {
        if (!active(nulls, selection, row)) continue
        const group = u32[(groups >>> 2) + row]!, range = (ranges >>> 2) + rangeWords * group
        f64[range >>> 1]! += 1
        if (u32[range + 2] === noCode) {
          u32[(touched >>> 2) + touchedCount++] = group
          u32.fill(row, range + 2, range + 4)
          continue
        }
        if (compareRows(refs, row, u32[range + 2]!) < 0) u32[range + 2] = row
        else if (compareRows(refs, row, u32[range + 3]!) > 0) u32[range + 3] = row
      }
      return touchedCount
    },
    scanGroupedCodesBeat(touched, touchedCount, ranges, greatest, refs, bests, winners) {
      let winnerCount = 0
      for (let i = 0; i < touchedCount; i++) {
        const group = u32[(touched >>> 2) + i]!, code = u32[(ranges >>> 2) + rangeWords * group + 2 + greatest]!
        const ref = (refs >>> 2) + 2 * code, best = (bests >>> 2) + 2 * group
        const order = u32[best] === 0 ? 0 : compare(u32[ref]!, u32[ref + 1]!, u32[best]!, u32[best + 1]!)
        if (u32[best] !== 0 && (greatest === 1 ? order <= 0 : order >= 0)) continue
        u32[(winners >>> 2) + winnerCount++] = group
      }
      return winnerCount
    },
    scanGroupedCodesReset(touched, touchedCount, ranges) {
      for (let i = 0; i < touchedCount; i++) {
        const range = (ranges >>> 2) + rangeWords * u32[(touched >>> 2) + i]!
        u32[range + 2] = noCode
        u32[range + 3] = 0
      }
    },
  }
}
