/** Whether rows that are to be new have keys that exist, or stand twice among them. */
import { isFetch, lookUp, readEach } from '../../read/point-read.ts'
import type { StatementPart } from '../../shards/commit.ts'
import type { Shards } from '../../shards/shards.ts'
import type { TableAccess } from '../../tables/table-access.ts'
import { batchKeys } from '../../../lsm/batch.ts'
import type { ReadStats } from '../../../lsm/tree.ts'
import type { KeyExtent, KeyExtents } from './key-extents.ts'

/** One shard's share of rows that are to be new. */
export interface NewPart extends StatementPart {
  readonly keys: KeyExtent
}

/** Written out: spread objects would each have a shape of their own, and all that reads them be slow. */
export const newParts = (parts: readonly StatementPart[], extents: KeyExtents): readonly NewPart[] =>
  parts.map(({ shard, batch, operationCount }) => ({ shard, batch, operationCount, keys: extents.of(shard) }))

/** Whether a key stands twice among them: equal keys have equal hashes and are in one shard. */
export function hasRepeats(parts: readonly NewPart[], hashes: Uint32Array): boolean {
  const doubtful = parts.filter(({ keys }) => !keys.isAscending)
  return doubtful.length > 0 && hasEqual(hashes) && doubtful.some(repeatsWithin)
}

function hasEqual(hashes: Uint32Array): boolean {
  const sorted = hashes.toSorted()
  for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) return true
  return false
}

function repeatsWithin({ batch, operationCount }: NewPart): boolean {
  const bytes = Buffer.from(batch.buffer, batch.byteOffset, batch.length)
  const seen = new Set<string>()
  for (const [from, to] of batchKeys(batch)) seen.add(bytes.toString('latin1', from, to))
  return seen.size < operationCount
}

/** Whether a key of the parts exists now. The caller holds their locks, so nothing changes while this waits for storage. */
export async function anyExists(shards: Shards, access: TableAccess, parts: readonly NewPart[], stats: ReadStats | undefined): Promise<boolean> {
  for (const { shard, batch, keys } of parts) {
    if (isInEmptySpan(shards, shard, access, keys)) continue
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
async function anyExistsFar(shards: Shards, access: TableAccess, parts: readonly NewPart[], stats: ReadStats | undefined): Promise<boolean> {
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
function isInEmptySpan(shards: Shards, shard: number, { schema: { tableId } }: TableAccess, keys: KeyExtent): boolean {
  const tree = shards.trees[shard]!
  if (tree.isEmptySpan === undefined) return false
  shards.assertOpen()
  return tree.isEmptySpan(shards.newest(shard), tableId, keys)
}
