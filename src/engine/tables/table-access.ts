/** All that reading and writing one table needs, worked out once. */
import type { TableLayout } from '../../lsm/layout.ts'
import { keyCodec } from '../codec/key-codec.ts'
import type { KeyCodec } from '../codec/key-codec.ts'
import { readKinds } from '../codec/read-row.ts'
import type { ReadKind } from '../codec/read-row.ts'
import { rowCodec, tableLayout } from '../codec/row-codec.ts'
import type { RowCodec } from '../codec/row-codec.ts'
import { createTableLocks } from '../write/locks.ts'
import type { TableLocks } from '../write/locks.ts'
import type { TableSchema } from '../schema.ts'

export interface TableAccess {
  readonly schema: TableSchema
  readonly layout: TableLayout
  readonly keys: KeyCodec
  readonly rows: RowCodec
  readonly kinds: readonly ReadKind[]
  /** By ordinal: the column's place in the key, or -1. */
  readonly placeInKey: readonly number[]
  /** Where the key's values stand in a row, and in a key given by itself. */
  readonly keyInRow: readonly number[]
  readonly keyInKey: readonly number[]
  readonly state: TableState
}

/** What lasts while a table's schema changes. */
export interface TableState {
  readonly locks: TableLocks
  /** From the moment its DROP or TRUNCATE begins: no more writes. */
  gone: 'dropped' | 'truncated' | undefined
  /** Columns of the newest schema; what was made for fewer must not be written any more. */
  columnCount: number
  /** Of a table with a hidden key: the next row's id; undefined until it is known. */
  nextRowId: number | undefined
}

/** `state` is that of the table's former schema, if it had one. */
export function tableAccess(schema: TableSchema, state = newState(schema)): TableAccess {
  const layout = tableLayout(schema)
  return {
    schema,
    layout,
    keys: keyCodec(schema),
    rows: rowCodec(layout),
    kinds: readKinds(schema),
    placeInKey: schema.columns.map((_, ordinal) => schema.primaryKey.indexOf(ordinal)),
    keyInRow: schema.primaryKey,
    keyInKey: schema.primaryKey.map((_, i) => i),
    state,
  }
}

function newState(schema: TableSchema): TableState {
  return { locks: createTableLocks(), gone: undefined, columnCount: schema.columns.length, nextRowId: undefined }
}
