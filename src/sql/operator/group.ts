/**
 * GROUP BY; without keys all rows are one group, even when there are none. The engine groups by itself where it can and as
 * long as its memory lasts; otherwise rows are hashed here. Groups that do not fit into memory are left to later passes.
 */
import { unlessEnded } from '../../runtime/end-signal.ts'
import type { EngineAggregate, EngineRow, EngineScan, WantedGroups } from '../../engine/engine.ts'
import { LsmtError } from '../../errors.ts'
import type { ReadStats } from '../../lsm/tree.ts'
import { singleRange } from '../execute/access.ts'
import { compile } from '../expression/compile.ts'
import type { Run } from '../expression/compile.ts'
import { engineGroup } from './engine/engine-group.ts'
import type { EngineGroup, GroupValue } from './engine/engine-group.ts'
import { wantedOfEngine } from './engine/wanted-groups.ts'
import type { WantedRows } from './engine/wanted-groups.ts'
import { hashed } from './hashed-group.ts'
import type { GroupNode, QueryNode } from './node.ts'
import { only, readStatsOf, snapshotOf } from './query-run.ts'
import type { Batch, QueryRun, Stream } from './query-run.ts'
import { scanAccess } from './scan.ts'

/** `wanted`: which groups will be taken; others may come as well, in any order. */
export function group(node: GroupNode, input: () => Stream, run: QueryRun, wanted?: WantedRows): Stream {
  const asked = engineGroup(node, run), share = run.memory.share(), byRows = (): Stream => hashed(node, input(), run, share)
  return (asked && byEngine(asked, run, readStatsOf(run, node), byRows, wanted)) ?? byRows()
}

/** Distinct rows as groups of all their columns, where the engine can make them; `byRows` opens the same rows. */
export function distinctGroups(node: DistinctNode, byRows: () => Stream, run: QueryRun): Stream | undefined {
  const asked = distinctGroup(node, run)
  return asked && byEngine(asked, run, readStatsOf(run, node), byRows)
}

export type DistinctNode = Extract<QueryNode, { kind: 'distinct' }>

export function distinctGroup({ input }: DistinctNode, run: Run): EngineGroup | undefined {
  return input.kind === 'project' ? engineGroup({ kind: 'group', input: input.input, keys: input.expressions, aggregates: [] }, run) : undefined
}

/**
 * undefined where rows are read by their keys, or range by range: of those the engine makes no groups. `byRows` opens what
 * takes over where the engine gives up, which mostly nobody asks for: at once only where the scan looks up keys, since
 * these are known only while operators are made.
 */
function byEngine({ scan: scanned, gate, conditions, computed, keys, requests, values }: EngineGroup, run: QueryRun, stats: ReadStats, byRows: () => Stream, wantedRows?: WantedRows): Stream | undefined {
  const { table } = scanned
  const access = scanAccess(scanned, run)
  const range = singleRange(access)
  if (access.kind !== 'nothing' && range === undefined) return undefined
  let opened = run.lookups.size > 0 ? byRows() : undefined
  const isOpen = gate === undefined ? () => 1 : compile(gate.condition, run)
  const result = resultOf(keys.length, values)
  const wanted: WantedGroups | undefined = wantedRows && wantedOfEngine(wantedRows, keys.length, values, run)
  const nothing: Batch = keys.length > 0 ? [] : [result(requests.map((request) => (request.function === 'count' ? 0 : null)))]
  return () => {
    if (range === undefined || isOpen([]) !== 1) return only(nothing)
    const scan: EngineScan = { table, lower: range.lower, upper: range.upper, predicate: range.predicate, ordered: false, reverse: false, columns: [], conditions, computed, limit: undefined, signal: run.signal }
    const isOne = keys.length === 0 && !requests.some(({ distinct }) => distinct)
    return unlessRefused(isOne ? oneGroup(scan, requests, run, stats) : run.engine.groupedAggregate(snapshotOf(run), scan, keys, requests, stats, wanted), result, () => (opened ??= byRows())())
  }
}

/** Rows of the node's keys and aggregates out of the engine's; as they are where they have the same columns. */
function resultOf(keyCount: number, values: readonly GroupValue[]): (row: EngineRow) => EngineRow {
  if (values.every((value, i) => value === keyCount + i)) return (row) => row
  return (row) => {
    const result = row.slice(0, keyCount)
    for (const value of values) result.push(typeof value === 'number' ? row[value]! : value.of(row))
    return result
  }
}

async function* oneGroup(scan: EngineScan, requests: readonly EngineAggregate[], run: QueryRun, stats: ReadStats): AsyncGenerator<Batch> {
  yield [await unlessEnded(run.engine.aggregate(snapshotOf(run), scan, requests, stats), run.signal)]
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
