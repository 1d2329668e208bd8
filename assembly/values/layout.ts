/** Offsets of the plan and its columns, as drawn in src/kernel/values.ts. */

export const PLAN_TARGET_COUNT: usize = 0
export const PLAN_TARGETS: usize = 4
export const PLAN_KEY_COUNT: usize = 8
export const PLAN_KEYS: usize = 12
export const PLAN_KEY_FORM: usize = 16
export const PLAN_VALUE_COUNT: usize = 20
export const PLAN_VALUES: usize = 24
export const PLAN_FIXED_BYTES: usize = 28
export const PLAN_TABLE_ID: usize = 32
export const PLAN_SHARDS: usize = 36
export const PLAN_PENDING: usize = 40
export const PLAN_PENDING_MAX: usize = 44
export const PLAN_PENDING_COUNT: usize = 48

export const FORM_I64: u32 = 1
export const FORM_BYTES: u32 = 2

export const COLUMN_TYPE: usize = 0
export const COLUMN_NOT_NULL: usize = 4
export const COLUMN_VALUES: usize = 8
export const COLUMN_NULLS: usize = 12
/** Scale of a numeric, longest text. */
export const COLUMN_LIMIT: usize = 16
export const COLUMN_KIND: usize = 20
export const COLUMN_MIN: usize = 24
export const COLUMN_MAX: usize = 32
export const COLUMN_DEFAULT: usize = 40
export const COLUMN_DEFAULT_STATE: usize = 48

export const TYPE_INTEGER: u32 = 1
export const TYPE_NUMERIC: u32 = 2
export const TYPE_DOUBLE: u32 = 3
export const TYPE_BOOLEAN: u32 = 4
export const TYPE_TIMESTAMP: u32 = 5
export const TYPE_DATE: u32 = 6
export const TYPE_TEXT: u32 = 7
export const TYPE_BYTEA: u32 = 8

export const KIND_I64: u32 = 1
export const KIND_F64: u32 = 2
export const KIND_BYTES: u32 = 3

/** The i-th column of a list of ordinals. */
export function columnAt(plan: usize, ordinals: usize, i: u32): usize {
  return plan + 64 + (<usize>load<u32>(ordinals + (<usize>i << 2)) << 6)
}

export function valueAt(column: usize, row: u32): usize {
  return <usize>load<u32>(column, COLUMN_VALUES) + (<usize>row << 3)
}

export function isNull(column: usize, row: u32): bool {
  return ((load<u8>(<usize>load<u32>(column, COLUMN_NULLS) + (row >> 3)) >> <u8>(row & 7)) & 1) != 0
}

export function setNull(column: usize, row: u32): void {
  const at = <usize>load<u32>(column, COLUMN_NULLS) + (row >> 3)
  store<u8>(at, load<u8>(at) | (<u8>1 << <u8>(row & 7)))
  store<u64>(valueAt(column, row), 0)
}
