/** Counts and sums of decimals by dictionary codes; twin of assembly/scan/grouped/{sums-by-code,narrow-slots,wide-slots}.ts. */
import type { ColumnExports } from '../../../column.ts'
import type { LinearMemory, Pointer } from '../../../linear-memory.ts'
import { groupSumsBytes } from '../../../scan.ts'
import type { ScanExports } from '../../../scan.ts'
import { cutOf, isPlainDecimalBlock } from '../../aggregate/decimals.ts'
import { highPart, narrowExponent, narrowFactor, narrowRowsMax } from '../../aggregate/narrow-decimals.ts'
import { blockCount, blockRows, columnKinds, createChunkLayout, encodings } from '../../column/layout.ts'
import { powerOfTen } from '../../column/numbers.ts'
import { addSumF64 } from '../group-sums.ts'
import type { SelectionKernels } from '../selection.ts'

const codeWidthMax = 8, codesMax = 1 << codeWidthMax
/** Sums of wide decimals are exact of so many rows. */
const wideRowsMax = 4096

/** Sums of one code, each exact: of the integers and of what is left beside them, or of the upper and the lower parts of values. */
interface Slots {
  readonly uppers: Float64Array
  readonly lowers: Float64Array
  readonly counts: Uint32Array
}

export function createSumsByCode(memory: LinearMemory, { columnDecodeF64 }: ColumnExports, { scanSelectedCount }: SelectionKernels): Pick<ScanExports, 'scanGroupedSumsCodes'> {
  const { u8, u32, f64 } = memory
  const layout = createChunkLayout(memory)
  const slots: Slots = { uppers: new Float64Array(codesMax), lowers: new Float64Array(codesMax), counts: new Uint32Array(codesMax) }
  const { uppers, lowers, counts } = slots

  const isPlainDecimal = (chunk: Pointer): boolean => {
    if (layout.kind(chunk) !== columnKinds.f64 || layout.nulls(chunk) !== 0) return false
    for (let block = 0; block < blockCount(layout.count(chunk)); block++) {
      if (!isPlainDecimalBlock(layout, chunk, block)) return false
    }
    return true
  }
  const isSelected = (selection: Pointer, row: number): boolean => selection === 0 || (u8[selection + (row >>> 3)]! & (1 << (row & 7))) !== 0

  const addNarrowBlock = (keys: Pointer, values: Pointer, block: number, selection: Pointer): void => {
    const exponent = layout.exponent(values), factor = narrowFactor(exponent), power = powerOfTen(exponent)
    const entry = layout.entry(values, block), base = layout.base(entry), width = layout.width(entry), packed = layout.packed(values, entry)
    const codes = layout.data(keys), codeWidth = layout.codeWidth(keys), first = block * blockRows
    for (let row = 0, rows = layout.rowsOf(values, block); row < rows; row++) {
      if (!isSelected(selection, first + row)) continue
      const code = layout.packedBits(codes, codeWidth, first + row), n = base + layout.packedBits(packed, width, row)
      uppers[code]! += n
      lowers[code]! += n / power - n * factor
      counts[code]! += 1
    }
  }
  const addWideBlock = (keys: Pointer, values: Pointer, block: number, selection: Pointer, scratch: Pointer): void => {
    const cut = cutOf(layout.exponent(values)), codes = layout.data(keys), codeWidth = layout.codeWidth(keys), first = block * blockRows, rows = layout.rowsOf(values, block)
    columnDecodeF64(values, first, rows, scratch, 0)
    for (let row = 0; row < rows; row++) {
      if (!isSelected(selection, first + row)) continue
      const code = layout.packedBits(codes, codeWidth, first + row), value = f64[(scratch >>> 3) + row]!, upper = value + cut - cut
      uppers[code]! += upper
      lowers[code]! += value - upper
      counts[code]! += 1
    }
  }
  /** `factor`: of narrow decimals, whose upper sums are of integers; 0: they are of values. */
  const takeSlots = (factor: number, map: Pointer, sums: Pointer): void => {
    for (let code = 0; code < codesMax; code++) {
      if (counts[code] === 0) continue
      const to = sums + groupSumsBytes * u32[(map >>> 2) + code]!, upper = uppers[code]!, high = highPart(upper)
      f64[to >>> 3]! += counts[code]!
      if (factor === 0) addSumF64(memory, to, upper)
      else {
        addSumF64(memory, to, high * factor)
        addSumF64(memory, to, (upper - high) * factor)
      }
      addSumF64(memory, to, lowers[code]!)
      counts[code] = uppers[code] = lowers[code] = 0
    }
  }

  return {
    scanGroupedSumsCodes(keys, map, values, selection, sums, scratch) {
      const count = layout.count(values)
      if (layout.encoding(keys) !== encodings.textDictionary || layout.codeWidth(keys) > codeWidthMax || layout.nulls(keys) !== 0 || layout.count(keys) !== count) return -1
      if (selection !== 0 && 2 * scanSelectedCount(selection, count) < count) return -1
      const isNarrow = narrowExponent(layout, values) >= 0
      if (!isNarrow && !isPlainDecimal(values)) return -1
      const blocks = blockCount(count), stretch = (isNarrow ? narrowRowsMax : wideRowsMax) / blockRows
      for (let block = 0; block < blocks; block++) {
        if (isNarrow) addNarrowBlock(keys, values, block, selection)
        else addWideBlock(keys, values, block, selection, scratch)
        if ((block + 1) % stretch === 0 || block === blocks - 1) takeSlots(isNarrow ? narrowFactor(layout.exponent(values)) : 0, map, sums)
      }
      return 0
    },
  }
}
