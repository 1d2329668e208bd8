/** Selections; twin of assembly/scan/selection.ts, by words of 32 bits. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import type { ScanExports } from '../../scan.ts'
import { comparison } from '../../zone-map.ts'

export type SelectionKernels = Pick<ScanExports, 'scanSelectAll' | 'scanSelectedCount' | 'scanSelectedRows'>

export interface Selections extends SelectionKernels {
  /** ANDs `keep(row)` for the selected rows that are not null; returns how many stay selected. */
  filterRows(nulls: Pointer, count: number, selection: Pointer, keep: (row: number) => boolean): number
  /** The same 32 rows at a time: `match(first, rows)` gives a bit for each of `rows` rows, whether selected or not. */
  filterWords(nulls: Pointer, count: number, selection: Pointer, match: (first: number, rows: number) => number): number
  filterNulls(nulls: Pointer, count: number, op: number, selection: Pointer): number
  /** ANDs one answer for all rows that are not null. */
  filterAll(nulls: Pointer, count: number, matches: boolean, selection: Pointer): number
  /** Calls for each selected row; 0 selects all. */
  eachSelected(selection: Pointer, count: number, call: (row: number) => void): void
  /** Whether a row is selected and not null. */
  active(nulls: Pointer, selection: Pointer, row: number): boolean
}

export function createSelections({ u8, u32 }: LinearMemory): Selections {
  const wordCount = (count: number): number => Math.ceil(count / 64) * 2
  const rowBits = (count: number, word: number): number => {
    const left = count - 32 * word
    return left >= 32 ? -1 : left <= 0 ? 0 : (1 << left) - 1
  }
  const wordAt = (bitmap: Pointer, word: number): number => u32[(bitmap >>> 2) + word]!

  const filterNulls = (nulls: Pointer, count: number, op: number, selection: Pointer): number => {
    let selected = 0
    const flip = op === comparison.isNull ? 0 : -1
    for (let word = 0; word < wordCount(count); word++) {
      const kept = wordAt(selection, word) & ((nulls === 0 ? 0 : wordAt(nulls, word)) ^ flip) & rowBits(count, word)
      u32[(selection >>> 2) + word] = kept
      selected += bitCount(kept)
    }
    return selected
  }

  return {
    filterNulls,
    filterAll(nulls, count, matches, selection) {
      if (matches) return filterNulls(nulls, count, comparison.isNotNull, selection)
      u32.fill(0, selection >>> 2, (selection >>> 2) + wordCount(count))
      return 0
    },
    filterRows(nulls, count, selection, keep) {
      let selected = 0
      for (let word = 0; word < wordCount(count); word++) {
        let kept = wordAt(selection, word) & ~(nulls === 0 ? 0 : wordAt(nulls, word)) & rowBits(count, word)
        for (let bits = kept; bits !== 0; bits &= bits - 1) {
          if (!keep(32 * word + lowestBit(bits))) kept &= ~(bits & -bits)
        }
        u32[(selection >>> 2) + word] = kept
        selected += bitCount(kept)
      }
      return selected
    },
    filterWords(nulls, count, selection, match) {
      let selected = 0
      for (let word = 0; word < wordCount(count); word++) {
        let kept = wordAt(selection, word) & ~(nulls === 0 ? 0 : wordAt(nulls, word)) & rowBits(count, word)
        if (kept !== 0) kept &= match(32 * word, Math.min(32, count - 32 * word))
        u32[(selection >>> 2) + word] = kept
        selected += bitCount(kept)
      }
      return selected
    },
    eachSelected(selection, count, call) {
      if (selection === 0) {
        for (let row = 0; row < count; row++) call(row)
        return
      }
      for (let word = 0; word < wordCount(count); word++) {
        for (let bits = wordAt(selection, word) & rowBits(count, word); bits !== 0; bits &= bits - 1) call(32 * word + lowestBit(bits))
      }
    },
    active: (nulls, selection, row) =>
      (nulls === 0 || ((u8[nulls + (row >>> 3)]! >>> (row & 7)) & 1) === 0) && (selection === 0 || ((u8[selection + (row >>> 3)]! >>> (row & 7)) & 1) === 1),
    scanSelectAll(selection, count) {
      for (let word = 0; word < wordCount(count); word++) u32[(selection >>> 2) + word] = rowBits(count, word)
    },
    scanSelectedCount(selection, count) {
      if (selection === 0) return count
      let selected = 0
      for (let word = 0; word < wordCount(count); word++) selected += bitCount(wordAt(selection, word) & rowBits(count, word))
      return selected
    },
    scanSelectedRows(selection, count, out) {
      let to = out >>> 2
      for (let word = 0; word < wordCount(count); word++) {
        const selected = selection === 0 ? -1 : wordAt(selection, word)
        for (let bits = selected & rowBits(count, word); bits !== 0; bits &= bits - 1) u32[to++] = 32 * word + lowestBit(bits)
      }
      return to - (out >>> 2)
    },
  }
}

export function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits)
}

function bitCount(bits: number): number {
  bits -= (bits >>> 1) & 0x5555_5555
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333)
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24
}
