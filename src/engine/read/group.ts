/** Aggregates by group over all shards: every shard's rows go into the same groups, of which only the ends become engine values. */
import { createGroups } from '../../lsm/groups/groups.ts'
import type { GroupedValue, Groups } from '../../lsm/groups/group-rows.ts'
import type { Vector } from '../../lsm/page.ts'
import type { GroupedAggregateRequest, ReadStats, ScanRequest, Snapshot } from '../../lsm/tree.ts'
import { scanKinds } from '../../lsm/vector/scan-columns.ts'
import { readRows } from '../codec/read-page.ts'
import type { ReadKind } from '../codec/read-row.ts'
import type { EngineGroupedAggregate, EngineRow, EngineScan, EngineValue, FirstGroups } from '../engine.ts'
import type { Shards } from '../shards/shards.ts'
import type { TableAccess } from '../tables/table-access.ts'
import { allEnded } from './all-ended.ts'
import { firstGroups } from './first-groups.ts'
import { engineValueOf } from './predicate.ts'
import { scanColumn, scanReadKinds, scanRequest } from './scan.ts'

const batchRows = 1024

/** Rows of key values and aggregates, in batches. */
export async function* groupShards(shards: Shards, snapshots: readonly Snapshot[], access: TableAccess, scan: EngineScan, groupBy: readonly number[], aggregates: readonly EngineGroupedAggregate[], stats?: ReadStats, first?: FirstGroups): AsyncGenerator<readonly EngineRow[]> {
  const request = scanRequest(shards, access, scan, [])
  const wanted = aggregates.map(({ function: name, ordinal, distinct }): GroupedAggregateRequest => ({ function: name, ...(ordinal !== undefined && { ordinal }), ...(distinct && { distinct }) }))
  const kinds = scanKinds(access.layout.columns, scan.computed?.map(({ expression }) => expression))
  const groups = createGroups({ kernel: shards.kernel, columns: kinds, groupBy, aggregates: wanted, budget: shards.groupBudget })
  try {
    if (request !== undefined) await addShards(shards, snapshots, request, groups, stats)
    const readAs = scanReadKinds(access, scan)
    const results = groups.results()
    const columns = results.map((read, i) => valueReader(scan, aggregates[i]!, read))
    if (first !== undefined) {
      const numbers = await firstGroups(shards.kernel.memory, groups, groupBy.length, results, first, (from, count) => keyVectors(groups, readAs, groupBy, from, count), request?.pace)
      yield numbers.flatMap((group) => readGroups(shards, readAs, groups, groupBy, columns, group, 1))
      return
    }
    for (let first = 0; first < groups.groupCount; first += batchRows) {
      const pause = request?.pace?.turn()
      if (pause !== undefined) await pause
      yield readGroups(shards, readAs, groups, groupBy, columns, first, Math.min(batchRows, groups.groupCount - first))
    }
  } finally {
    groups.free()
  }
}

/** All shards share the groups. */
async function addShards({ trees }: Shards, snapshots: readonly Snapshot[], request: ScanRequest, groups: Groups, stats: ReadStats | undefined): Promise<void> {
  const asked = { ...request, keys: false as const }
  await allEnded(trees.map((tree, shard) => tree.groupedAggregate(snapshots[shard]!, asked, groups, stats)))
}

type ValueReader = (group: number) => EngineValue

function valueReader(scan: EngineScan, { ordinal }: EngineGroupedAggregate, read: (group: number) => GroupedValue): ValueReader {
  return (group) => {
    const value = read(group)
    return value instanceof Uint8Array ? engineValueOf(scanColumn(scan, ordinal!), value) : value
  }
}

function keyVectors(groups: Groups, kinds: readonly ReadKind[], groupBy: readonly number[], first: number, count: number): { readonly vectors: readonly Vector[]; free(): void } {
  const keys = groups.keys(first, count)
  const vectors = groupBy.map((ordinal, i): Vector => {
    const { values, nulls } = keys!.vectors[i]!
    const kind = kinds[ordinal]!
    return kind === 'i64' || kind === 'f64' ? { kind, values, nulls } : { kind: 'bytes', refs: values, nulls }
  })
  return { vectors, free: () => keys?.free() }
}

function readGroups({ kernel: { memory } }: Shards, kinds: readonly ReadKind[], groups: Groups, groupBy: readonly number[], aggregates: readonly ValueReader[], first: number, count: number): readonly EngineRow[] {
  const keys = keyVectors(groups, kinds, groupBy, first, count)
  try {
    const vectors: Vector[] = []
    groupBy.forEach((ordinal, i) => (vectors[ordinal] = keys.vectors[i]!))
    const numbers = Array.from({ length: count }, (_, i) => i)
    const rows = readRows(memory, kinds, { vectors }, numbers, groupBy)
    return rows.map((key, i) => [...key, ...aggregates.map((read) => read(first + i))])
  } finally {
    keys.free()
  }
}
