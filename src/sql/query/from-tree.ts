/**
 * FROM as a tree of joins. Conditions sink to where their columns are known; of the tables joined, the next one is
 * always one that an equality connects with those before it, if there is any.
 */
import type { Bound, Place } from '../expression/bound.ts'
import { mapBound, visitBound } from '../expression/bound.ts'
import { booleanType } from '../expression/type.ts'
import type { JoinNode, QueryNode, ScanNode } from '../operator/node.ts'
import { leavesOf } from './from-unit.ts'
import type { FromUnit } from './from-unit.ts'
import { propagateEqualities } from './narrow/equality.ts'
import { createRowLayout, hasSubquery, takeSubqueries } from './row-layout.ts'
import type { FromColumn, Leaf } from './scope.ts'

export interface ScanOrder {
  readonly ordered: ScanNode['ordered']
  readonly reverse: boolean
}

/** A part of the tree: its leaves in the order of their columns; `node` once places are known, for rows that begin at `base`. */
interface Part {
  readonly leaves: readonly Leaf[]
  readonly node: (base: number) => QueryNode
}

export interface FromTree {
  readonly node: QueryNode
  readonly width: number
}

/** Builds the tree and gives every used column its place in the rows. */
export function buildFrom(unit: FromUnit, conditions: readonly Bound[], order: ScanOrder): FromTree {
  const [ofRows, ofNone] = partition(conditions, usesColumns)
  propagateEqualities(unit, ofRows)
  const part = planUnit(unit, ofRows, order)
  let width = 0
  for (const leaf of part.leaves) for (const column of usedColumns(leaf)) column.place.index = width++
  const gate = conjunction(ofNone.filter((condition) => !isTrue(condition)))
  const node = part.node(0)
  return { node: gate === undefined ? node : { kind: 'gate', input: node, condition: gate }, width }
}

function isTrue(condition: Bound): boolean {
  return condition.kind === 'constant' && condition.value === 1
}

function usedColumns(leaf: Leaf): readonly FromColumn[] {
  return leaf.source.kind === 'query' ? leaf.columns : leaf.columns.filter(({ isUsed }) => isUsed)
}

function widthOf(leaves: readonly Leaf[]): number {
  return leaves.reduce((width, leaf) => width + usedColumns(leaf).length, 0)
}

function planUnit(unit: FromUnit, conditions: readonly Bound[], order: ScanOrder): Part {
  switch (unit.kind) {
    case 'leaf':
      return planLeaf(unit.leaf, conditions, order)
    case 'forest':
      return planForest(unit.units, [...unit.conditions, ...conditions], order)
    case 'left':
    case 'full':
      return planOuter(unit, conditions, order)
  }
}

function planLeaf(leaf: Leaf, conditions: readonly Bound[], { ordered, reverse }: ScanOrder): Part {
  const node = (base: number): QueryNode => {
    const { source, terms, hints } = leaf
    const input: QueryNode = source.kind === 'query' ? source.node : { kind: 'scan', table: source.table, alias: leaf.alias, terms, hints, columns: usedColumns(leaf).map(({ ordinal }) => ordinal), ordered, reverse }
    return filterNode(input, conditions, base, [leaf])
  }
  return { leaves: [leaf], node }
}

/** Conditions that ask subqueries come last; their answers are no columns of what the node gives. */
function filterNode(input: QueryNode, conditions: readonly Bound[], base: number, leaves: readonly Leaf[]): QueryNode {
  const [asking, plain] = partition(conditions.map((each) => relocated(each, base)), hasSubquery)
  const node = filtered(input, plain)
  if (asking.length === 0) return node
  const columns = leaves.flatMap(usedColumns).map(({ name, type }, index): Bound => ({ kind: 'column', place: { index }, name, type, at: -1 }))
  return { kind: 'project', input: filtered(...createRowLayout(columns.length).prepare(node, asking)), expressions: columns }
}

export function filtered(input: QueryNode, conditions: readonly Bound[]): QueryNode {
  const condition = conjunction(conditions)
  return condition === undefined ? input : { kind: 'filter', input, condition }
}

export function conjunction(conditions: readonly Bound[]): Bound | undefined {
  return conditions.length < 2 ? conditions[0] : { kind: 'and', items: conditions, type: booleanType }
}

/** What WHERE says of the rows that are kept anyway may be asked before the join, what ON says of the other side's too. */
function planOuter({ kind, left, right, on }: Extract<FromUnit, { kind: 'left' | 'full' }>, conditions: readonly Bound[], order: ScanOrder): Part {
  const leftLeaves = leavesOf(left)
  const rightLeaves = leavesOf(right)
  const [toLeft, above] = partition(conditions, (condition) => kind === 'left' && isOver(condition, leftLeaves))
  const [toRight, between] = partition(on, (condition) => kind === 'left' && isOver(condition, rightLeaves) && usesColumns(condition))
  const joined = joinParts(kind, planUnit(left, toLeft, order), planUnit(right, toRight, order), between)
  return { leaves: joined.leaves, node: (base) => filterNode(joined.node(base), above, base, joined.leaves) }
}

