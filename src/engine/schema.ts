/** Tables by schema: the logical types above the physical kinds of src/lsm/layout.ts. */
import type { PhysicalKind } from '../lsm/layout.ts'

/** Logical column types of SPEC part 3. */
export type ColumnType =
  | { readonly kind: 'smallint' | 'integer' | 'bigint' }
  | { readonly kind: 'double' }
  | { readonly kind: 'numeric'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'text'; readonly lengthMax?: number }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'timestamp' }
  | { readonly kind: 'date' }
  | { readonly kind: 'bytea' }

export interface ColumnSchema {
  readonly name: string
  readonly type: ColumnType
  readonly notNull: boolean
  /** What an INSERT that does not name the column puts into it: a SQL expression as text, not understood here. Absent: null. */
  readonly default?: string
  /** The column was dropped: it keeps its place in rows and files, has no name, and is null in every new row. */
  readonly dropped?: true
}

export interface TableSchema {
  readonly name: string
  /** Id of the table's rows in the trees; a truncated table gets a new one. */
  readonly tableId: number
  /** By ordinal; only ever grows. For a table without primary key, ordinal 0 is the hidden row id (see `hiddenKey`). */
  readonly columns: readonly ColumnSchema[]
  /** Ordinals, in key order. */
  readonly primaryKey: readonly number[]
  /** True when ordinal 0 is a hidden BIGINT that keeps insertion order; it is not part of `SELECT *`. */
  readonly hiddenKey: boolean
  /** A plain INSERT of an existing key replaces ('upsert') or is error 23505 ('error'). */
  readonly onInsert: 'error' | 'upsert'
}

/** Ordinals that a user can name, in their order: neither the hidden key nor dropped columns. */
export function visibleOrdinals({ columns, hiddenKey }: TableSchema): readonly number[] {
  const ordinals: number[] = []
  for (let ordinal = hiddenKey ? 1 : 0; ordinal < columns.length; ordinal++) if (columns[ordinal]!.dropped !== true) ordinals.push(ordinal)
  return ordinals
}

/**
 * How types are stored: smallint, integer, bigint, timestamp (µs since 1970 UTC), date (days since 1970),
 * boolean (0/1) and numeric (unscaled integer) as i64; double as f64; text (UTF-8) and bytea as bytes.
 */
export function physicalKind(type: ColumnType): PhysicalKind {
  switch (type.kind) {
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'numeric':
    case 'boolean':
    case 'timestamp':
    case 'date':
      return 'i64'
    case 'double':
      return 'f64'
    case 'text':
    case 'bytea':
      return 'bytes'
  }
}

/** The type's name as SQL and answers show it: BIGINT, NUMERIC(10,2), TEXT … */
export function typeName(type: ColumnType): string {
  switch (type.kind) {
    case 'numeric':
      return `NUMERIC(${type.precision},${type.scale})`
    case 'text':
      return type.lengthMax === undefined ? 'TEXT' : `VARCHAR(${type.lengthMax})`
    case 'double':
      return 'DOUBLE PRECISION'
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'boolean':
    case 'timestamp':
    case 'date':
    case 'bytea':
      return type.kind.toUpperCase()
  }
}
