/** Operators as people read them. */
import type { GroupNode, QueryNode, SortKey } from '../operator/node.ts'
import { engineTop, topRowsMax } from '../operator/engine/engine-top.ts'
import type { SortNode } from '../operator/engine/engine-top.ts'
import { engineGroup } from '../operator/engine/engine-group.ts'
import type { EngineGroup } from '../operator/engine/engine-group.ts'
import { distinctGroup } from '../operator/group.ts'
import { keyedSubquery } from '../operator/lookup/subquery-lookup.ts'
import type { DistinctNode } from '../operator/group.ts'
import { rowWindow } from '../operator/window.ts'
import type { Bound, BoundSubquery } from '../expression/bound.ts'
import type { Run } from '../expression/compile.ts'
import { splitCondition } from '../vector/filter.ts'
import { accessOf, singleRange } from '../execute/access.ts'
import type { Values } from '../value/values.ts'
import { childrenOf, columnNames, readsSeveral } from './column-names.ts'
import type { Describer, Description } from './describer.ts'
import { describeJoin } from './describe-join.ts'
import { describeAccess, describeScan, tableTitle } from './describe-scan.ts'
import type { DescribedAccess } from './describe-scan.ts'
import type { Actual, Detail, ExplainNode } from './explain-node.ts'
import type { RecordingProbe } from './probe.ts'
import { printAggregate, printExpression } from './print-expression.ts'

/** With a probe that watched the plan run, each node also says what it did. */
export function describeQuery(node: QueryNode, values: Values, probe: RecordingProbe | undefined): ExplainNode {
  const run: Run = { values, nowMicros: 0, cells: new Map() }
  const describer: Describer = { values, run, probe, repeated: false, qualified: readsSeveral(node), common: new Set() }
  const root = describe(describer, node, false)
  const common: ExplainNode[] = []
  // Those that one of them scans are added while they are gone through.
  for (const plan of describer.common) common.unshift({ ...describe({ ...describer, repeated: plan.outer.length > 0 }, plan.node, false), relation: `CTE ${plan.name}` })
  return { ...root, children: [...common, ...root.children] }
}

type FilterNode = Extract<QueryNode, { kind: 'filter' }>

/** `limited`: no more than some rows will be taken of it. */
function describe(describer: Describer, node: QueryNode, limited: boolean): ExplainNode {
  if (node.kind === 'filter') return describeFilter(describer, node, limited)
  if (node.kind === 'common' && !node.plan.isHeld && !describer.repeated) return describe(describer, node.plan.node, limited)
  return withActual(describer, node, descriptionOf(describer, node, limited))
}

function withActual({ probe }: Describer, node: QueryNode, description: Description): ExplainNode {
  const actual = actualOf(probe, node)
  return actual === undefined ? description : { ...description, actual }
}

/** What the nodes below spilled is theirs. */
function actualOf(probe: RecordingProbe | undefined, node: QueryNode): Actual | undefined {
  const seen = probe?.observations.get(node)
  if (seen === undefined || seen.loops === 0) return undefined
  const spilledBelow = childrenOf(node).reduce((bytes, child) => bytes + (probe!.observations.get(child)?.spilledBytes ?? 0), 0)
  return { rows: seen.rows, loops: seen.loops, ms: seen.ms, reads: probe!.reads.get(node), heldBytes: seen.heldBytesMax, spilledBytes: Math.max(seen.spilledBytes - spilledBelow, 0) }
}

