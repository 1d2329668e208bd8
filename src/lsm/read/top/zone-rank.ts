/** What zone maps tell of a row group before it is read: the first value that it can have in an order. */
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import { zoneMapFields } from '../../table/format.ts'
import type { TableReader } from '../../table/table.ts'
import type { RankValue } from '../../top/rank.ts'
import type { TopKey } from '../../top/top-rows.ts'
import type { RowLayout } from '../../keys/row-layout.ts'

/** undefined: it cannot be told, as of long texts and of columns that are younger than the file. */
export type ZoneRank = (reader: TableReader, rowGroup: number) => RankValue | undefined

export function zoneRank({ u32, i32, i64, f64 }: LinearMemory, { ordinal, descending, nullsFirst }: TopKey, { layout, missing }: RowLayout): ZoneRank {
  const kind = layout.columns[ordinal]!
  const extreme = (reader: TableReader, map: Pointer, rowGroup: number): RankValue | undefined => {
    if (kind === 'bytes') return reader.textExtremes(rowGroup, ordinal)?.[descending ? 'max' : 'min']
    const fields = zoneMapFields(reader.meta.rowGroupCount)
    const at = map + (descending ? fields.max : fields.min) + 8 * rowGroup
    if (kind === 'f64') return f64[at >>> 3]!
    const number = i32[(at >>> 2) + 1]! * 0x1_0000_0000 + u32[at >>> 2]!
    return Number.isSafeInteger(number) ? number : i64[at >>> 3]!
  }
  return (reader, rowGroup) => {
    const map = reader.zoneMap(ordinal)
    if (map === 0) return missing.cell(ordinal) === undefined ? null : undefined
    const nulls = u32[((map + zoneMapFields(reader.meta.rowGroupCount).nulls) >>> 2) + rowGroup]!
    const live = u32[(reader.liveRowCounts >>> 2) + rowGroup]!
    if (nulls >= live || (nullsFirst && nulls > 0)) return null
    return extreme(reader, map, rowGroup)
  }
}
