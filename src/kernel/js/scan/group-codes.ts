/** Dense groups from the dictionary codes of a text chunk; twin of assembly/scan/group-codes.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import type { ScanExports } from '../../scan.ts'
import { columnKinds, createChunkLayout, encodings, nullBitmapBytes } from '../column/layout.ts'

export function createGroupCodes(memory: LinearMemory): Pick<ScanExports, 'scanGroupsEntryCount' | 'scanGroupsCodes' | 'scanGroupsEntries'> {
  const { u8, u16, u32 } = memory
  const layout = createChunkLayout(memory)

  const entryCount = (chunk: Pointer): number => {
    const encoding = layout.encoding(chunk)
    if (layout.kind(chunk) !== columnKinds.bytes) return -1
    if (encoding === encodings.textConstant) return 1
    return encoding === encodings.textDictionary || encoding === encodings.textRuns ? layout.entryCount(chunk) : -1
  }
  const copyRuns = (chunk: Pointer, first: number, count: number, to: number): void => {
    const packed = layout.data(chunk), width = layout.codeWidth(chunk), ends = layout.runEnds(chunk) >>> 1
    let row = 0
    for (let run = 0; row < first + count; run++) {
      const end = Math.min(u16[ends + run]!, first + count), code = layout.packedGet(packed, width, run)
      if (end > first) u32.fill(code, to + Math.max(row, first) - first, to + end - first)
      row = end
    }
  }

  return {
    scanGroupsEntryCount: entryCount,
    scanGroupsCodes(chunk, first, count, groups) {
      const entries = entryCount(chunk), encoding = layout.encoding(chunk), to = groups >>> 2
      if (entries < 0 || first < 0 || count < 0 || (first & 7) !== 0 || first + count > layout.count(chunk)) return -1
      if (encoding === encodings.textConstant) u32.fill(0, to, to + count)
      else if (encoding === encodings.textRuns) copyRuns(chunk, first, count, to)
      else {
        const packed = layout.data(chunk), width = layout.codeWidth(chunk)
        for (let row = 0; row < count; row++) u32[to + row] = layout.packedGet(packed, width, first + row)
      }
      const nulls = layout.nulls(chunk)
      for (let row = 0; nulls !== 0 && row < count; row++) if (layout.isNull(nulls, first + row)) u32[to + row] = entries
      return entries
    },
    scanGroupsEntries(chunk, refs, nulls) {
      const entries = entryCount(chunk)
      if (entries < 0) return -1
      u8.fill(0, nulls, nulls + nullBitmapBytes(entries + 1))
      u8[nulls + (entries >>> 3)] = 1 << (entries & 7)
      const constant = layout.encoding(chunk) === encodings.textConstant, offsets = layout.entries(chunk) >>> 2
      for (let code = 0; code < entries; code++) {
        const start = constant ? 0 : u32[offsets + code]!
        u32[(refs >>> 2) + 2 * code] = layout.text(chunk) + start
        u32[(refs >>> 2) + 2 * code + 1] = constant ? layout.textBytes(chunk) : u32[offsets + code + 1]! - start
      }
      u32.fill(0, (refs >>> 2) + 2 * entries, (refs >>> 2) + 2 * entries + 2)
      return entries
    },
  }
}
