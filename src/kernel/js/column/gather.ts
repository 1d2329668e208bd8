/** Single rows of a chunk by number; twin of assembly/column/gather.ts. */
import type { ColumnExports } from '../../column.ts'
import type { LinearMemory } from '../../linear-memory.ts'
import { columnKinds, nullBitmapBytes } from './layout.ts'
import type { ChunkLayout } from './layout.ts'

type Getters = Pick<ColumnExports, 'columnGetI64' | 'columnGetF64' | 'columnGetBytes'>

export function createColumnGather({ u8, u32 }: LinearMemory, layout: ChunkLayout, { columnGetI64, columnGetF64, columnGetBytes }: Getters): Pick<ColumnExports, 'columnGather'> {
  return {
    columnGather(chunk, kind, rows, count, values, nulls) {
      if (layout.kind(chunk) !== kind) return -1
      if (nulls !== 0) u8.fill(0, nulls, nulls + nullBitmapBytes(count))
      const get = kind === columnKinds.i64 ? columnGetI64 : kind === columnKinds.f64 ? columnGetF64 : columnGetBytes
      let anyNull = 0
      for (let at = 0; at < count; at++) {
        const outcome = get(chunk, u32[(rows >>> 2) + at]!, values + 8 * at, 0)
        if (outcome < 0) return -1
        if (outcome > 0) continue
        anyNull = 1
        if (nulls !== 0) u8[nulls + (at >>> 3)]! |= 1 << (at & 7)
      }
      return anyNull
    },
  }
}
