/** Counts and sums of decimals by dictionary codes; twin of assembly/scan/grouped/sums-by-code.ts. */
import type { ColumnExports } from '../../../column.ts'
import type { LinearMemory, Pointer } from '../../../linear-memory.ts'
import { groupSumsBytes } from '../../../scan.ts'
import type { ScanExports } from '../../../scan.ts'
import { cutOf, isPlainDecimalBlock } from '../../aggregate/decimals.ts'
import { blockCount, blockRows, columnKinds, createChunkLayout, encodings } from '../../column/layout.ts'
import { addSumF64 } from '../group-sums.ts'
import type { SelectionKernels } from '../selection.ts'

const codeWidthMax = 8, codesMax = 1 << codeWidthMax

export function createSumsByCode(memory: LinearMemory, { columnDecodeF64 }: ColumnExports, { scanSelectedCount }: SelectionKernels): Pick<ScanExports, 'scanGroupedSumsCodes'> {
  const { u8, u32, f64 } = memory
  const layout = createChunkLayout(memory)
  const uppers = new Float64Array(codesMax), lowers = new Float64Array(codesMax), counts = new Uint32Array(codesMax)

  const isPlainDecimal = (chunk: Pointer): boolean => {
    if (layout.kind(chunk) !== columnKinds.f64 || layout.nulls(chunk) !== 0) return false
    for (let block = 0; block < blockCount(layout.count(chunk)); block++) {
      if (!isPlainDecimalBlock(layout, chunk, block)) return false
    }
    return true
  }
  const addSlots = (map: Pointer, sums: Pointer): void => {
    for (let code = 0; code < codesMax; code++) {
      if (counts[code] === 0) continue
      const to = sums + groupSumsBytes * u32[(map >>> 2) + code]!
      f64[to >>> 3]! += counts[code]!
      addSumF64(memory, to, uppers[code]!)
      addSumF64(memory, to, lowers[code]!)
      counts[code] = uppers[code] = lowers[code] = 0
    }
  }

  return {
    scanGroupedSumsCodes(keys, map, values, selection, sums, scratch) {
      const count = layout.count(values), width = layout.codeWidth(keys)
      if (layout.encoding(keys) !== encodings.textDictionary || width > codeWidthMax || layout.nulls(keys) !== 0 || layout.count(keys) !== count) return -1
      if (selection !== 0 && 2 * scanSelectedCount(selection, count) < count) return -1
      if (!isPlainDecimal(values)) return -1
      const cut = cutOf(layout.exponent(values))
      const packed = layout.data(keys), blocks = blockCount(count)
      for (let block = 0; block < blocks; block++) {
        const rows = layout.rowsOf(values, block), first = block * blockRows
        columnDecodeF64(values, first, rows, scratch, 0)
        for (let row = 0; row < rows; row++) {
          if (selection !== 0 && (u8[selection + ((first + row) >>> 3)]! & (1 << (row & 7))) === 0) continue
          const code = layout.packedGet(packed, width, first + row), value = f64[(scratch >>> 3) + row]!, upper = value + cut - cut
          uppers[code]! += upper
          lowers[code]! += value - upper
          counts[code]! += 1
        }
        if ((block & 3) === 3 || block === blocks - 1) addSlots(map, sums)
      }
      return 0
    },
  }
}
