/** A tree of operators to the stream of its rows. */
import type { EngineRow } from '../../engine/engine.ts'
import { singleRange } from '../execute/access.ts'
import { compile } from '../expression/compile.ts'
import type { Evaluate } from '../expression/compile.ts'
import { apply } from './apply.ts'
import { checked, filter } from './filter.ts'
import { distinctGroups, group } from './group.ts'
import type { DistinctNode } from './group.ts'
import { lookupJoin } from './lookup/lookup-join.ts'
import type { GroupNode, QueryNode, SortKey } from './node.ts'
import { engineTop, topOfScan, topRowsMax } from './engine/engine-top.ts'
import type { WantedRows } from './engine/wanted-groups.ts'
import { batchRows, newRow, pace } from './query-run.ts'
import type { Batch, Prepare, QueryRun, Stream } from './query-run.ts'
import { scan, scanAccess } from './scan.ts'
import { distinct, gated, matched, unionAll } from './set.ts'
import { sort } from './sort.ts'
import { limited, rowWindow } from './window.ts'
import { commonRows } from './with/common-rows.ts'

/** `rowsMax`: no more rows will be taken. `repeated`: the rows are asked for many times. */
export function open(node: QueryNode, run: QueryRun, rowsMax?: number, repeated = false): Stream {
  return watched(node, openNode(node, run, rowsMax, repeated), run)
}

function watched(node: QueryNode, rows: Stream, run: QueryRun): Stream {
  return run.probe === undefined ? rows : run.probe.watch(node, rows, run)
}

function openNode(node: QueryNode, run: QueryRun, rowsMax: number | undefined, repeated: boolean): Stream {
  const input = (inner: QueryNode, max?: number): Stream => open(inner, run, max, repeated)
  const prepare: Prepare = (plan, max, again) => open(plan as QueryNode, run, max, again || repeated)
  switch (node.kind) {
    case 'scan':
      return scan(node, run, rowsMax, repeated)
    case 'values': {
      const rows = node.rows.map((row) => row.map((item) => compile(item, run)))
      return () => evaluated(rows)
    }
    case 'given':
      return () => given(node.columns, run)
    case 'common':
      return node.plan.isHeld || repeated ? commonRows(node.plan, run, () => open(node.plan.node, run, undefined, node.plan.outer.length > 0)) : input(node.plan.node, rowsMax)
    case 'filter':
      if (node.input.kind === 'group') return having(node, run, input)
      return filter(node, (max, conditions, access) => (node.input.kind === 'scan' ? watched(node.input, scan(node.input, run, max, repeated, conditions, access), run) : input(node.input)), run, rowsMax)
    case 'gate': {
      const condition = compile(node.condition, run)
      return gated(input(node.input, rowsMax), () => condition([]) === 1)
    }
    case 'apply':
      return apply(node.subqueries, input(node.input, rowsMax), run, prepare)
    case 'project':
      return project(node, input(node.input, rowsMax), run)
    case 'distinct':
      return distinctRows(node, () => input(node.input), run, rowsMax)
    case 'group':
      return group(node, () => input(node.input), run)
    case 'join':
      return lookupJoin(node, { left: input(node.left), right: input(node.right), watch: (each, rows) => watched(each, rows, run), prepare }, run, rowsMax)
    case 'sort': {
      const window = node.window === undefined ? undefined : rowWindow(node.window, run.values)
      const wanted = window?.limit === undefined ? Number.POSITIVE_INFINITY : window.limit + window.offset
      const top = repeated || wanted > topRowsMax ? undefined : engineTop(node, run)
      const range = top && singleRange(scanAccess(top.scan, run))
      if (top === undefined || range === undefined) return sort(node.keys, firstGroups(node, wanted, input, run) ?? input(node.input), run, wanted)
      const rows = topOfScan(top, range, node, run, wanted)
      return node.input.kind === 'project' ? project(node.input, rows, run) : rows
    }
    case 'set':
      return node.operator === 'union' ? union(node, input(node.left), input(node.right), run) : matched(node.operator, node.all, input(node.left), input(node.right), run)
    case 'limit': {
      const window = rowWindow(node.window, run.values)
      return limited(window, input(node.input, window.limit === undefined ? rowsMax : window.limit + window.offset), run)
    }
  }
}

