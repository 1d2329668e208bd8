/** Names in a query block: the columns of its FROM, and those of the blocks around it. */
import type { Engine } from '../../engine/engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import type { BoundSubquery, OuterReference, Place } from '../expression/bound.ts'
import type { Bound } from '../expression/bound.ts'
import type { Literals } from '../expression/literal.ts'
import type { ValueType } from '../expression/type.ts'
import type { CommonPlan, QueryNode } from '../operator/node.ts'
import { coerce } from '../expression/coerce.ts'
import { unified } from '../expression/operator.ts'
import { errorAt } from '../origin.ts'
import type { Origin } from '../origin.ts'
import type { PlanHint, PlanTerm } from '../plan-term.ts'
import type { ColumnRef } from '../operand.ts'
import type { CommonTable } from '../syntax/query/query.ts'
import type { BoundQuery } from './bound-query.ts'

/** What all blocks of a statement share. */
export interface StatementContext {
  readonly catalog: Pick<Engine, 'table'>
  readonly origin: Origin
  readonly literals: Literals
  /** Queries bound so far. */
  readonly counts: { queries: number }
  /** What is known of the queries of WITH. */
  readonly common: Map<CommonTable, CommonSource>
}

export function newContext(catalog: StatementContext['catalog'], origin: Origin, literals: Literals): StatementContext {
  return { catalog, origin, literals, counts: { queries: 0 }, common: new Map() }
}

/** A query of WITH, bound where it stands. */
export interface CommonSource {
  readonly query: BoundQuery
  /** The block around the query whose WITH it is in. */
  readonly outer: BlockScope | undefined
  readonly plan: CommonPlan
}

export interface FromColumn {
  readonly name: string
  readonly type: ValueType
  /** Among the columns of the table or subquery. */
  readonly ordinal: number
  readonly place: Place
  isUsed: boolean
}

/** A column as a bare name means it: one of a table, or several that USING merged, of which the first that is not null counts. */
export interface VisibleColumn {
  readonly name: string
  readonly sources: readonly FromColumn[]
  /** Where it is not that of its only source. */
  readonly type?: ValueType
}

/** A table or subquery in FROM. */
export interface Leaf {
  readonly alias: string
  readonly columns: readonly FromColumn[]
  /** `depends`: on columns of blocks further out. */
  readonly source: { readonly kind: 'table'; readonly table: TableSchema } | { readonly kind: 'query'; readonly node: QueryNode; readonly depends: boolean }
  readonly terms: PlanTerm[]
  readonly hints: PlanHint[]
  /** On a side of an outer join whose rows may be missing: its columns can be null in what the join gives. */
  isNullable: boolean
}

/** What names may mean: all of FROM, or the two sides of a join in its ON. */
export interface Nameable {
  readonly leaves: readonly Leaf[]
  /** In the order of `*`. */
  readonly visible: readonly VisibleColumn[]
}

export interface BlockScope {
  readonly context: StatementContext
  readonly outer: BlockScope | undefined
  /** All of FROM, as it stands there. */
  readonly leaves: Leaf[]
  names: Nameable
  readonly outerUsed: BoundSubquery['outer'][number][]
}

export function newScope(context: StatementContext, outer: BlockScope | undefined): BlockScope {
  return { context, outer, leaves: [], names: { leaves: [], visible: [] }, outerUsed: [] }
}

/** The column in this block or one around it. 42703, 42702 and 42P01 as names demand. */
export function resolveColumn(scope: BlockScope, ref: ColumnRef): Bound {
  const own = findColumn(scope, ref)
  if (own !== undefined) return visibleBound(own, ref.name.tokenIndex)
  const found = scope.outer === undefined ? undefined : outerColumns(scope.outer, ref)
  if (found === undefined) throw unknownColumn(scope, ref)
  return merged(found.type, found.columns.map(({ reference, type, local }) => {
    scope.outerUsed.push({ reference, local })
    return { kind: 'outer', reference, type }
  }))
}

/** The value of a column of this block; `at` is the token that names it. */
export function visibleBound({ sources, type }: VisibleColumn, at: number): Bound {
  return merged(type, sources.map((column) => {
    column.isUsed = true
    return { kind: 'column', place: column.place, name: column.name, type: column.type, at }
  }))
}

function merged(type: ValueType | undefined, sources: readonly Bound[]): Bound {
  if (sources.length === 1) return type === undefined ? sources[0]! : coerce(sources[0]!, type)
  const items = unified(sources, 'USING')
  return { kind: 'coalesce', items, type: items[0]!.type }
}

interface OuterColumn {
  readonly type: ValueType | undefined
  readonly columns: readonly { readonly reference: OuterReference; readonly type: ValueType; readonly local: boolean }[]
}

/** Each block between notes the reference too: what it computes depends on it. */
function outerColumns(scope: BlockScope, ref: ColumnRef): OuterColumn | undefined {
  const own = findColumn(scope, ref)
  if (own !== undefined) {
    const columns = own.sources.map((column) => {
      column.isUsed = true
      return { reference: { place: column.place, name: column.name }, type: column.type, local: true }
    })
    return { type: own.type, columns }
  }
  const found = scope.outer === undefined ? undefined : outerColumns(scope.outer, ref)
  return found && { ...found, columns: found.columns.map(({ reference, type, local }) => {
    scope.outerUsed.push({ reference, local })
    return { reference, type, local: false }
  }) }
}

export function findColumn({ names, context }: Pick<BlockScope, 'names' | 'context'>, { name, table }: ColumnRef): VisibleColumn | undefined {
  const found = candidates(names, table?.name).filter((column) => column.name === name.name)
  if (found.length > 1) throw errorAt(context.origin, name.tokenIndex, '42702', `column "${name.name}" is in more than one table of FROM`)
  return found[0]
}

/** All columns of one table. */
export function visibleOf({ columns }: Leaf): readonly VisibleColumn[] {
  return columns.map((column) => ({ name: column.name, sources: [column] }))
}

/** By its table's name each column can be named, merged or not. */
export function candidates({ leaves, visible }: Nameable, table: string | undefined): readonly VisibleColumn[] {
  if (table === undefined) return visible
  return leaves.filter(({ alias }) => alias === table).flatMap(visibleOf)
}

function unknownColumn({ names: { leaves }, context }: BlockScope, { name, table }: ColumnRef): Error {
  if (table !== undefined && !leaves.some((leaf) => leaf.alias === table.name)) return errorAt(context.origin, table.tokenIndex, '42P01', `there is no "${table.name}" in FROM`)
  const [only] = leaves
  const where = leaves.length === 1 && only!.source.kind === 'table' ? ` in table "${only!.source.table.name}"` : ''
  return errorAt(context.origin, name.tokenIndex, '42703', `column "${name.name}" does not exist${where}`)
}
