/** FROM: tables, subqueries and common tables as leaves, joins as units over them. */
import { visibleOrdinals } from '../../engine/schema.ts'
import type { Bound } from '../expression/bound.ts'
import { errorAt, unknownTable } from '../origin.ts'
import type { Name } from '../syntax/names.ts'
import type { Expression, FromItem, Query } from '../syntax/query/query.ts'
import type { FromUnit } from './from-unit.ts'
import { visibleOf } from './scope.ts'
import type { BlockScope, FromColumn, Leaf, Nameable } from './scope.ts'
import { renamed } from './bound-query.ts'
import type { BoundQuery } from './bound-query.ts'
import { bindUsing, usingNames } from './from/bind-using.ts'
import { commonRows } from './with/common-table.ts'

export interface FromBinder {
  readonly scope: BlockScope
  /** Binds a query that sees nothing of this block. */
  readonly query: (query: Query) => BoundQuery
  /** Binds a condition, taken apart at its ANDs; parts that are about one of `leaves` alone may narrow it instead. */
  readonly conditions: (expression: Expression, clause: string, leaves: readonly Leaf[]) => readonly Bound[]
}

/** The whole of FROM; the scope's names are those of all of it then. */
export function bindFrom(binder: FromBinder, item: FromItem): FromUnit {
  const { unit, names } = bindItem(binder, item)
  binder.scope.names = names
  return unit
}

interface BoundItem {
  readonly unit: FromUnit
  readonly names: Nameable
}

function bindItem(binder: FromBinder, item: FromItem): BoundItem {
  switch (item.kind) {
    case 'table':
      return leafItem(addLeaf(binder, tableLeaf(binder, item), item.alias ?? item.name))
    case 'query': {
      const bound = binder.query(item.query)
      return leafItem(addLeaf(binder, queryLeaf(binder, bound, item.alias.name, item.columns), item.alias))
    }
    case 'join':
      return bindJoin(binder, item)
  }
}

function leafItem(leaf: Leaf): BoundItem {
  return { unit: { kind: 'leaf', leaf }, names: { leaves: [leaf], visible: visibleOf(leaf) } }
}

function addLeaf({ scope }: FromBinder, leaf: Leaf, name: Name): Leaf {
  if (leaf.alias !== '' && scope.leaves.some(({ alias }) => alias === leaf.alias)) throw errorAt(scope.context.origin, name.tokenIndex, '42712', `"${leaf.alias}" stands twice in FROM`)
  scope.leaves.push(leaf)
  return leaf
}

function tableLeaf(binder: FromBinder, item: Extract<FromItem, { kind: 'table' }>): Leaf {
  const { name, columns } = item
  const alias = (item.alias ?? name).name
  const { context } = binder.scope
  if (item.common !== undefined) return queryLeaf(binder, commonRows(binder.scope, item.common, alias), alias, columns)
  const table = context.catalog.table(name.name)
  if (table === undefined) throw unknownTable(context.origin, name)
  const visible = renamed(context.origin, visibleOrdinals(table).map((ordinal) => ({ name: table.columns[ordinal]!.name, ordinal })), columns)
  return { alias, source: { kind: 'table', table }, terms: [], hints: [], isNullable: false, columns: visible.map((column) => newColumn(column.name, table.columns[column.ordinal]!.type, column.ordinal)) }
}

function newColumn(name: string, type: FromColumn['type'], ordinal: number): FromColumn {
  return { name, type, ordinal, place: { index: -1 }, isUsed: false }
}

function queryLeaf({ scope: { context } }: FromBinder, { node, output, outer }: BoundQuery, alias: string, columns: readonly Name[] | undefined): Leaf {
  return { alias, source: { kind: 'query', node, depends: outer.length > 0 }, terms: [], hints: [], isNullable: false, columns: renamed(context.origin, output, columns).map(({ name, type }, ordinal) => newColumn(name, type, ordinal)) }
}

type JoinItem = Extract<FromItem, { kind: 'join' }>

function bindJoin(binder: FromBinder, item: JoinItem): BoundItem {
  const left = bindItem(binder, item.left)
  const right = bindItem(binder, item.right)
  const both = { leaves: [...left.names.leaves, ...right.names.leaves], visible: [...left.names.visible, ...right.names.visible] }
  const { conditions, names } = item.using === undefined ? { conditions: bindOn(binder, item.on, both, narrowedBy(item.join, left.names, right.names)), names: both } : bindUsing(binder.scope.context, item.join, usingNames(item, left.names, right.names), left.names, right.names)
  const nullable = [...(item.join === 'left' || item.join === 'full' ? right.names.leaves : []), ...(item.join === 'right' || item.join === 'full' ? left.names.leaves : [])]
  for (const leaf of nullable) leaf.isNullable = true
  return { unit: joinUnit(item.join, left.unit, right.unit, conditions), names }
}

/** Sides of which ON may drop rows before the join. */
function narrowedBy(join: JoinItem['join'], left: Nameable, right: Nameable): readonly Leaf[] {
  switch (join) {
    case 'inner':
    case 'cross':
      return [...left.leaves, ...right.leaves]
    case 'left':
      return right.leaves
    case 'right':
      return left.leaves
    case 'full':
      return []
  }
}

function joinUnit(join: JoinItem['join'], left: FromUnit, right: FromUnit, on: readonly Bound[]): FromUnit {
  switch (join) {
    case 'left':
    case 'full':
      return { kind: join, left, right, on }
    case 'right':
      return { kind: 'left', left: right, right: left, on }
    case 'inner':
    case 'cross':
      return { kind: 'forest', units: [...flat(left), ...flat(right)], conditions: [...conditionsOf(left), ...conditionsOf(right), ...on] }
  }
}

function flat(unit: FromUnit): readonly FromUnit[] {
  return unit.kind === 'forest' ? unit.units : [unit]
}

function conditionsOf(unit: FromUnit): readonly Bound[] {
  return unit.kind === 'forest' ? unit.conditions : []
}

function bindOn(binder: FromBinder, on: Expression | undefined, names: Nameable, narrowed: readonly Leaf[]): readonly Bound[] {
  if (on === undefined) return []
  binder.scope.names = names
  return binder.conditions(on, 'ON', narrowed)
}