function descriptionOf(describer: Describer, node: Exclude<QueryNode, FilterNode>, limited: boolean): Description {
  const { values } = describer
  const names = (input: QueryNode): readonly string[] => columnNames(input, values, describer.qualified)
  const over = (title: string, details: readonly Detail[], ...inputs: readonly QueryNode[]): Description => ({ title, details, children: inputs.map((input) => describe(describer, input, false)) })
  const through = (title: string, details: readonly Detail[], input: QueryNode): Description => ({ title, details, children: [describe(describer, input, limited)] })
  switch (node.kind) {
    case 'scan':
      return { ...describeScan(node, values), children: [] }
    case 'given':
      return over('Rows of the Statement', [])
    case 'common':
      describer.common.add(node.plan)
      return over(`CTE Scan on ${tableTitle({ table: node.plan, alias: node.alias })}`, [])
    case 'values':
      return over('Values', [['Rows', node.rows.length]])
    case 'gate':
      return through('One-Time Filter', [['Condition', printExpression(node.condition, [], values)]], node.input)
    case 'project':
      return through('Project', [['Output', columnNames(node, values, describer.qualified).join(', ')]], node.input)
    case 'distinct':
      return describeDistinct(describer, node, limited)
    case 'group':
      return describeGroup(describer, node, names(node.input))
    case 'join':
      return describeJoin(describer, node, (node.asks?.subqueries ?? []).map((subquery, index) => describeSubquery(describer, subquery, index)), (input) => describe(describer, input, false), (each, description) => withActual(describer, each, description))
    case 'sort':
      return describeSort(describer, node)
    case 'limit': {
      const { limit, offset } = rowWindow(node.window, values)
      return { title: 'Limit', details: [...(limit === undefined ? [] : [['Rows', limit] as const]), ...(offset === 0 ? [] : [['Offset', offset] as const])], children: [describe(describer, node.input, limited || limit !== undefined)] }
    }
    case 'set':
      return over(`${node.operator[0]!.toUpperCase()}${node.operator.slice(1)}${node.all ? ' All' : ''}`, [], node.left, node.right)
    case 'apply':
      return { title: 'Subqueries', details: [], children: [describe(describer, node.input, limited), ...node.subqueries.map((subquery, index) => describeSubquery(describer, subquery, index))] }
  }
}

/** What the scan below evaluates itself is told there; a filter that has nothing left to check is no operator. */
function describeFilter(describer: Describer, node: FilterNode, limited: boolean): ExplainNode {
  const { input, condition } = node
  const { values, run } = describer
  const names = columnNames(input, values, describer.qualified)
  const print = (items: readonly Bound[]): string => printExpression(items.length === 1 ? items[0]! : { kind: 'and', items, type: condition.type }, names, values)
  const above = (checked: Bound, child: ExplainNode): ExplainNode => withActual(describer, node, { title: 'Filter', details: [['Condition', print([checked])]], children: [child] })
  const isScanned = input.kind === 'scan' && accessOf(input.table, input.terms, input.hints, values).kind !== 'keys'
  if (!isScanned) return above(condition, describe(describer, input, false))
  const { pushed, rest } = splitCondition({ table: input.table, columns: input.columns, run, wide: false }, condition, limited)
  const down = (condition.kind === 'and' ? condition.items : [condition]).filter((item) => item !== rest && !(rest?.kind === 'and' && rest.items.includes(item)))
  const scan = describe(describer, input, limited)
  const checked = pushed.length === 0 ? scan : { ...scan, details: [['Engine Condition', print(down)] as const, ...scan.details] }
  return rest === undefined ? checked : above(rest, checked)
}

/** The condition right below a grouping. */
function filterOf(input: QueryNode): Bound | undefined {
  if (input.kind === 'gate') return filterOf(input.input)
  return input.kind === 'filter' ? input.condition : undefined
}

function describeSort(describer: Describer, node: SortNode): Description {
  const { values, run, qualified, repeated } = describer
  const names = columnNames(node.input, values, qualified)
  const keys: Detail = ['Sort Key', node.keys.map((key) => sortKey(key, names)).join(', ')]
  const window = node.window === undefined ? undefined : rowWindow(node.window, values)
  const wanted = window?.limit === undefined ? Number.POSITIVE_INFINITY : window.limit + window.offset
  const top = repeated || wanted > topRowsMax ? undefined : engineTop(node, run)
  const range = top && singleRange(accessOf(top.scan.table, top.scan.terms, top.scan.hints, values))
  if (top === undefined || range === undefined) return { title: wanted === Number.POSITIVE_INFINITY ? 'Sort' : 'Top-N Sort', details: [keys], children: [describe(describer, node.input, false)] }
  const { title, details } = describeScan({ ...top.scan, ordered: false }, values)
  const condition = filterOf(node.input.kind === 'project' ? node.input.input : node.input)
  const checked: readonly Detail[] = condition === undefined ? [] : [['Engine Condition', printExpression(condition, columnNames(top.scan, values, qualified), values)]]
  return { title: `Engine Top-N over ${title}`, details: [keys, ...checked, ...details], children: [] }
}

