/** One SELECT block to operators: FROM, WHERE, GROUP BY, HAVING, the select list, DISTINCT, ORDER BY, LIMIT. */
import { bindCondition, bindExpression } from '../expression/bind-expression.ts'
import type { ExpressionScope } from '../expression/bind-expression.ts'
import { equalBound, isAggregated } from '../expression/bound.ts'
import { refuseIntervals } from '../expression/type.ts'
import type { Bound } from '../expression/bound.ts'
import { booleanType } from '../expression/type.ts'
import type { QueryNode, SortKey, Window } from '../operator/node.ts'
import { errorAt } from '../origin.ts'
import type { Expression, OrderKey, Query, SelectBlock } from '../syntax/query/query.ts'
import { aboveGrouping, newGrouping } from './bind-aggregate.ts'
import type { Grouping } from './bind-aggregate.ts'
import { bindFrom } from './bind-from.ts'
import { windowed } from './bound-query.ts'
import type { BoundQuery, ByKey, OutputColumn } from './bound-query.ts'
import { correlationOf } from './narrow/correlation.ts'
import { narrowLeaves } from './narrow/narrow.ts'
import { expressionScope } from './expression-scope.ts'
import type { BindQuery } from './expression-scope.ts'
import { filtered } from './from-tree.ts'
import type { ScanOrder } from './from-tree.ts'
import type { FromUnit } from './from-unit.ts'
import { keyOrder } from './key-order.ts'
import { narrowRows } from './rows/narrow-rows.ts'
import { createRowLayout } from './row-layout.ts'
import { newScope } from './scope.ts'
import type { BlockScope, Leaf, StatementContext } from './scope.ts'
import { bindItems, groupKeyOf, orderTargetOf } from './select-list.ts'
import type { Item } from './select-list.ts'
import { conjuncts } from './terms.ts'

export interface BlockInput {
  readonly context: StatementContext
  readonly outer: BlockScope | undefined
  readonly block: SelectBlock
  readonly orderBy: readonly OrderKey[]
  readonly window: Window | undefined
  readonly bindQuery: BindQuery
}

/** A block with everything bound and nothing planned. */
interface Parts {
  readonly scope: BlockScope
  readonly unit: FromUnit | undefined
  /** A query in FROM uses columns of blocks further out. */
  readonly fromDepends: boolean
  readonly where: readonly Bound[]
  readonly groupKeys: readonly Bound[]
  readonly having: Bound | undefined
  readonly items: readonly Item[]
  readonly order: readonly OrderPart[]
}

interface OrderPart extends OrderKey {
  /** Index among the items, or an expression of its own. */
  readonly by: number | Bound
}

export function bindBlock(input: BlockInput): BoundQuery {
  const parts = bindParts(input)
  const { block, context } = input
  const isGrouped = block.groupBy.length > 0 || parts.having !== undefined || [...parts.items.map(({ bound }) => bound), ...ownOrder(parts)].some(isAggregated)
  const order = isGrouped ? undefined : naturalOrder(parts, block)
  const ofRows = parts.order.length > 0 ? order !== undefined : input.window !== undefined || 'few'
  const scanOrder: ScanOrder = { ordered: !isGrouped && ofRows, reverse: order === 'reverse' }
  const { node, project } = planInput(parts, isGrouped, scanOrder, context)
  const extra = order === undefined ? ownOrder(parts) : []
  const projected = project(node, [...parts.items.map(({ bound }) => bound), ...extra])
  const output: readonly OutputColumn[] = parts.items.map(({ name, bound }) => ({ name, type: bound.type }))
  if (block.distinct && extra.length > 0) throw errorAt(context.origin, input.orderBy[0]!.expression.at, '42P10', 'with SELECT DISTINCT, ORDER BY must name columns of the select list')
  if (block.distinct) refuseIntervals(output.map(({ type }) => type), 'DISTINCT')
  const unique: QueryNode = block.distinct ? { kind: 'distinct', input: projected } : projected
  const sorted: QueryNode = parts.order.length === 0 || order !== undefined ? unique : { kind: 'sort', input: unique, keys: sortKeys(parts), window: input.window }
  return { node: trimmed(windowed(sorted, input.window), output, extra.length), output, outer: parts.scope.outerUsed, byKey: planByKey(input, parts, isGrouped) }
}

