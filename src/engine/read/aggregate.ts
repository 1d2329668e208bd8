/** Aggregates over all shards: each tree's partials, merged, and their value. */
import type { AggregatePartial, AggregateRequest, ReadStats, Snapshot } from '../../lsm/tree.ts'
import { mergePartials } from '../../lsm/aggregate.ts'
import { canonicalInteger } from '../check-value.ts'
import type { EngineAggregate, EngineRow, EngineScan, EngineValue } from '../engine.ts'
import type { Shards } from '../shards/shards.ts'
import type { TableAccess } from '../tables/table-access.ts'
import { allEnded } from './all-ended.ts'
import { engineValueOf } from './predicate.ts'
import { scanColumn, scanRequest } from './scan.ts'
import { readShared } from './shared-read.ts'

/** One value for each aggregate over the rows of a scan, in snapshots by shard. */
export async function aggregateShards(shards: Shards, snapshots: readonly Snapshot[], access: TableAccess, scan: EngineScan, aggregates: readonly EngineAggregate[], stats?: ReadStats): Promise<EngineRow> {
  const request = scanRequest(shards, access, scan, [])
  if (request === undefined) return aggregates.map((aggregate) => (aggregate.function === 'count' ? 0 : null))
  const asked = { ...request, keys: false as const }
  const wanted = aggregates.map(({ function: name, ordinal }): AggregateRequest => ({ function: name, ordinal }))
  const answers = await readShared(shards, asked, { kind: 'aggregates', aggregates: wanted }, stats, async (sharedRequest, parts) => {
    const partials = await allEnded(shards.trees.map((tree, shard) => tree.aggregate(snapshots[shard]!, sharedRequest, wanted, stats)))
    return [...partials, ...(await parts()).flatMap((part) => (part.kind === 'aggregates' ? [part.partials] : []))]
  })
  return aggregates.map((aggregate, i) => partialValue(scan, aggregate, answers.map((partials) => partials[i]!).reduce(mergePartials)))
}

/** What a partial over all rows comes to. */
function partialValue(scan: EngineScan, aggregate: EngineAggregate, partial: AggregatePartial): EngineValue {
  switch (partial.kind) {
    case 'count':
      return partial.count
    case 'extreme':
      return partial.value === undefined ? null : engineValueOf(scanColumn(scan, aggregate.ordinal!), partial.value)
    case 'sumI64':
      return partial.count === 0 ? null : canonicalInteger(partial.sum)
    case 'sumF64':
      if (partial.count === 0) return null
      return Number.isFinite(partial.high) ? partial.high + partial.low : partial.high
  }
}
