/** Row ids of tables without a primary key: ascending, going on after the largest stored one. */
import type { EngineRow } from '../engine.ts'
import { scanShards } from '../read/scan.ts'
import { shardsOf } from '../shards/shard-snapshot.ts'
import type { Shards } from '../shards/shards.ts'
import type { TableAccess } from './table-access.ts'

/** Reads the largest row id of every shard, once a table and opening. */
export async function recoverNextRowId(shards: Shards, access: TableAccess): Promise<void> {
  const snapshot = shards.snapshot()
  try {
    await snapshot.ready
    const scan = { table: access.schema, ordered: true, reverse: true, columns: [0], predicate: [], limit: 1 }
    let largest = 0
    for await (const rows of scanShards(shards, shardsOf(snapshot), access, scan)) largest = Number(rows[0]![0])
    // Another statement may have waited for the same, and be ahead.
    access.state.nextRowId ??= largest + 1
  } finally {
    snapshot.release()
  }
}

/** The rows with their ids before them. */
export function withRowIds(access: TableAccess, rows: readonly EngineRow[]): readonly EngineRow[] {
  const first = access.state.nextRowId!
  access.state.nextRowId = first + rows.length
  return rows.map((row, i) => [first + i, ...row])
}
