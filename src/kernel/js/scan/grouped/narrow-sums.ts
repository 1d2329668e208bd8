/** Sums of narrow decimals by group, i64 as pairs of 32-bit halves; twin of assembly/scan/grouped/narrow-sums.ts. */
import type { LinearMemory, Pointer } from '../../../linear-memory.ts'
import { groupSumsBytes, narrowSumBytes } from '../../../scan.ts'
import type { ScanExports } from '../../../scan.ts'
import { highPart, narrowExponent, narrowFactor, narrowPower } from '../../aggregate/narrow-decimals.ts'
import { blockCount, blockRows, createChunkLayout } from '../../column/layout.ts'
import { powerOfTen } from '../../column/numbers.ts'
import { addSumF64 } from '../group-sums.ts'
import type { Selections } from '../selection.ts'

const two32 = 2 ** 32
/** The high half of 2^41. */
const biasHigh = 2 ** 9, biasHighShift = 9
/** What is less stands for a double, as one summand. */
const shortTotal = 2 ** 20, shortLower = 2 ** 51
const isShort = (sum: number, short: number): boolean => sum >= -short && sum < short

/** The high half of 1.5 · 2^a, whose low half is 0. */
function magicHigh(power: number): number {
  const halves = new Uint32Array(Float64Array.of(1.5 * power).buffer)
  return halves[1]!
}

export function createNarrowSums(memory: LinearMemory, { scanSelectedCount, active }: Selections): Pick<ScanExports, 'scanNarrowExponent' | 'scanGroupedNarrow' | 'scanGroupedNarrowTake'> {
  const { u32, i32, f64 } = memory
  const layout = createChunkLayout(memory)

  /** `word`: of the i64's low half. */
  const add = (word: number, low: number, high: number): void => {
    const sum = u32[word]! + low
    u32[word] = sum
    u32[word + 1] = u32[word + 1]! + high + (sum >= two32 ? 1 : 0)
  }
  const addBlock = (groups: Pointer, values: Pointer, block: number, selection: Pointer, spare: number, narrow: Pointer): void => {
    const exponent = layout.exponent(values), factor = narrowFactor(exponent), power = powerOfTen(exponent), unit = narrowPower(exponent) / 2 ** 52, high = magicHigh(narrowPower(exponent))
    const entry = layout.entry(values, block), base = layout.base(entry), width = layout.width(entry), packed = layout.packed(values, entry), first = block * blockRows
    for (let row = 0, rows = layout.rowsOf(values, block); row < rows; row++) {
      const n = base + layout.packedBits(packed, width, row), lower = (n / power - n * factor) / unit, lowerHigh = Math.floor(lower / two32)
      const group = active(0, selection, first + row) ? u32[(groups >>> 2) + first + row]! : spare, word = (narrow + narrowSumBytes * group) >>> 2
      add(word, n >>> 0, biasHigh + (n < 0 ? -1 : 0))
      add(word + 2, lower - lowerHigh * two32, high + lowerHigh)
    }
  }

  return {
    scanNarrowExponent: (chunk) => narrowExponent(layout, chunk),
    scanGroupedNarrow(groups, values, selection, spare, narrow) {
      const count = layout.count(values)
      if (narrowExponent(layout, values) < 0 || (selection !== 0 && 2 * scanSelectedCount(selection, count) < count)) return -1
      for (let block = 0; block < blockCount(count); block++) addBlock(groups, values, block, selection, spare, narrow)
      return 0
    },
    scanGroupedNarrowTake(narrow, groupCount, exponent, sums) {
      const factor = narrowFactor(exponent), unit = narrowPower(exponent) / 2 ** 52, high = magicHigh(narrowPower(exponent))
      for (let group = 0, word = narrow >>> 2, to = sums; group < groupCount; group++, word += narrowSumBytes / 4, to += groupSumsBytes) {
        if (u32[word] === 0 && u32[word + 1] === 0) continue
        const count = (i32[word + 1]! + biasHigh / 2) >> biasHighShift, total = (i32[word + 1]! - count * biasHigh) * two32 + u32[word]!, upper = isShort(total, shortTotal) ? 0 : highPart(total)
        const lowerHigh = (u32[word + 3]! - Math.imul(count, high)) | 0, lowerLow = u32[word + 2]!, lower = lowerHigh * two32 + lowerLow
        f64[to >>> 3]! += count
        if (upper !== 0) addSumF64(memory, to, upper * factor)
        addSumF64(memory, to, (total - upper) * factor)
        if (isShort(lower, shortLower)) {
          addSumF64(memory, to, lower * unit)
        } else {
          addSumF64(memory, to, lowerHigh * (unit * two32))
          addSumF64(memory, to, lowerLow * unit)
        }
        u32.fill(0, word, word + narrowSumBytes / 4)
      }
    },
  }
}
