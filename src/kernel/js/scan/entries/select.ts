/** Rows by what holds of their dictionary entries; twin of assembly/scan/entries/select.ts. */
import type { LinearMemory, Pointer } from '../../../linear-memory.ts'
import type { ScanExports } from '../../../scan.ts'
import { createChunkLayout, encodings } from '../../column/layout.ts'

export function createEntrySelection(memory: LinearMemory, { scanGroupsEntryCount }: Pick<ScanExports, 'scanGroupsEntryCount'>): Pick<ScanExports, 'scanEntriesSelect'> {
  const { u8, u16 } = memory
  const layout = createChunkLayout(memory)
  const isSet = (bits: Pointer, index: number): boolean => ((u8[bits + (index >>> 3)]! >>> (index & 7)) & 1) === 1

  return {
    scanEntriesSelect(chunk, entries, selection, out) {
      const entryCount = scanGroupsEntryCount(chunk)
      if (entryCount < 0) return -1
      const count = layout.count(chunk), encoding = layout.encoding(chunk), nulls = layout.nulls(chunk)
      const packed = layout.data(chunk), width = layout.codeWidth(chunk), ends = layout.runEnds(chunk) >>> 1
      const written = ((count + 63) >>> 6) << 3
      let run = 0
      for (let byte = 0; byte < written; byte++) {
        let bits = 0
        for (let row = 8 * byte; row < Math.min(8 * byte + 8, count); row++) {
          if (encoding === encodings.textRuns) while (u16[ends + run]! <= row) run++
          if (!isSet(selection, row)) continue
          const code = nulls !== 0 && layout.isNull(nulls, row) ? entryCount : encoding === encodings.textConstant ? 0 : layout.packedGet(packed, width, encoding === encodings.textRuns ? run : row)
          if (isSet(entries, code)) bits |= 1 << (row & 7)
        }
        u8[out + byte] = bits
      }
      return 0
    },
  }
}
