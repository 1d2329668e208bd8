/** Names in a query block: the columns of its FROM, and those of the blocks around it. */
import type { Engine } from '../../engine/engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import type { BoundSubquery, OuterReference, Place } from '../expression/bound.ts'
import type { Bound } from '../expression/bound.ts'
import type { Literals } from '../expression/literal.ts'
import type { ValueType } from '../expression/type.ts'
import type { QueryNode } from '../operator/node.ts'
import { errorAt } from '../origin.ts'
import type { Origin } from '../origin.ts'
import type { PlanTerm } from '../plan-term.ts'
import type { ColumnRef } from '../operand.ts'
import type { CommonTable } from '../syntax/query/query.ts'

/** What all blocks of a statement share. */
export interface StatementContext {
  readonly catalog: Pick<Engine, 'table'>
  readonly origin: Origin
  readonly literals: Literals
  /** Blocks bound so far, since a WITH may be bound many times. */
  readonly counts: { blocks: number }
}

/** Names given by WITH, innermost first. */
export interface CommonTables {
  readonly table: CommonTable
  /** What the table's own query sees. */
  readonly before: CommonTables | undefined
}

export interface FromColumn {
  readonly name: string
  readonly type: ValueType
  /** Among the columns of the table or subquery. */
  readonly ordinal: number
  readonly place: Place
  isUsed: boolean
  /** By USING: only a qualified name means it. */
  isMerged: boolean
}

/** A table or subquery in FROM. */
export interface Leaf {
  readonly alias: string
  readonly columns: readonly FromColumn[]
  readonly source: { readonly kind: 'table'; readonly table: TableSchema } | { readonly kind: 'query'; readonly node: QueryNode }
  readonly terms: PlanTerm[]
  /** On the right of a LEFT JOIN: conditions of WHERE must not narrow it before the join. */
  isNullable: boolean
}

export interface BlockScope {
  readonly context: StatementContext
  readonly outer: BlockScope | undefined
  readonly leaves: Leaf[]
  readonly outerUsed: BoundSubquery['outer'][number][]
}

export function newScope(context: StatementContext, outer: BlockScope | undefined): BlockScope {
  return { context, outer, leaves: [], outerUsed: [] }
}

/** The column in this block or one around it. 42703, 42702 and 42P01 as names demand. */
export function resolveColumn(scope: BlockScope, ref: ColumnRef): Bound {
  const own = findColumn(scope, ref)
  if (own !== undefined) {
    own.isUsed = true
    return { kind: 'column', place: own.place, name: own.name, type: own.type, at: ref.name.tokenIndex }
  }
  const found = scope.outer === undefined ? undefined : outerColumn(scope.outer, ref)
  if (found === undefined) throw unknownColumn(scope, ref)
  scope.outerUsed.push({ reference: found.reference, local: found.local })
  return { kind: 'outer', reference: found.reference, type: found.type }
}

interface OuterColumn {
  readonly reference: OuterReference
  readonly type: ValueType
  readonly local: boolean
}

/** Each block between notes the reference too: what it computes depends on it. */
function outerColumn(scope: BlockScope, ref: ColumnRef): OuterColumn | undefined {
  const own = findColumn(scope, ref)
  if (own !== undefined) {
    own.isUsed = true
    return { reference: { place: own.place, name: own.name }, type: own.type, local: true }
  }
  const found = scope.outer === undefined ? undefined : outerColumn(scope.outer, ref)
  if (found === undefined) return undefined
  scope.outerUsed.push({ reference: found.reference, local: found.local })
  return { ...found, local: false }
}

export function findColumn({ leaves, context }: BlockScope, { name, table }: ColumnRef): FromColumn | undefined {
  const asked = table === undefined ? leaves : leaves.filter((leaf) => leaf.alias === table.name)
  const found = asked.flatMap((leaf) => leaf.columns.filter((column) => column.name === name.name && !(table === undefined && column.isMerged)))
  if (found.length > 1) throw errorAt(context.origin, name.tokenIndex, '42702', `column "${name.name}" is in more than one table of FROM`)
  return found[0]
}

function unknownColumn({ leaves, context }: BlockScope, { name, table }: ColumnRef): Error {
  if (table !== undefined && !leaves.some((leaf) => leaf.alias === table.name)) return errorAt(context.origin, table.tokenIndex, '42P01', `there is no "${table.name}" in FROM`)
  const [only] = leaves
  const where = leaves.length === 1 && only!.source.kind === 'table' ? ` in table "${only!.source.table.name}"` : ''
  return errorAt(context.origin, name.tokenIndex, '42703', `column "${name.name}" does not exist${where}`)
}
