/** Parts of several statements as those of one. */
import { joinBatches } from '../../lsm/batch-builder.ts'
import type { StatementPart } from './commit.ts'

/** One part a shard, with the operations of the given ones in their order. */
export function joinParts(given: readonly StatementPart[]): readonly StatementPart[] {
  const shards = [...new Set(given.map(({ shard }) => shard))]
  return shards.map((shard) => {
    const parts = given.filter((part) => part.shard === shard)
    return {
      shard,
      batch: joinBatches(parts.map(({ batch }) => batch), shards.length > 1 ? shards.length : 0),
      operationCount: parts.reduce((sum, { operationCount }) => sum + operationCount, 0),
    }
  })
}
