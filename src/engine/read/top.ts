/** The first rows of a scan over all shards in the order of columns: every shard offers its rows to the same few. */
import { createTopRows } from '../../lsm/top/top-rows.ts'
import type { TopRows } from '../../lsm/top/top-rows.ts'
import type { ReadStats, ScanRequest, Snapshot } from '../../lsm/tree.ts'
import type { EngineOrder, EngineRow, EngineScan } from '../engine.ts'
import type { Shards } from '../shards/shards.ts'
import type { TableAccess } from '../tables/table-access.ts'
import { allEnded } from './all-ended.ts'
import { engineValueOf } from './predicate.ts'
import { scanRequest } from './scan.ts'

/** At most `limit` rows, in order. */
export async function topShards(shards: Shards, snapshots: readonly Snapshot[], access: TableAccess, scan: EngineScan, order: readonly EngineOrder[], limit: number, stats?: ReadStats): Promise<readonly EngineRow[]> {
  const request = scanRequest(shards, access, scan, scan.columns)
  if (request === undefined || limit <= 0) return []
  const top = createTopRows(order, scan.columns, limit)
  await offerShards(shards, snapshots, { ...request, keys: false }, top, stats)
  const { columns } = access.schema
  return (await top.rows()).map((row) => row.map((value, i) => (value instanceof Uint8Array ? engineValueOf(columns[scan.columns[i]!]!, value) : value)))
}

/** All shards share the rows. */
async function offerShards({ trees }: Shards, snapshots: readonly Snapshot[], request: ScanRequest, top: TopRows, stats: ReadStats | undefined): Promise<void> {
  await allEnded(trees.map((tree, shard) => tree.topRows(snapshots[shard]!, request, top, stats)))
}