/** Whoever takes all of them has the engine find them; a few are found soonest as rows come. */
function distinctRows(node: DistinctNode, input: () => Stream, run: QueryRun, rowsMax: number | undefined): Stream {
  const share = run.memory.share(), byRows = (): Stream => distinct(input(), run, share)
  return (rowsMax === undefined ? distinctGroups(node, byRows, run) : undefined) ?? byRows()
}

type FilterNode = Extract<QueryNode, { kind: 'filter' }>

/** Groups under a condition: it is checked here too, since all of them come where the engine does not make them. */
function having(node: FilterNode, run: QueryRun, open: (node: QueryNode) => Stream, first?: WantedRows['first']): Stream {
  const grouping = node.input as GroupNode
  const groups = group(grouping, () => open(grouping.input), run, first === undefined ? { having: node.condition } : { having: node.condition, first })
  return checked(node.condition, watched(grouping, groups, run), run)
}

/** Groups to be sorted, of which the engine need not give those that are not wanted; undefined where the input is another. */
function firstGroups({ input, keys }: Extract<QueryNode, { kind: 'sort' }>, wanted: number, open: (node: QueryNode) => Stream, run: QueryRun): Stream | undefined {
  const node = input.kind === 'project' ? input.input : input
  const isFiltered = node.kind === 'filter' && node.input.kind === 'group'
  if ((node.kind !== 'group' && !isFiltered) || wanted > topRowsMax) return undefined
  const order: Pick<SortKey, 'index' | 'descending' | 'nullsFirst'>[] = []
  for (const { index, descending, nullsFirst } of keys) {
    const column = input.kind === 'project' ? input.expressions[index]! : undefined
    if (column !== undefined && column.kind !== 'column') return undefined
    order.push({ index: column?.place.index ?? index, descending, nullsFirst })
  }
  const first = { order, limit: wanted }
  const groups = watched(node, node.kind === 'group' ? group(node, () => open(node.input), run, { first }) : having(node, run, open, first), run)
  return input.kind === 'project' ? watched(input, project(input, groups, run), run) : groups
}

async function* evaluated(rows: readonly (readonly Evaluate[])[]): AsyncGenerator<Batch> {
  yield rows.map((row) => row.map((item) => item([])))
}

async function* given(columns: readonly number[], run: QueryRun): AsyncGenerator<Batch> {
  for (let from = 0; from < run.given.length; from += batchRows) {
    yield run.given.slice(from, from + batchRows).map((row, index): EngineRow => [...columns.map((column) => row[column]!), from + index])
  }
}

function union(node: Extract<QueryNode, { kind: 'set' }>, left: Stream, right: Stream, run: QueryRun): Stream {
  const both = unionAll(left, right)
  return node.all ? both : distinct(both, run)
}

function project(node: Extract<QueryNode, { kind: 'project' }>, input: Stream, run: QueryRun): Stream {
  const expressions = node.expressions.map((expression) => compile(expression, run))
  return () => projectedRows(expressions, input, run)
}

async function* projectedRows(expressions: readonly Evaluate[], input: Stream, run: QueryRun): AsyncGenerator<Batch> {
  for await (const batch of input()) {
    await pace(run, batch.length)
    yield batch.map((row) => projected(expressions, row))
  }
}

function projected(expressions: readonly Evaluate[], row: EngineRow): EngineRow {
  const values = newRow(expressions.length)
  for (let i = 0; i < expressions.length; i++) values[i] = expressions[i]!(row)
  return values
}
