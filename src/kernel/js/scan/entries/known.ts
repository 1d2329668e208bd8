/** The dictionary of the last text chunk, remembered; twin of assembly/scan/entries/known.ts, which tells how. */
import type { LinearMemory, Pointer } from '../../../linear-memory.ts'
import type { ScanExports } from '../../../scan.ts'
import { createChunkLayout, encodings } from '../../column/layout.ts'

const constantMark = 0x7fff_ffff

export function createKnownEntries(memory: LinearMemory, { scanGroupsEntryCount }: Pick<ScanExports, 'scanGroupsEntryCount'>): Pick<ScanExports, 'scanEntriesKnown'> {
  const { u8, u32, buffer } = memory
  const layout = createChunkLayout(memory)
  const isEqual = (a: Pointer, b: Pointer, byteLength: number): boolean => buffer.compare(buffer, b, b + byteLength, a, a + byteLength) === 0

  return {
    scanEntriesKnown(chunk, known, capacity) {
      const entries = scanGroupsEntryCount(chunk)
      if (entries < 0) return -1
      const isConstant = layout.encoding(chunk) === encodings.textConstant
      const mark = (isConstant ? constantMark : entries) + 1, textBytes = layout.textBytes(chunk)
      const offsetBytes = isConstant ? 0 : 4 * (entries + 1), offsets = known + 8, text = offsets + (isConstant ? 0 : ((entries + 2) >>> 1) << 3)
      if (u32[known >>> 2] === mark && u32[(known >>> 2) + 1] === textBytes && isEqual(layout.entries(chunk), offsets, offsetBytes) && isEqual(layout.text(chunk), text, textBytes)) return 1
      if (text - known + textBytes > capacity) {
        u32[known >>> 2] = 0
        return -1
      }
      u32[known >>> 2] = mark
      u32[(known >>> 2) + 1] = textBytes
      u8.copyWithin(offsets, layout.entries(chunk), layout.entries(chunk) + offsetBytes)
      u8.copyWithin(text, layout.text(chunk), layout.text(chunk) + textBytes)
      return 0
    },
  }
}
