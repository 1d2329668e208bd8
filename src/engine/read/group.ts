/** Aggregates by group over all shards: every shard's rows go into the same groups, of which only the ends become engine values. */
import { createGroups } from '../../lsm/groups/groups.ts'
import type { Groups } from '../../lsm/groups/group-rows.ts'
import type { ReaderPart } from '../../lsm/readers/reader-messages.ts'
import type { GroupedAggregateRequest, ReadStats, ScanRequest, Snapshot } from '../../lsm/tree.ts'
import { scanKinds } from '../../lsm/vector/scan-columns.ts'
import type { Pace } from '../../runtime/pace.ts'
import type { EngineGroupedAggregate, EngineRow, EngineScan, WantedGroups } from '../engine.ts'
import type { Shards } from '../shards/shards.ts'
import type { TableAccess } from '../tables/table-access.ts'
import { allEnded } from './all-ended.ts'
import { finishGroups } from './finished-groups.ts'
import type { FinishedGroups } from './finished-groups.ts'
import { firstGroups } from './wanted/first-groups.ts'
import { keptGroups } from './wanted/kept-groups.ts'
import { scanReadKinds } from './row-kinds.ts'
import { scanRequest } from './scan.ts'
import { readShared } from './shared-read.ts'

const batchRows = 1024

/** Rows of key values and aggregates, in batches. */
export async function* groupShards(shards: Shards, snapshots: readonly Snapshot[], access: TableAccess, scan: EngineScan, groupBy: readonly number[], aggregates: readonly EngineGroupedAggregate[], stats?: ReadStats, wanted: WantedGroups = {}): AsyncGenerator<readonly EngineRow[]> {
  const request = scanRequest(shards, access, scan, [])
  const requests = aggregates.map(({ function: name, ordinal, distinct }): GroupedAggregateRequest => ({ function: name, ordinal, distinct }))
  const kinds = scanKinds(access.layout.columns, scan.computed?.map(({ expression }) => expression))
  const create = (): Groups => createGroups({ kernel: shards.kernel, columns: kinds, groupBy, aggregates: requests, budget: shards.groupBudget })
  const groups = request === undefined ? create() : await readShared(shards, request, { kind: 'groups', groupBy, aggregates: requests }, stats, (asked, parts) => filledGroups(shards, snapshots, asked, create(), parts, stats))
  try {
    const finished = finishGroups(shards.kernel.memory, groups, scan, scanReadKinds(access, scan), groupBy, aggregates)
    const { having, first } = wanted
    if (first === undefined) yield* rowsOf(finished, having, request?.pace)
    else yield await firstGroups(finished, first, having, request?.pace)
  } finally {
    groups.free()
  }
}

/** All shards share the groups, which are freed when it fails. */
async function filledGroups({ trees }: Shards, snapshots: readonly Snapshot[], request: ScanRequest, groups: Groups, parts: () => Promise<readonly ReaderPart[]>, stats: ReadStats | undefined): Promise<Groups> {
  const asked = { ...request, keys: false as const }
  try {
    await allEnded(trees.map((tree, shard) => tree.groupedAggregate(snapshots[shard]!, asked, groups, stats)))
    for (const part of await parts()) if (part.kind === 'groups') groups.merge(part.groups)
    return groups
  } catch (error) {
    groups.free()
    throw error
  }
}

async function* rowsOf(finished: FinishedGroups, having: WantedGroups['having'], pace: Pace | undefined): AsyncGenerator<readonly EngineRow[]> {
  const buffer = new Float64Array(having === undefined ? 0 : batchRows)
  for (let first = 0; first < finished.groupCount; first += batchRows) {
    const pause = pace?.turn()
    if (pause !== undefined) await pause
    const rows = rowsOfBlock(finished, first, Math.min(batchRows, finished.groupCount - first), having, buffer)
    if (rows.length > 0) yield rows
  }
}

/** `buffer` has room for a double of each group. */
function rowsOfBlock(finished: FinishedGroups, first: number, count: number, having: WantedGroups['having'], buffer: Float64Array): readonly EngineRow[] {
  const block = finished.block(first, count)
  try {
    const places = having === undefined ? Array.from({ length: count }, (_, place) => place) : keptGroups(block, first, count, having, buffer)
    return places.length === 0 ? [] : block.rows(places.map((place) => first + place))
  } finally {
    block.free()
  }
}