const unordered: ScanOrder = { ordered: false, reverse: false }
const never: Bound = { kind: 'constant', value: 0, type: booleanType }

/** Grouped by its keys an aggregate's value is that for each; without rows of a key it is what it is over none. */
function planByKey({ context, block, outer, window }: BlockInput, parts: Parts, isGrouped: boolean): ByKey | undefined {
  if (outer === undefined || parts.scope.outerUsed.length === 0 || parts.fromDepends || window !== undefined || block.distinct || block.groupBy.length > 0 || parts.having !== undefined) return undefined
  const items = parts.items.map(({ bound }) => bound)
  const correlation = correlationOf(parts.unit, parts.where, items)
  if (correlation === undefined || (isGrouped && items.length !== 1)) return undefined
  const value: Bound = items.length === 1 ? items[0]! : { kind: 'constant', value: 1, type: booleanType }
  const alone: Parts = { ...parts, where: correlation.rest, order: [], groupKeys: isGrouped ? correlation.inner : [] }
  const { node, project } = planInput(alone, isGrouped, unordered, context)
  const ofNone = isGrouped ? planInput({ ...alone, unit: undefined, where: [never], groupKeys: [] }, true, unordered, context) : undefined
  return {
    node: project(node, [value, ...correlation.inner]),
    types: [value, ...correlation.inner].map(({ type }) => type),
    keys: correlation.outer,
    empty: ofNone?.project(ofNone.node, [value]),
  }
}

function ownOrder({ order }: Parts): readonly Bound[] {
  return order.map(({ by }) => by).filter((by) => typeof by !== 'number')
}

function bindParts(input: BlockInput): Parts {
  const { context, outer, block, orderBy, bindQuery } = input
  const scope = newScope(context, outer)
  const inClause = (clause?: string): ExpressionScope => expressionScope(scope, bindQuery, clause)
  const conditions = (expression: Expression, clause: string, leaves: readonly Leaf[]): readonly Bound[] => narrowLeaves(scope, leaves, conjuncts(expression)).map((each) => bindCondition(inClause(clause), each, clause))
  // A query in FROM sees the blocks around this one, but nothing of this one.
  const around: BlockScope | undefined = outer && { ...newScope(context, outer), outerUsed: scope.outerUsed }
  const query = (inner: Query): BoundQuery => bindQuery(context, inner, around)
  const unit = block.from === undefined ? undefined : bindFrom({ scope, query, conditions }, block.from)
  const fromDepends = scope.leaves.some(({ source }) => source.kind === 'query' && source.depends)
  const where = block.where === undefined ? [] : conditions(block.where, 'WHERE', scope.leaves)
  const items = bindItems(scope, inClause(), block.items)
  const groupKeys = block.groupBy.map((each) => groupKeyOf(scope, inClause('GROUP BY'), each, items))
  refuseIntervals(groupKeys.map(({ type }) => type), 'GROUP BY')
  const having = block.having === undefined ? undefined : bindCondition(inClause(), block.having, 'HAVING')
  const order = orderBy.map((key): OrderPart => ({ ...key, by: orderTarget(scope, inClause(), key.expression, items) }))
  return { scope, unit, fromDepends, where, groupKeys, having, items, order }
}

/** The item that an ORDER BY key is, or the key's own expression. */
function orderTarget(scope: BlockScope, expressions: ExpressionScope, expression: Expression, items: readonly Item[]): number | Bound {
  const named = orderTargetOf(scope, expression, items)
  if (named !== undefined) return named
  const bound = bindExpression(expressions, expression)
  const same = items.findIndex((item) => equalBound(item.bound, bound, scope.context.literals.areEqual))
  return same >= 0 ? same : bound
}

interface PlannedInput {
  readonly node: QueryNode
  /** Adds the select list above the node. */
  readonly project: (node: QueryNode, expressions: readonly Bound[]) => QueryNode
}

