/**
 * Plans: what a statement of a shape does, with tables and columns resolved and values still in slots. Plain data and
 * chosen converters, valid for one version of the catalog; the same plan runs with any values.
 */
import type { EngineRow, EngineValue, NewTable, TableChange, WriteMode } from '../engine/engine.ts'
import type { ColumnSchema, ColumnType, TableSchema } from '../engine/schema.ts'
import type { Assign } from './value/assign.ts'
import type { AssignValue } from './value/assign-value.ts'
import type { Bound } from './expression/bound.ts'
import type { Operand } from './operand.ts'
import type { QueryNode, Window } from './operator/node.ts'
import type { PlanTerm } from './plan-term.ts'
import type { TransactionStatement } from './syntax/transaction.ts'

export interface ResultColumn {
  readonly name: string
  readonly type: ColumnType
}

export interface CreateTablePlan {
  readonly kind: 'createTable'
  readonly table: NewTable
  readonly ifNotExists: boolean
}

export interface DropTablePlan {
  readonly kind: 'dropTable'
  readonly names: readonly string[]
}

export interface AlterTablePlan {
  readonly kind: 'alterTable'
  readonly name: string
  /** Undefined when there is nothing to do: IF [NOT] EXISTS. */
  readonly change: TableChange | undefined
  /** What rows that are there have in an added column. */
  readonly missing?: RowDefault
}

export interface TruncatePlan {
  readonly kind: 'truncate'
  readonly name: string
}

/** Answers that are known from the catalog. */
export interface ShowPlan {
  readonly kind: 'show'
  readonly output: readonly ResultColumn[]
  readonly rows: readonly EngineRow[]
}

/** Begins or ends a transaction, or goes about in one: for the run of its text to do. */
export interface TransactionPlan {
  readonly kind: 'transaction'
  readonly statement: TransactionStatement
}

/** What RETURNING gives of a written row. */
export interface Returning {
  readonly output: readonly ResultColumn[]
  /** Over the row by ordinal. */
  readonly expressions: readonly Bound[]
  /** Instead of them where they ask subqueries: a `RowWork` over the written rows. */
  readonly work: RowWork | undefined
}

/**
 * Operators over rows at hand (`given` is their leaf), for what needs more than the row: subqueries, other tables. They
 * give the number of the row, then values; a row may come several times or not at all.
 */
export type RowWork = QueryNode

/** What a column takes when nothing is said: a constant, or what depends on when the statement runs (microseconds since 1970). */
export type RowDefault = { readonly kind: 'value'; readonly value: EngineValue } | { readonly kind: 'clock'; readonly valueAt: (nowMicros: number) => EngineValue }

/** A value for a column of a written row. */
export type RowValue =
  | { readonly kind: 'operand'; readonly operand: Operand; readonly assign: Assign }
  | RowDefault
  /** Over the row that is changed, in ON CONFLICT with the proposed one behind it; or over what a `RowWork` gives. */
  | { readonly kind: 'expression'; readonly bound: Bound; readonly assign: AssignValue; readonly at: number }

export interface SetPlan {
  readonly ordinal: number
  readonly value: RowValue
}

/** What becomes of a row at hand: it is left alone unless the condition holds, and the work gives it. */
export interface ChangePlan {
  /** Over the same row as the values; absent when there is work, which narrows by itself. */
  readonly condition: Bound | undefined
  readonly work: RowWork | undefined
  readonly sets: readonly SetPlan[]
}

/** Tuples with expressions among their values; over what the work gives, if there is any. Undefined: DEFAULT. */
export interface ComputedTuples {
  readonly tuples: readonly (readonly (RowValue | undefined)[])[]
  readonly work: RowWork | undefined
}

export interface InsertPlan {
  readonly kind: 'insert'
  readonly table: TableSchema
  readonly mode: WriteMode
  /** A query whose rows are inserted instead of tuples; `sources` index its columns, of which each has its conversion. */
  readonly query: { readonly plan: QueryPlan; readonly assign: readonly AssignValue[] } | undefined
  /** Instead of `tuples`. */
  readonly computed: ComputedTuples | undefined
  /** Each tuple of the shape; where the statement repeats the first one, slots go up by its width. Undefined: DEFAULT. */
  readonly tuples: readonly (readonly (Operand | undefined)[])[]
  /** By position in a row as the engine takes it: which value of the tuple it takes (-1: the default), and how. */
  readonly sources: readonly { readonly index: number; readonly assign: Assign; readonly default: EngineValue }[]
  /** Defaults that depend on the time, by position: they stand in for those of `sources` while the plan runs. */
  readonly clockDefaults: ReadonlyMap<number, Extract<RowDefault, { kind: 'clock' }>['valueAt']>
  /** What becomes of an existing row instead of being replaced, kept or an error. */
  readonly onConflict: ChangePlan | undefined
  readonly returning: Returning | undefined
}

/** Rows by whole primary keys: for each key column the operands it may equal; at most one column has several. */
export interface KeyPlan {
  readonly kind: 'keys'
  readonly keys: readonly { readonly column: ColumnSchema; readonly operands: readonly Operand[] }[]
}

/** Rows that satisfy all terms, to be found first. */
export interface WherePlan {
  readonly kind: 'where'
  readonly terms: readonly PlanTerm[]
}

export interface UpdatePlan {
  readonly kind: 'update'
  readonly table: TableSchema
  readonly find: KeyPlan | WherePlan
  readonly change: ChangePlan
  readonly returning: Returning | undefined
}

export interface DeletePlan {
  readonly kind: 'delete'
  readonly table: TableSchema
  readonly find: KeyPlan | WherePlan
  /** Sets nothing. */
  readonly change: ChangePlan
  readonly returning: Returning | undefined
}

/** WHERE is equality on the whole primary key and nothing else. */
export interface GetPlan {
  readonly kind: 'get'
  readonly table: TableSchema
  readonly output: readonly ResultColumn[]
  readonly window: Window
  readonly key: readonly { readonly column: ColumnSchema; readonly operand: Operand }[]
  readonly columns: readonly number[]
}

/** Any other query, as a tree of operators. */
export interface OperatorPlan {
  readonly kind: 'query'
  readonly node: QueryNode
  readonly output: readonly ResultColumn[]
}

export type QueryPlan = GetPlan | OperatorPlan

/** What is executed by itself. */
export type StatementPlan = CreateTablePlan | DropTablePlan | AlterTablePlan | TruncatePlan | ShowPlan | InsertPlan | UpdatePlan | DeletePlan | QueryPlan

export type Plan = StatementPlan | TransactionPlan