function sortKey({ index, descending, nullsFirst }: SortKey, names: readonly string[]): string {
  const nulls = nullsFirst === descending ? '' : nullsFirst ? ' NULLS FIRST' : ' NULLS LAST'
  return `${names[index] ?? `column ${index + 1}`}${descending ? ' DESC' : ''}${nulls}`
}

function describeGroup(describer: Describer, node: GroupNode, names: readonly string[]): Description {
  const { values } = describer
  const asked = engineGroup(node, describer.run)
  const keys: readonly Detail[] = node.keys.length === 0 ? [] : [['Group Key', node.keys.map((key) => printExpression(key, names, values)).join(', ')]]
  const aggregates: readonly Detail[] = node.aggregates.length === 0 ? [] : [['Aggregates', node.aggregates.map((aggregate) => printAggregate(aggregate, names, values)).join(', ')]]
  const byEngine = asked && describeEngineGroup(describer, asked, filterOf(node.input), names)
  if (byEngine === undefined) return { title: node.keys.length === 0 ? 'Aggregate' : 'Hash Group', details: [...keys, ...aggregates], children: [describe(describer, node.input, false)] }
  return { title: `Engine ${node.keys.length === 0 ? 'Aggregate' : 'Group'} over ${byEngine.title}`, details: [...keys, ...aggregates, ...byEngine.details], children: [] }
}

function describeDistinct(describer: Describer, node: DistinctNode, limited: boolean): Description {
  const asked = limited ? undefined : distinctGroup(node, describer.run)
  const below = node.input.kind === 'project' ? node.input.input : node.input
  const byEngine = asked && describeEngineGroup(describer, asked, filterOf(below), columnNames(below, describer.values, describer.qualified))
  if (byEngine === undefined) return { title: 'Distinct', details: [], children: [describe(describer, node.input, false)] }
  const output = columnNames(node, describer.values, describer.qualified)
  return { title: `Engine Distinct over ${byEngine.title}`, details: [['Output', output.join(', ')], ...byEngine.details], children: [] }
}

/** undefined where the engine does not make the groups after all (src/sql/operator/group.ts). */
function describeEngineGroup({ values }: Describer, { scan, gate, conditions }: EngineGroup, condition: Bound | undefined, names: readonly string[]): DescribedAccess | undefined {
  const access = accessOf(scan.table, scan.terms, scan.hints, values)
  if (access.kind !== 'nothing' && singleRange(access) === undefined) return undefined
  const { title, details } = describeAccess(scan.table, scan.terms, scan.hints, values)
  const checked: readonly Detail[] = conditions.length === 0 || condition === undefined ? [] : [['Engine Condition', printExpression(condition, names, values)]]
  const gated: readonly Detail[] = gate === undefined ? [] : [['One-Time Filter', printExpression(gate.condition, [], values)]]
  return { title: `${title} on ${tableTitle(scan)}`, details: [...gated, ...details, ...checked] }
}

function describeSubquery(describer: Describer, { test, plan, outer, byKey }: BoundSubquery, index: number): ExplainNode {
  const name = `${test} subquery ${index + 1}`
  if (byKey !== undefined) {
    const keys = byKey.keys.map((key) => printExpression(key, [], describer.values)).join(', ')
    const keyed = keyedSubquery(byKey, outer, describer.values)
    const lookup: readonly Detail[] = keyed === undefined ? [] : [['Index Lookup', `using the primary key of ${tableTitle(keyed.scan)} instead, while few rows ask`]]
    const described = describe(describer, byKey.plan as QueryNode, false)
    return { ...described, details: [...described.details, ...lookup], relation: `${name}, read once, held by ${keys}` }
  }
  const each = outer.length === 0 ? 'once' : `for each ${[...new Set(outer.map(({ reference }) => reference.name))].join(', ')}`
  const below = { ...describer, repeated: describer.repeated || outer.length > 0 }
  return { ...describe(below, plan as QueryNode, test === 'exists'), relation: `${name}, ${each}` }
}
