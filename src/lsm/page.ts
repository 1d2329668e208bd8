/**
 * A page: rows of one table in key order as vectors in linear memory; what memtables, table files and merges
 * all yield, so that everything above sees one shape.
 */
import type { Pointer } from '../kernel/linear-memory.ts'

/** A decoded column; see src/kernel/column.ts for the memory shapes. `nulls` 0 means no nulls. */
export type Vector =
  | { readonly kind: 'i64' | 'f64'; readonly values: Pointer; readonly nulls: Pointer }
  | { readonly kind: 'bytes'; readonly refs: Pointer; readonly nulls: Pointer }

export interface Page {
  readonly rowCount: number
  /** Columns by ordinal; only those that were asked for are there. */
  readonly vectors: readonly (Vector | undefined)[]
  /** Bitmap of rows that satisfy the scan's predicate; 0 means all of them. */
  readonly selection: Pointer
  readonly selectedCount: number
  /** The key bytes (without table id) of a row, as a ref: for cursors that resume, and for merges across shards. */
  keyAt(row: number): { readonly address: Pointer; readonly byteLength: number }
  /** A number that orders keys as their first eight bytes do, but for some that are equal in it. */
  keyPrefixAt(row: number): number
}
