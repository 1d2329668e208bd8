/** GROUP BY by hashing; without keys all rows are one group, even when there are none. */
import type { EngineRow, EngineScan, EngineValue } from '../../engine/engine.ts'
import { unlessCancelled } from '../cancel.ts'
import { scanRange } from '../execute/bounds.ts'
import { resolveTerms } from '../execute/terms.ts'
import { compile } from '../expression/compile.ts'
import type { Evaluate } from '../expression/compile.ts'
import { keyOf, keyOfAll } from '../expression/value/order.ts'
import { aggregateOf } from './aggregate.ts'
import type { AnyAggregate } from './aggregate.ts'
import type { GroupNode } from './node.ts'
import { plainGroup } from './plain-group.ts'
import type { PlainGroup } from './plain-group.ts'
import { batchRows, hold, pace, snapshotOf } from './query-run.ts'
import type { Batch, QueryRun, Stream } from './query-run.ts'

interface Column {
  readonly aggregate: AnyAggregate
  /** Absent for COUNT(*). */
  readonly argument: Evaluate | undefined
  readonly distinct: boolean
}

interface Group {
  readonly keys: EngineRow
  readonly states: unknown[]
  /** By column, the values seen; for DISTINCT. */
  readonly seen: (Set<EngineValue> | undefined)[]
}

export function group(node: GroupNode, input: Stream, run: QueryRun): Stream {
  const plain = plainGroup(node)
  return plain === undefined ? hashed(node, input, run) : byEngine(plain, run)
}

function byEngine({ scan: { table, terms }, keys, requests, values }: PlainGroup, run: QueryRun): Stream {
  const resolved = resolveTerms(terms, run.values)
  const result = (row: EngineRow): EngineRow => [...row.slice(0, keys.length), ...values.map((value) => value(row))]
  const nothing: Batch = keys.length > 0 ? [] : [result(requests.map((request) => (request.function === 'count' ? 0 : null)))]
  return async function* () {
    if (resolved === undefined) {
      yield nothing
      return
    }
    const scan: EngineScan = { table, ...scanRange(table, resolved), ordered: false, columns: [], ...(run.signal === undefined ? {} : { signal: run.signal }) }
    if (keys.length === 0 && !requests.some(({ distinct }) => distinct)) yield [result(await unlessCancelled(run.engine.aggregate(snapshotOf(run), scan, requests, run.stats), run.signal))]
    else for await (const batch of run.engine.groupedAggregate(snapshotOf(run), scan, keys, requests, run.stats)) yield batch.map(result)
  }
}

function hashed(node: GroupNode, input: Stream, run: QueryRun): Stream {
  const keys = node.keys.map((key) => compile(key, run))
  const columns = node.aggregates.map((aggregate): Column => ({
    aggregate: aggregateOf(aggregate),
    argument: aggregate.argument === undefined ? undefined : compile(aggregate.argument, run),
    distinct: aggregate.distinct,
  }))
  return async function* () {
    const groups = new Map<EngineValue, Group>()
    if (keys.length === 0) groups.set('', newGroup([], columns))
    for await (const batch of input()) {
      await pace(run, batch.length)
      for (const row of batch) addRow(run, groupOf(run, groups, keys, columns, row), columns, row)
    }
    yield* grouped(groups, columns)
  }
}

function newGroup(keys: EngineRow, columns: readonly Column[]): Group {
  return { keys, states: columns.map(({ aggregate }) => aggregate.init()), seen: columns.map(({ distinct }) => (distinct ? new Set() : undefined)) }
}

function groupOf(run: QueryRun, groups: Map<EngineValue, Group>, keys: readonly Evaluate[], columns: readonly Column[], row: EngineRow): Group {
  if (keys.length === 0) return groups.get('')!
  const values = keys.map((key) => key(row))
  const key = keyOfAll(values)
  let found = groups.get(key)
  if (found === undefined) {
    found = newGroup(values, columns)
    hold(run, values)
    groups.set(key, found)
  }
  return found
}

function addRow(run: QueryRun, { states, seen }: Group, columns: readonly Column[], row: EngineRow): void {
  for (let index = 0; index < columns.length; index++) {
    const { aggregate, argument } = columns[index]!
    const value = argument === undefined ? 1 : argument(row)
    if (value === null) continue
    const known = seen[index]
    if (known !== undefined) {
      const key = keyOf(value)
      if (known.has(key)) continue
      known.add(key)
      hold(run, [key])
    }
    states[index] = aggregate.add(states[index], value)
  }
}

function* grouped(groups: ReadonlyMap<EngineValue, Group>, columns: readonly Column[]): Generator<Batch> {
  let batch: EngineRow[] = []
  for (const { keys, states } of groups.values()) {
    batch.push([...keys, ...columns.map(({ aggregate }, index) => aggregate.value(states[index]))])
    if (batch.length < batchRows) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
