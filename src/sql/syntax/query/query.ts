/** Queries and expressions as they are written: names and types unresolved. `at` is the index of a token in the shape. */
import type { ColumnType } from '../../../engine/schema.ts'
import type { ColumnRef, Operand } from '../../operand.ts'
import type { Name } from '../names.ts'

export type Expression =
  | { readonly kind: 'column'; readonly column: ColumnRef; readonly at: number }
  /** `plus`: behind a plus sign, with which it is no constant in ORDER BY and GROUP BY. */
  | { readonly kind: 'operand'; readonly operand: Operand; readonly plus?: true; readonly at: number }
  /** A word that is part of a call, such as the field of EXTRACT. */
  | { readonly kind: 'word'; readonly text: string; readonly at: number }
  /** A number in ORDER BY or GROUP BY, which is part of the shape. */
  | { readonly kind: 'number'; readonly digits: string; readonly at: number }
  | { readonly kind: 'not'; readonly operand: Expression; readonly at: number }
  | { readonly kind: 'unary'; readonly operator: '-' | '+'; readonly operand: Expression; readonly at: number }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression; readonly at: number }
  | { readonly kind: 'and' | 'or'; readonly items: readonly Expression[]; readonly at: number }
  | { readonly kind: 'is'; readonly test: 'null' | 'true' | 'false' | 'unknown'; readonly negated: boolean; readonly operand: Expression; readonly at: number }
  | { readonly kind: 'distinct'; readonly negated: boolean; readonly left: Expression; readonly right: Expression; readonly at: number }
  | { readonly kind: 'like'; readonly caseless: boolean; readonly negated: boolean; readonly left: Expression; readonly right: Expression; readonly escape: Expression | undefined; readonly at: number }
  | { readonly kind: 'between'; readonly negated: boolean; readonly symmetric: boolean; readonly operand: Expression; readonly low: Expression; readonly high: Expression; readonly at: number }
  | { readonly kind: 'in'; readonly negated: boolean; readonly operand: Expression; readonly items: readonly Expression[]; readonly at: number }
  | { readonly kind: 'inQuery'; readonly negated: boolean; readonly operand: Expression; readonly query: Query; readonly at: number }
  /** `operand < ANY (query)`, or ALL. */
  | { readonly kind: 'quantified'; readonly comparison: string; readonly all: boolean; readonly operand: Expression; readonly query: Query; readonly at: number }
  | { readonly kind: 'exists'; readonly query: Query; readonly at: number }
  | { readonly kind: 'scalar'; readonly query: Query; readonly at: number }
  | { readonly kind: 'case'; readonly operand: Expression | undefined; readonly branches: readonly CaseBranch[]; readonly otherwise: Expression | undefined; readonly at: number }
  | { readonly kind: 'cast'; readonly operand: Expression; readonly type: ColumnType; readonly at: number }
  | { readonly kind: 'interval'; readonly operand: Operand; readonly at: number }
  | Call

export interface CaseBranch {
  readonly when: Expression
  readonly result: Expression
}

export interface Call {
  readonly kind: 'call'
  readonly name: string
  readonly args: readonly Expression[]
  readonly distinct: boolean
  /** `count(*)` */
  readonly star: boolean
  readonly filter: Expression | undefined
  readonly at: number
}

export type QueryItem = { readonly kind: 'star'; readonly table: Name | undefined; readonly at: number } | { readonly kind: 'expression'; readonly expression: Expression; readonly alias: Name | undefined }

export type FromItem =
  /** `common`: the query of WITH that the name means. */
  | { readonly kind: 'table'; readonly name: Name; readonly common: CommonTable | undefined; readonly alias: Name | undefined; readonly columns: readonly Name[] | undefined }
  | { readonly kind: 'query'; readonly query: Query; readonly alias: Name; readonly columns: readonly Name[] | undefined }
  | { readonly kind: 'join'; readonly join: 'inner' | 'left' | 'right' | 'full' | 'cross'; readonly left: FromItem; readonly right: FromItem; readonly on: Expression | undefined; readonly using: readonly Name[] | 'natural' | undefined; readonly at: number }

export interface OrderKey {
  readonly expression: Expression
  readonly descending: boolean
  readonly nullsFirst: boolean
}

export interface SelectBlock {
  readonly kind: 'select'
  readonly distinct: boolean
  readonly items: readonly QueryItem[]
  readonly from: FromItem | undefined
  readonly where: Expression | undefined
  readonly groupBy: readonly Expression[]
  readonly having: Expression | undefined
  readonly at: number
}

export interface ValuesBlock {
  readonly kind: 'values'
  readonly tuples: readonly (readonly Expression[])[]
  readonly at: number
}

export interface SetOperation {
  readonly kind: 'set'
  readonly operator: 'union' | 'intersect' | 'except'
  readonly all: boolean
  readonly left: QueryBody
  readonly right: QueryBody
  readonly at: number
}

/** A query in parentheses may stand as a body with its own ORDER BY and LIMIT. */
export type QueryBody = SelectBlock | ValuesBlock | SetOperation | Query

/** A query of WITH. */
export interface CommonTable {
  readonly name: Name
  readonly columns: readonly Name[] | undefined
  /** undefined where nothing is said of it. */
  readonly materialized: boolean | undefined
  readonly query: Query
  /** Names in FROM that mean it, as far as the statement is read. */
  references: number
}

export interface Query {
  readonly kind: 'query'
  readonly with: readonly CommonTable[]
  readonly body: QueryBody
  readonly orderBy: readonly OrderKey[]
  readonly limit: Operand | undefined
  readonly offset: Operand | undefined
}
