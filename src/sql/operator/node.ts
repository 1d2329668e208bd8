/**
 * Operators of a query as a tree of plain data. Rows flow from the leaves up; expressions refer to the rows of the
 * operator below by position. What the engine does by itself over plain columns is told by
 * engine-group.ts.
 */
import type { TableSchema } from '../../engine/schema.ts'
import type { Bound, BoundAggregate, BoundSubquery, OuterReference } from '../expression/bound.ts'
import type { PlanHint, PlanTerm } from '../plan-term.ts'
import type { Operand } from '../operand.ts'

export interface ScanNode {
  readonly kind: 'scan'
  readonly table: TableSchema
  /** What the query calls the table. */
  readonly alias: string
  readonly terms: readonly PlanTerm[]
  /** What conditions above tell of its rows. */
  readonly hints: readonly PlanHint[]
  /** Ordinals, as rows have them. */
  readonly columns: readonly number[]
  /** Whether rows must come in key order; `few`: nobody asked for it, see `EngineScan`. */
  readonly ordered: boolean | 'few'
  readonly reverse: boolean
}

export interface JoinNode {
  readonly kind: 'join'
  readonly join: 'inner' | 'left' | 'full'
  readonly left: QueryNode
  readonly right: QueryNode
  readonly leftWidth: number
  readonly rightWidth: number
  /** Pairs that must be equal; each side's expression is over its own rows. */
  readonly keys: readonly { readonly left: Bound; readonly right: Bound }[]
  /** What else must hold, over the joined row. */
  readonly residual: Bound | undefined
  /** What subqueries must answer for a pair of an outer join as well; their answers stand behind the joined row. */
  readonly asks: { readonly subqueries: readonly BoundSubquery[]; readonly condition: Bound } | undefined
}

export interface GroupNode {
  readonly kind: 'group'
  readonly input: QueryNode
  readonly keys: readonly Bound[]
  readonly aggregates: readonly BoundAggregate[]
}

export interface SortKey {
  readonly index: number
  readonly type: Bound['type']
  readonly descending: boolean
  readonly nullsFirst: boolean
}

export interface Window {
  readonly limit: Operand | undefined
  readonly offset: Operand | undefined
}

/** A query of WITH. */
export interface CommonPlan {
  readonly name: string
  readonly columns: readonly string[]
  readonly node: QueryNode
  /** Its rows are computed once for all who ask for them; otherwise only where they are asked for again and again. */
  readonly isHeld: boolean
  /** Columns of rows further out that it uses. */
  readonly outer: readonly OuterReference[]
}

/** Rows of a query of WITH, as a table that is called `alias`. */
export interface CommonNode {
  readonly kind: 'common'
  readonly plan: CommonPlan
  readonly alias: string
}

/** A condition on no row: its input is read only where it is true. */
export interface GateNode {
  readonly kind: 'gate'
  readonly input: QueryNode
  readonly condition: Bound
}

export type QueryNode =
  | ScanNode
  | JoinNode
  | GroupNode
  | CommonNode
  | { readonly kind: 'values'; readonly rows: readonly (readonly Bound[])[] }
  /** Rows that the statement has at hand: these columns of theirs, and the row's number. */
  | { readonly kind: 'given'; readonly columns: readonly number[] }
  | { readonly kind: 'filter'; readonly input: QueryNode; readonly condition: Bound }
  | GateNode
  /** Adds a column for each subquery. */
  | { readonly kind: 'apply'; readonly input: QueryNode; readonly subqueries: readonly BoundSubquery[] }
  | { readonly kind: 'project'; readonly input: QueryNode; readonly expressions: readonly Bound[] }
  | { readonly kind: 'distinct'; readonly input: QueryNode }
  /** With a window only the first rows are kept; the window itself is applied by a `limit` above. */
  | { readonly kind: 'sort'; readonly input: QueryNode; readonly keys: readonly SortKey[]; readonly window: Window | undefined }
  | { readonly kind: 'set'; readonly operator: 'union' | 'intersect' | 'except'; readonly all: boolean; readonly left: QueryNode; readonly right: QueryNode }
  | { readonly kind: 'limit'; readonly input: QueryNode; readonly window: Window }
