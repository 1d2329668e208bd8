/**
 * GROUP BY; without keys all rows are one group, even when there are none. The engine groups by itself where it can and as
 * long as its memory lasts; otherwise rows are hashed here. Groups that do not fit into memory are left to later passes.
 */
import type { EngineAggregate, EngineRow, EngineScan } from '../../engine/engine.ts'
import { LsmtError } from '../../errors.ts'
import { unlessCancelled } from '../cancel.ts'
import { scanRange } from '../execute/bounds.ts'
import { resolveTerms } from '../execute/terms.ts'
import { engineGroup } from './engine/engine-group.ts'
import type { EngineGroup } from './engine/engine-group.ts'
import { hashed } from './hashed-group.ts'
import type { GroupNode, QueryNode } from './node.ts'
import { snapshotOf } from './query-run.ts'
import type { Batch, QueryRun, Stream } from './query-run.ts'

export function group(node: GroupNode, input: Stream, run: QueryRun): Stream {
  const asked = engineGroup(node, run)
  const byRows = hashed(node, input, run)
  return asked === undefined ? byRows : byEngine(asked, run, byRows)
}

/** Distinct rows as groups of all their columns, where the engine can make them; `byRows` are the same rows. */
export function distinctGroups(input: QueryNode, byRows: Stream, run: QueryRun): Stream | undefined {
  const asked = input.kind === 'project' ? engineGroup({ kind: 'group', input: input.input, keys: input.expressions, aggregates: [] }, run) : undefined
  return asked && byEngine(asked, run, byRows)
}

function byEngine({ scan: { table, terms }, conditions, computed, keys, requests, values }: EngineGroup, run: QueryRun, byRows: Stream): Stream {
  const resolved = resolveTerms(terms, run.values)
  const result = (row: EngineRow): EngineRow => [...row.slice(0, keys.length), ...values.map((value) => value(row))]
  const nothing: Batch = keys.length > 0 ? [] : [result(requests.map((request) => (request.function === 'count' ? 0 : null)))]
  return async function* () {
    if (resolved === undefined) {
      yield nothing
      return
    }
    const scan: EngineScan = { table, ...scanRange(table, resolved), ordered: false, columns: [], conditions, computed, ...(run.signal === undefined ? {} : { signal: run.signal }) }
    const isOne = keys.length === 0 && !requests.some(({ distinct }) => distinct)
    yield* unlessRefused(isOne ? oneGroup(scan, requests, run) : run.engine.groupedAggregate(snapshotOf(run), scan, keys, requests, run.stats), result, byRows)
  }
}

async function* oneGroup(scan: EngineScan, requests: readonly EngineAggregate[], run: QueryRun): AsyncGenerator<Batch> {
  yield [await unlessCancelled(run.engine.aggregate(snapshotOf(run), scan, requests, run.stats), run.signal)]
}

/** No memory for the groups; a number that the engine has no room for, or one that SQL does not have either: rows tell. */
const refusals: ReadonlySet<string> = new Set(['53200', '22003', '22012'])

/** The groups, or `otherwise` when the engine gives up before the first. */
async function* unlessRefused(groups: AsyncIterable<Batch>, result: (row: EngineRow) => EngineRow, otherwise: Stream): AsyncGenerator<Batch> {
  let isGiven = false
  try {
    for await (const batch of groups) {
      isGiven = true
      yield batch.map(result)
    }
    return
  } catch (error) {
    if (isGiven || !(error instanceof LsmtError) || !refusals.has(error.code)) throw error
  }
  yield* otherwise()
}
