/** Twin of assembly/column/keys/resident.ts. */
import { cellStates, residentGroupBytes, residentHeadBytes } from '../../../column.ts'
import type { ColumnExports } from '../../../column.ts'
import type { LinearMemory } from '../../../linear-memory.ts'
import { createZoneMapJs } from '../../zone-map.ts'

const deleted = -2, unknown = -3

export function createResident(memory: LinearMemory, { columnGetIndexed, columnGetI64 }: Pick<ColumnExports, 'columnGetIndexed' | 'columnGetI64'>): Pick<ColumnExports, 'columnGetResident'> {
  const { u32, f64 } = memory
  const { zoneMapRowGroupOf } = createZoneMapJs(memory)
  return {
    columnGetResident(record, version, hash, key, keyBytes, ordinal, out) {
      const [rowGroupCount, shared, prefixes, refs, texts, columnCount] = u32.subarray(record >>> 2, (record >>> 2) + 6) as unknown as [number, number, number, number, number, number]
      const rowGroup = zoneMapRowGroupOf(prefixes, refs, texts, rowGroupCount, shared, key, keyBytes)
      if (rowGroup < 0) return unknown
      const group = record + residentHeadBytes + rowGroup * residentGroupBytes(columnCount)
      if (f64[group >>> 3] !== version) return unknown
      const [keys, index, tombstones] = u32.subarray((group >>> 2) + 2) as unknown as [number, number, number]
      const column = ordinal >= 0 && ordinal < columnCount ? u32[(group >>> 2) + 5 + ordinal]! : 0
      const row = columnGetIndexed(keys, index, hash, key, keyBytes, column, out)
      if (row < 0) return row
      if (column !== 0 && u32[(out >>> 2) + 2] === cellStates.isUnread) return unknown
      if (tombstones !== 0) {
        if (columnGetI64(tombstones, row, out + 16) !== 1) return unknown
        if (u32[(out >>> 2) + 4] !== 0) return deleted
      }
      u32[(out >>> 2) + 3] = rowGroup
      return row
    },
  }
}
