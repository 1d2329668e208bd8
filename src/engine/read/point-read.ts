/** Point reads: from a key to its row in its shard. */
import type { Fetch, ReadStats, RowHandle, Snapshot } from '../../lsm/tree.ts'
import type { EngineRow } from '../engine.ts'
import type { Shards } from '../shards/shards.ts'
import type { TableAccess } from '../tables/table-access.ts'

/**
 * Looks up the first key of the key scratch in its shard, in snapshots by shard or (undefined) as it is now. What must
 * be read from storage is read on this thread where the storage can: its files are mostly in the operating system's
 * cache, and waiting for another thread costs ten times such a read. Otherwise the answer is what to fetch before
 * asking again.
 */
export function lookUp(shards: Shards, shard: number, snapshots: readonly Snapshot[] | undefined, access: TableAccess, stats?: ReadStats): RowHandle | Fetch | undefined {
  const { keys } = shards
  const tree = shards.trees[shard]!
  const snapshot = snapshots === undefined ? shards.newest(shard) : snapshots[shard]
  for (;;) {
    const found = tree.get(snapshot, access.schema.tableId, keys.addressOf(0), keys.byteLengthOf(0), stats)
    if (found === undefined || !isFetch(found) || found.fetchSync === undefined) return found
    found.fetchSync()
  }
}

export function isFetch(found: RowHandle | Fetch): found is Fetch {
  return 'fetch' in found
}

/**
 * Looks up the keys `keys[i]` (values at `ordinals`) as they are now, and hands each to `visit`, in order and at once
 * when no storage is needed. The caller holds the keys' locks, so nothing changes while it waits for storage.
 */
export async function readNewest(shards: Shards, access: TableAccess, keys: readonly EngineRow[], ordinals: readonly number[], visit: (index: number, row: RowHandle | undefined) => void): Promise<void> {
  for (let i = 0; i < keys.length; i++) {
    for (let isRead = false; !isRead; ) {
      shards.assertOpen()
      shards.keys.writeOne(access, keys[i]!, ordinals)
      const found = lookUp(shards, shards.keys.shardOf(0), undefined, access)
      if (found !== undefined && isFetch(found)) await found.fetch()
      else {
        visit(i, found)
        isRead = true
      }
    }
  }
}
