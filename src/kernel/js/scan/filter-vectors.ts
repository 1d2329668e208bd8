/** Filters over vectors; twin of assembly/scan/filter-vectors.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import type { ScanExports } from '../../scan.ts'
import { comparison } from '../../zone-map.ts'
import { createWordMatches, matchOrder } from './match.ts'
import type { Selections } from './selection.ts'
import { createTextOrder } from '../compare/text.ts'

export type VectorFilters = Pick<ScanExports, 'scanFilterI64' | 'scanFilterF64' | 'scanFilterBytes'>

export function createVectorFilters(memory: LinearMemory, { filterNulls, filterRows, filterWords }: Selections): VectorFilters {
  const { u32, i32, f64 } = memory
  const text = createTextOrder(memory)
  const { wordI64, wordF64 } = createWordMatches(memory)

  const filterBytes = (refs: Pointer, op: number, constant: Pointer, constantBytes: number): ((row: number) => boolean) => {
    const at = refs >>> 2, byLength = op === comparison.eq || op === comparison.ne
    return (row) => {
      const byteLength = u32[at + 2 * row + 1]!
      if (byLength && byteLength !== constantBytes) return op === comparison.ne
      return matchOrder(text.compare(u32[at + 2 * row]!, byteLength, constant, constantBytes), op)
    }
  }

  return {
    scanFilterI64(values, nulls, count, op, constant, selection) {
      if (op >= comparison.isNull) return filterNulls(nulls, count, op, selection)
      const at = values >>> 2, low = u32[constant >>> 2]!, high = i32[(constant >>> 2) + 1]!
      return filterWords(nulls, count, selection, (first, rows) => wordI64(at + 2 * first, rows, op, high, low))
    },
    scanFilterF64(values, nulls, count, op, constant, selection) {
      if (op >= comparison.isNull) return filterNulls(nulls, count, op, selection)
      const at = values >>> 3, wanted = f64[constant >>> 3]!
      return filterWords(nulls, count, selection, (first, rows) => wordF64(at + first, rows, op, wanted))
    },
    scanFilterBytes: (refs, nulls, count, op, constant, constantBytes, selection) =>
      op >= comparison.isNull ? filterNulls(nulls, count, op, selection) : filterRows(nulls, count, selection, filterBytes(refs, op, constant, constantBytes)),
  }
}
