/**
 * Plans: what a statement of a shape does, with tables and columns resolved and values still in slots. Plain data and
 * chosen converters, valid for one version of the catalog; the same plan runs with any values.
 */
import type { AggregateFunction } from '../lsm/tree.ts'
import type { EngineAggregate, NewTable, WriteMode } from '../engine/engine.ts'
import type { ColumnSchema, ColumnType, TableSchema } from '../engine/schema.ts'
import type { Comparison } from '../kernel/zone-map.ts'
import type { Assign } from './value/assign.ts'
import type { Operand } from './statement.ts'

export interface ResultColumn {
  readonly name: string
  readonly type: ColumnType
}

/** A condition on a column whose value is still to come. */
export interface PlanTerm {
  readonly ordinal: number
  readonly column: ColumnSchema
  readonly comparison: Comparison
  /** Absent for isNull and isNotNull. */
  readonly operand?: Operand
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

export interface ShowTablesPlan {
  readonly kind: 'showTables'
}

export interface InsertPlan {
  readonly kind: 'insert'
  readonly table: TableSchema
  readonly mode: WriteMode
  /** Each tuple of the shape as operands; where the statement repeats the first one, slots go up by its width. */
  readonly tuples: readonly (readonly Operand[])[]
  /** By position in a row: which value of the tuple it takes (-1: null), and how. */
  readonly sources: readonly { readonly index: number; readonly assign: Assign }[]
}

/** Rows by whole primary keys: for each key column the operands it may equal; at most one column has several. */
export interface KeyPlan {
  readonly table: TableSchema
  readonly keys: readonly { readonly column: ColumnSchema; readonly operands: readonly Operand[] }[]
}

export interface UpdatePlan extends KeyPlan {
  readonly kind: 'update'
  readonly sets: readonly { readonly ordinal: number; readonly operand: Operand; readonly assign: Assign }[]
}

export interface DeletePlan extends KeyPlan {
  readonly kind: 'delete'
}

interface SelectPlan {
  readonly table: TableSchema
  readonly output: readonly ResultColumn[]
  readonly limit: Operand | undefined
  readonly offset: Operand | undefined
}

/** WHERE is equality on the whole primary key and nothing else. */
export interface GetPlan extends SelectPlan {
  readonly kind: 'get'
  readonly key: readonly { readonly column: ColumnSchema; readonly operand: Operand }[]
  readonly columns: readonly number[]
}

export interface ScanPlan extends SelectPlan {
  readonly kind: 'scan'
  readonly terms: readonly PlanTerm[]
  readonly reverse: boolean
  /** Ordinals to read, each once. */
  readonly columns: readonly number[]
  /** Position in `columns` of each output column; undefined when they are the same. */
  readonly projection: readonly number[] | undefined
}

export interface AggregatePlan extends SelectPlan {
  readonly kind: 'aggregate'
  readonly terms: readonly PlanTerm[]
  readonly aggregates: readonly EngineAggregate[]
}

export type Plan = CreateTablePlan | DropTablePlan | ShowTablesPlan | InsertPlan | UpdatePlan | DeletePlan | GetPlan | ScanPlan | AggregatePlan

/** Type of an aggregate's result, by PostgreSQL's rules; undefined when there is no such function for the type. */
export function aggregateType(aggregate: AggregateFunction, type: ColumnType | undefined): ColumnType | undefined {
  if (aggregate === 'count' || type === undefined) return { kind: 'bigint' }
  if (aggregate === 'sum') return sumType(type)
  return type.kind === 'boolean' ? undefined : type
}

/** A sum of BIGINT may be larger than any BIGINT. */
function sumType(type: ColumnType): ColumnType | undefined {
  switch (type.kind) {
    case 'smallint':
    case 'integer':
      return { kind: 'bigint' }
    case 'bigint':
      return { kind: 'numeric', precision: 38, scale: 0 }
    case 'numeric':
      return { kind: 'numeric', precision: 38, scale: type.scale }
    case 'double':
    case 'real':
      return type
    case 'text':
    case 'boolean':
    case 'timestamp':
    case 'date':
    case 'bytea':
      return undefined
  }
}
