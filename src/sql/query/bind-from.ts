/** FROM: tables, subqueries and common tables as leaves, joins as units over them. */
import { LsmtError } from '../../errors.ts'
import { visibleOrdinals } from '../../engine/schema.ts'
import type { Bound } from '../expression/bound.ts'
import { visitBound } from '../expression/bound.ts'
import { bindComparison } from '../expression/operator.ts'
import { errorAt } from '../origin.ts'
import type { Name } from '../syntax/names.ts'
import type { Expression, FromItem, Query } from '../syntax/query/query.ts'
import type { FromUnit } from './from-tree.ts'
import { findColumn } from './scope.ts'
import type { BlockScope, CommonTables, FromColumn, Leaf } from './scope.ts'
import type { BoundQuery } from './bound-query.ts'

export interface FromBinder {
  readonly scope: BlockScope
  readonly common: CommonTables | undefined
  /** Binds a query that sees nothing of this block. */
  readonly query: (query: Query, common: CommonTables | undefined) => BoundQuery
  /** Binds a condition over the leaves so far, taken apart at its ANDs. */
  readonly conditions: (expression: Expression, clause: string) => readonly Bound[]
}

export function bindFrom(binder: FromBinder, item: FromItem): FromUnit {
  switch (item.kind) {
    case 'table':
      return { kind: 'leaf', leaf: addLeaf(binder, tableLeaf(binder, item), item.alias ?? item.name) }
    case 'query': {
      const bound = binder.query(item.query, binder.common)
      return { kind: 'leaf', leaf: addLeaf(binder, queryLeaf(binder, bound, item.alias.name, item.columns), item.alias) }
    }
    case 'join':
      return bindJoin(binder, item)
  }
}

function addLeaf({ scope }: FromBinder, leaf: Leaf, name: Name): Leaf {
  if (leaf.alias !== '' && scope.leaves.some(({ alias }) => alias === leaf.alias)) throw errorAt(scope.context.origin, name.tokenIndex, '42601', `"${leaf.alias}" stands twice in FROM`)
  scope.leaves.push(leaf)
  return leaf
}

function tableLeaf(binder: FromBinder, item: Extract<FromItem, { kind: 'table' }>): Leaf {
  const { name, columns } = item
  const alias = (item.alias ?? name).name
  const common = findCommon(binder.common, name.name)
  if (common !== undefined) {
    const bound = binder.query(common.table.query, common.before)
    return queryLeaf(binder, { ...bound, output: renamed(binder, bound.output, common.table.columns) }, alias, columns)
  }
  const { context } = binder.scope
  const table = context.catalog.table(name.name)
  if (table === undefined) throw errorAt(context.origin, name.tokenIndex, '42P01', `table "${name.name}" does not exist`)
  const visible = renamed(binder, visibleOrdinals(table).map((ordinal) => ({ name: table.columns[ordinal]!.name, ordinal })), columns)
  return { alias, source: { kind: 'table', table }, terms: [], isNullable: false, columns: visible.map((column) => newColumn(column.name, table.columns[column.ordinal]!.type, column.ordinal)) }
}

function newColumn(name: string, type: FromColumn['type'], ordinal: number): FromColumn {
  return { name, type, ordinal, place: { index: -1 }, isUsed: false, isMerged: false }
}

function queryLeaf(binder: FromBinder, { node, output }: BoundQuery, alias: string, columns: readonly Name[] | undefined): Leaf {
  return { alias, source: { kind: 'query', node }, terms: [], isNullable: false, columns: renamed(binder, output, columns).map(({ name, type }, ordinal) => newColumn(name, type, ordinal)) }
}

/** `AS t (a, b)` renames columns from the left. */
function renamed<T extends { readonly name: string }>({ scope }: FromBinder, columns: readonly T[], names: readonly Name[] | undefined): readonly T[] {
  if (names === undefined) return columns
  if (names.length > columns.length) throw errorAt(scope.context.origin, names[columns.length]!.tokenIndex, '42601', `there are ${columns.length} columns but ${names.length} names for them`)
  return columns.map((column, index) => ({ ...column, name: names[index]?.name ?? column.name }))
}

function findCommon(tables: CommonTables | undefined, name: string): CommonTables | undefined {
  let found = tables
  while (found !== undefined && found.table.name.name !== name) found = found.before
  return found
}

function bindJoin(binder: FromBinder, item: Extract<FromItem, { kind: 'join' }>): FromUnit {
  const { leaves } = binder.scope
  const start = leaves.length
  const left = bindFrom(binder, item.left)
  const middle = leaves.length
  const right = bindFrom(binder, item.right)
  const conditions = item.using === undefined ? bindOn(binder, item.on) : bindUsing(binder, item.using, leaves.slice(start, middle), leaves.slice(middle))
  if (item.join !== 'left') return { kind: 'forest', units: [...flat(left), ...flat(right)], conditions: [...conditionsOf(left), ...conditionsOf(right), ...conditions] }
  for (const leaf of leaves.slice(middle)) leaf.isNullable = true
  return { kind: 'left', left, right, on: conditions }
}

function flat(unit: FromUnit): readonly FromUnit[] {
  return unit.kind === 'forest' ? unit.units : [unit]
}

function conditionsOf(unit: FromUnit): readonly Bound[] {
  return unit.kind === 'forest' ? unit.conditions : []
}

function bindOn(binder: FromBinder, on: Expression | undefined): readonly Bound[] {
  if (on === undefined) return []
  const conditions = binder.conditions(on, 'ON')
  for (const condition of conditions) {
    visitBound(condition, (part) => {
      if (part.kind === 'subquery') throw errorAt(binder.scope.context.origin, on.at, '0A000', 'a subquery in ON is not supported')
    })
  }
  return conditions
}

function bindUsing({ scope }: FromBinder, names: readonly Name[], left: readonly Leaf[], right: readonly Leaf[]): readonly Bound[] {
  const side = (leaves: readonly Leaf[], name: Name): FromColumn => {
    const column = findColumn({ ...scope, leaves: [...leaves] }, { name })
    if (column === undefined) throw errorAt(scope.context.origin, name.tokenIndex, '42703', `column "${name.name}" of USING is not on both sides of the join`)
    column.isUsed = true
    return column
  }
  return names.map((name) => {
    const [a, b] = [side(left, name), side(right, name)]
    b.isMerged = true
    const bound = ({ place, name: called, type }: FromColumn): Bound => ({ kind: 'column', place, name: called, type, at: name.tokenIndex })
    try {
      return bindComparison('=', bound(a), bound(b))
    } catch (error) {
      throw error instanceof LsmtError ? errorAt(scope.context.origin, name.tokenIndex, error.code, error.message) : error
    }
  })
}
