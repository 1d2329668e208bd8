/** Filters over vectors; twin of assembly/scan/filter-vectors.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import type { ScanExports } from '../../scan.ts'
import { comparison } from '../../zone-map.ts'
import { matchOrder, order64, orderF64 } from './match.ts'
import type { Selections } from './selection.ts'
import { createTextOrder } from '../compare/text.ts'

export type VectorFilters = Pick<ScanExports, 'scanFilterI64' | 'scanFilterF64' | 'scanFilterBytes'>

export function createVectorFilters(memory: LinearMemory, { filterNulls, filterRows }: Selections): VectorFilters {
  const { u32, i32, f64 } = memory
  const text = createTextOrder(memory)

  const filterI64 = (values: Pointer, op: number, constant: Pointer): ((row: number) => boolean) => {
    const at = values >>> 2, low = u32[constant >>> 2]!, high = i32[(constant >>> 2) + 1]!
    return (row) => matchOrder(order64(i32[at + 2 * row + 1]!, u32[at + 2 * row]!, high, low), op)
  }
  const filterF64 = (values: Pointer, op: number, constant: Pointer): ((row: number) => boolean) => {
    const at = values >>> 3, wanted = f64[constant >>> 3]!
    return (row) => matchOrder(orderF64(f64[at + row]!, wanted), op)
  }
  const filterBytes = (refs: Pointer, op: number, constant: Pointer, constantBytes: number): ((row: number) => boolean) => {
    const at = refs >>> 2, byLength = op === comparison.eq || op === comparison.ne
    return (row) => {
      const byteLength = u32[at + 2 * row + 1]!
      if (byLength && byteLength !== constantBytes) return op === comparison.ne
      return matchOrder(text.compare(u32[at + 2 * row]!, byteLength, constant, constantBytes), op)
    }
  }

  return {
    scanFilterI64: (values, nulls, count, op, constant, selection) =>
      op >= comparison.isNull ? filterNulls(nulls, count, op, selection) : filterRows(nulls, count, selection, filterI64(values, op, constant)),
    scanFilterF64: (values, nulls, count, op, constant, selection) =>
      op >= comparison.isNull ? filterNulls(nulls, count, op, selection) : filterRows(nulls, count, selection, filterF64(values, op, constant)),
    scanFilterBytes: (refs, nulls, count, op, constant, constantBytes, selection) =>
      op >= comparison.isNull ? filterNulls(nulls, count, op, selection) : filterRows(nulls, count, selection, filterBytes(refs, op, constant, constantBytes)),
  }
}
