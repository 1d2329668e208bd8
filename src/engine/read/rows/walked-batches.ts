/** Rows of a walk in batches that grow, so that a scan that stops early makes few rows, until they have as much text as batches may. */
import type { EngineValue } from '../../engine.ts'
import type { EngineWalk, RowColumns } from '../../engine-walk.ts'
import { batchRows, batchTextBytes, lengthsOf } from './page-reader.ts'

const firstRows = 32

export async function* walkedBatches(walk: EngineWalk<EngineValue>, limit: number): AsyncGenerator<RowColumns<EngineValue>> {
  try {
    for (let left = limit, rowsMax = firstRows; left > 0; ) {
      const rows = await walk.next(Math.min(rowsMax, left))
      if (rows === undefined) return
      left -= rows.rowCount
      // Those that come next are about as long.
      rowsMax = Math.max(1, Math.min(batchRows, 2 * rowsMax, Math.floor((rows.rowCount * batchTextBytes) / Math.max(1, textBytesOf(rows)))))
      yield rows
    }
  } finally {
    walk.close()
  }
}

function textBytesOf({ columns, rowCount }: RowColumns<EngineValue>): number {
  return columns.reduce((bytes, values) => bytes + lengthsOf(values, 0, rowCount), 0)
}