function planForest(units: readonly FromUnit[], conditions: readonly Bound[], order: ScanOrder): Part {
  let open = conditions
  const parts = units.map((unit) => {
    const leaves = leavesOf(unit)
    const [own, others] = partition(open, (condition) => isOver(condition, leaves) && (usesColumns(condition) || units.length === 1))
    open = others
    return planUnit(unit, own, order)
  })
  let [joined, ...rest] = parts as [Part, ...Part[]]
  while (rest.length > 0) {
    const next = rest.find((part) => open.some((condition) => equalitySides(condition, joined.leaves, part.leaves) !== undefined)) ?? rest[0]!
    rest = rest.filter((part) => part !== next)
    const both = [...joined.leaves, ...next.leaves]
    const [now, later] = partition(open, (condition) => isOver(condition, both))
    joined = joinParts('inner', joined, next, now)
    open = later
  }
  return joined
}

function joinParts(join: JoinNode['join'], left: Part, right: Part, conditions: readonly Bound[]): Part {
  const [equalities, others] = partition(conditions, (condition) => equalitySides(condition, left.leaves, right.leaves) !== undefined)
  const [asking, plain] = partition(others, hasSubquery)
  const leaves = [...left.leaves, ...right.leaves]
  const node = (base: number): QueryNode => {
    const rightBase = base + widthOf(left.leaves)
    const residual = conjunction(plain.map((condition) => relocated(condition, base)))
    const keys = equalities.map((condition) => {
      const sides = equalitySides(condition, left.leaves, right.leaves)!
      return { left: relocated(sides.left, base), right: relocated(sides.right, rightBase) }
    })
    const asks = join === 'inner' || asking.length === 0 ? undefined : asked(asking, base, widthOf(leaves))
    const joined: QueryNode = { kind: 'join', join, left: left.node(base), right: right.node(rightBase), leftWidth: widthOf(left.leaves), rightWidth: widthOf(right.leaves), keys, residual, asks }
    return join === 'inner' ? filterNode(joined, asking, base, leaves) : joined
  }
  return { leaves, node }
}

function asked(conditions: readonly Bound[], base: number, width: number): JoinNode['asks'] {
  const { subqueries, expressions } = takeSubqueries(conditions.map((condition) => relocated(condition, base)), width)
  return { subqueries, condition: conjunction(expressions)! }
}

/** The two sides of an equality, of which one is over the left leaves and the other over the right ones. */
function equalitySides(condition: Bound, left: readonly Leaf[], right: readonly Leaf[]): { readonly left: Bound; readonly right: Bound } | undefined {
  if (condition.kind !== 'call' || condition.name !== '=') return undefined
  const [a, b] = condition.args as [Bound, Bound]
  if (!usesColumns(a) || !usesColumns(b) || hasSubquery(condition)) return undefined
  if (isOver(a, left) && isOver(b, right)) return { left: a, right: b }
  return isOver(b, left) && isOver(a, right) ? { left: b, right: a } : undefined
}

function isOver(bound: Bound, leaves: readonly Leaf[]): boolean {
  return placesIn(bound).every((used) => leaves.some((leaf) => leaf.columns.some(({ place }) => place === used)))
}

function usesColumns(bound: Bound): boolean {
  return placesIn(bound).length > 0
}

/** Of the columns that the expression uses, in its subqueries as well. */
function placesIn(bound: Bound): readonly Place[] {
  const places: Place[] = []
  visitBound(bound, (part) => {
    if (part.kind === 'column') places.push(part.place)
    if (part.kind === 'subquery') for (const { reference, local } of part.subquery.outer) if (local) places.push(reference.place)
  })
  return places
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): readonly [T[], T[]] {
  const yes: T[] = []
  const no: T[] = []
  for (const item of items) (test(item) ? yes : no).push(item)
  return [yes, no]
}

/** The expression over rows that begin at `base` of the whole row. */
function relocated(bound: Bound, base: number): Bound {
  if (base === 0) return bound
  return mapBound(bound, (part) => {
    if (part.kind === 'column') return { ...part, place: { index: part.place.index - base } }
    if (part.kind !== 'subquery') return undefined
    const { subquery } = part
    const operand = subquery.operand && relocated(subquery.operand, base)
    const outer = subquery.outer.map((use) => (use.local ? { ...use, place: { index: use.reference.place.index - base } } : use))
    return { ...part, subquery: { ...subquery, operand, outer } }
  })
}
