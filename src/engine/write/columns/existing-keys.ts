/** Whether rows that are to be new have keys that exist. */
import { isFetch, lookUp, readEach } from '../../read/point-read.ts'
import type { StatementPart } from '../../shards/commit.ts'
import type { Shards } from '../../shards/shards.ts'
import type { TableAccess } from '../../tables/table-access.ts'
import { batchKeys } from '../../../lsm/batch.ts'
import type { KeySpan } from '../../../lsm/keys/key-bytes.ts'
import type { ReadStats } from '../../../lsm/tree.ts'

/** Whether a key of the parts exists now. The caller holds their locks, so nothing changes while this waits for storage. */
export async function anyExists(shards: Shards, access: TableAccess, parts: readonly StatementPart[], stats: ReadStats | undefined): Promise<boolean> {
  for (const { shard, batch } of parts) {
    if (isInEmptySpan(shards, shard, access, batch)) continue
    for (const [from, to] of batchKeys(batch)) {
      shards.assertOpen()
      shards.keys.copyOne(batch, from, to)
      const found = lookUp(shards, shard, undefined, access, stats)
      if (found === undefined) continue
      return isFetch(found) ? await anyExistsFar(shards, access, parts, stats) : true
    }
  }
  return false
}

/** The same where some of them must be fetched. */
async function anyExistsFar(shards: Shards, access: TableAccess, parts: readonly StatementPart[], stats: ReadStats | undefined): Promise<boolean> {
  const keys = parts.flatMap(({ shard, batch }) => [...batchKeys(batch)].map(([from, to]) => ({ shard, batch, from, to })))
  let exists = false
  await readEach({
    count: keys.length,
    ask(index) {
      const { shard, batch, from, to } = keys[index]!
      shards.assertOpen()
      shards.keys.copyOne(batch, from, to)
      return lookUp(shards, shard, undefined, access, stats)
    },
    visit(_, row) {
      exists = row !== undefined
      return !exists
    },
    stats,
  })
  return exists
}

/** Rows that come in the order of their keys mostly go where a shard has none yet. */
function isInEmptySpan(shards: Shards, shard: number, { schema: { tableId } }: TableAccess, batch: Uint8Array): boolean {
  const tree = shards.trees[shard]!
  if (tree.isEmptySpan === undefined) return false
  shards.assertOpen()
  return tree.isEmptySpan(shards.newest(shard), tableId, spanOf(batch))
}

/** From the smallest to the largest key of a batch. */
function spanOf(batch: Uint8Array): KeySpan {
  let first: readonly [number, number] | undefined, last: readonly [number, number] | undefined
  for (const key of batchKeys(batch)) {
    if (first === undefined || compareWithin(batch, key, first) < 0) first = key
    if (last === undefined || compareWithin(batch, key, last) > 0) last = key
  }
  return { first: batch.subarray(...first!), last: batch.subarray(...last!) }
}

function compareWithin(bytes: Uint8Array, [leftFrom, leftTo]: readonly [number, number], [rightFrom, rightTo]: readonly [number, number]): number {
  const shared = Math.min(leftTo - leftFrom, rightTo - rightFrom)
  for (let i = 0; i < shared; i++) {
    const difference = bytes[leftFrom + i]! - bytes[rightFrom + i]!
    if (difference !== 0) return difference
  }
  return leftTo - leftFrom - (rightTo - rightFrom)
}
