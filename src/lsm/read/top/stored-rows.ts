/** Columns of single rows of a row group, read late: only of rows that are in the answer. */
import { createArena } from '../../state/arena.ts'
import type { TableReader } from '../../table/table.ts'
import type { RowSource } from '../../top/top-rows.ts'
import type { ReadContext } from '../read-context.ts'
import { decodeColumn } from '../row-group-columns.ts'
import { valueReader } from './read-values.ts'

export function storedRows(context: ReadContext, reader: TableReader, rowGroup: number): RowSource {
  const { kernel: { heap, memory }, stats } = context
  return {
    async read(rows, ordinals) {
      const pin = await reader.pin(rowGroup, rowGroup + 1, ordinals, stats)
      const arena = createArena(heap)
      try {
        const rowCount = reader.rowGroupRows(rowGroup)
        const columns = ordinals.map((ordinal) => valueReader(memory, decodeColumn(context, pin.chunk(rowGroup, ordinal), ordinal, 0, rowCount, arena), true))
        return rows.map((row) => columns.map((column) => column(row)))
      } finally {
        arena.free()
        pin.unpin()
      }
    },
  }
}