function planInput(parts: Parts, isGrouped: boolean, scanOrder: ScanOrder, context: StatementContext): PlannedInput {
  const { node: narrowed, layout } = narrowRows(parts.unit, parts.where, scanOrder)
  if (!isGrouped) return { node: narrowed, project: (node, expressions) => projected(...layout.prepare(node, expressions)) }
  const grouping = newGrouping(parts.groupKeys)
  const { literals, origin } = context
  const above = (bound: Bound): Bound => aboveGrouping(grouping, bound, literals, origin)
  const having = parts.having === undefined ? [] : [above(parts.having)]
  // The select list is looked at first, so that the grouping knows all of its aggregates.
  for (const { bound } of parts.items) above(bound)
  for (const bound of ownOrder(parts)) above(bound)
  return planGrouping({ narrowed, layout, grouping, having, above })
}

interface GroupingInput {
  readonly narrowed: QueryNode
  readonly layout: ReturnType<typeof createRowLayout>
  readonly grouping: Grouping
  readonly having: readonly Bound[]
  readonly above: (bound: Bound) => Bound
}

function planGrouping({ narrowed, layout, grouping, having, above }: GroupingInput): PlannedInput {
  const inputs = [...grouping.keys, ...grouping.aggregates.map(({ argument }) => argument).filter((argument) => argument !== undefined)]
  const [input, prepared] = layout.prepare(narrowed, inputs)
  let next = grouping.keys.length
  const aggregates = grouping.aggregates.map((aggregate) => (aggregate.argument === undefined ? aggregate : { ...aggregate, argument: prepared[next++]! }))
  const group: QueryNode = { kind: 'group', input, keys: prepared.slice(0, grouping.keys.length), aggregates }
  const grouped = createRowLayout(grouping.keys.length + aggregates.length)
  return { node: filtered(...grouped.prepare(group, having)), project: (node, expressions) => projected(...grouped.prepare(node, expressions.map(above))) }
}

/** Columns of a scan in another order need no operator of their own. */
function projected(input: QueryNode, expressions: readonly Bound[]): QueryNode {
  const indexes = expressions.map((expression) => (expression.kind === 'column' ? expression.place.index : -1))
  if (input.kind === 'scan' && !indexes.includes(-1) && new Set(indexes).size === indexes.length && indexes.length > 0) return { ...input, columns: indexes.map((index) => input.columns[index]!) }
  return { kind: 'project', input, expressions }
}

function sortKeys(parts: Parts): readonly SortKey[] {
  let extra = parts.items.length
  return parts.order.map(({ by, descending, nullsFirst }) => {
    const index = typeof by === 'number' ? by : extra++
    return { index, type: typeof by === 'number' ? parts.items[by]!.bound.type : by.type, descending, nullsFirst }
  })
}

/** Without the columns that were only there to sort by. */
function trimmed(node: QueryNode, output: readonly OutputColumn[], extra: number): QueryNode {
  if (extra === 0) return node
  return { kind: 'project', input: node, expressions: output.map(({ name, type }, index): Bound => ({ kind: 'column', place: { index }, name, type, at: -1 })) }
}

/** Whether rows of a single table come in the order asked for, and from which end. */
function naturalOrder({ scope, order, items }: Parts, block: SelectBlock): 'forward' | 'reverse' | undefined {
  const [leaf] = scope.leaves
  if (order.length === 0 || scope.leaves.length !== 1 || leaf!.source.kind !== 'table' || block.distinct) return undefined
  const { table } = leaf!.source
  const columns = order.map(({ by, descending }) => {
    const bound = typeof by === 'number' ? items[by]!.bound : by
    const column = bound.kind === 'column' ? leaf!.columns.find(({ place }) => place === bound.place) : undefined
    return column === undefined ? undefined : { ordinal: column.ordinal, descending }
  })
  if (columns.includes(undefined)) return undefined
  const fixed = new Set(leaf!.terms.filter(({ comparison }) => comparison === 'eq').map(({ ordinal }) => ordinal))
  return keyOrder(table, fixed, columns as { ordinal: number; descending: boolean }[])
}
