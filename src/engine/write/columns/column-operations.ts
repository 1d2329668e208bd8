/** Rows given by column to operations of the statement's batches, a chunk of rows after the other. */
import type { EngineColumns } from '../../engine.ts'
import { fillChunk } from './column-values.ts'
import { copyHashes, encodeChunk } from './encode-chunk.ts'
import type { ChunkStatement } from './encode-chunk.ts'
import { writePlan } from './values-plan.ts'

/** Adds all rows and returns the lock hashes of their keys; undefined when some value is not taken here. */
export function addColumns(statement: ChunkStatement, columns: EngineColumns): Uint32Array | undefined {
  const { scratch, access } = statement
  const first = access.schema.hiddenKey ? 1 : 0
  const plan = writePlan(scratch, access, { targets: columns.columns.map((_, index) => index + first), defaults: access.schema.columns.map(() => null) })
  if (plan === undefined) return undefined
  const hashes = new Uint32Array(columns.rowCount)
  for (let from = 0; from < columns.rowCount; ) {
    const rows = fillChunk(scratch, access, plan, columns, from)
    if (rows === 0 || !encodeChunk(statement, plan, from, rows)) return undefined
    copyHashes(scratch, hashes, from, rows)
    from += rows
  }
  return hashes
}
