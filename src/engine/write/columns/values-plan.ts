/** A table as the kernels of src/kernel/values.ts see it, written for one statement. */
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { valuesColumnBytes, valuesPlanBytes, valuesType } from '../../../kernel/values.ts'
import { physicalKindNumber } from '../../../lsm/layout.ts'
import { LsmtError } from '../../../errors.ts'
import { checkValue } from '../../check-value.ts'
import { writeI64 } from '../../codec/byte-target.ts'
import { textBytesMax, writeText } from '../../codec/text-bytes.ts'
import type { EngineRow, EngineValue } from '../../engine.ts'
import { physicalKind } from '../../schema.ts'
import type { ColumnSchema, ColumnType, TableSchema } from '../../schema.ts'
import type { TableAccess } from '../../tables/table-access.ts'
import { chunkRows, scratchColumnsMax, scratchDefaultBytes, scratchPendingMax } from './column-scratch.ts'
import type { ColumnScratch } from './column-scratch.ts'

/** What a statement gives: by position in its tuples the ordinal, and by ordinal what stands for a value not given. */
export interface GivenColumns {
  readonly targets: readonly number[]
  readonly defaults: EngineRow
}

export interface ColumnPlan {
  readonly rowsMax: number
  /** By ordinal. */
  readonly values: readonly Pointer[]
  readonly nulls: readonly Pointer[]
}

const keyForms = { i64: 1, bytes: 2, composite: 3 } as const
const anyLength = 0xffff_ffff

/** Undefined where rows have to be written one by one: too many columns, or a default that a column does not take. */
export function writePlan(scratch: ColumnScratch, access: TableAccess, given: GivenColumns): ColumnPlan | undefined {
  const { columns } = access.schema
  if (columns.length > scratchColumnsMax) return undefined
  const { plan, ordinals, kernel: { memory: { u32 } } } = scratch
  const rowsMax = chunkRows(columns.length)
  const bitmapBytes = rowsMax >>> 3
  const values = columns.map((_, i) => scratch.vectors + i * 8 * rowsMax)
  const nulls = columns.map((_, i) => scratch.vectors + columns.length * 8 * rowsMax + i * bitmapBytes)
  const lists = [given.targets, access.schema.primaryKey, access.rows.ordinals]
  const [targets, keys, valueList] = lists.map((list, i) => {
    const at = ordinals + i * 4 * scratchColumnsMax
    u32.set(list, at >>> 2)
    return at
  }) as [Pointer, Pointer, Pointer]
  u32.set([
    given.targets.length, targets, access.schema.primaryKey.length, keys, keyForms[access.keys.form], access.rows.ordinals.length, valueList,
    access.rows.fixedBytes, access.schema.tableId, scratch.shardCount, scratch.pending, scratchPendingMax, 0,
  ], plan >>> 2)
  const columnPlan = { rowsMax, values, nulls }
  return writeColumns(scratch, access, given, columnPlan) ? columnPlan : undefined
}

/** False when a column that is not given has no default that it takes. */
function writeColumns(scratch: ColumnScratch, access: TableAccess, { targets, defaults }: GivenColumns, plan: ColumnPlan): boolean {
  const { schema } = access
  const room: Room = { at: scratch.defaults, end: scratch.defaults + scratchDefaultBytes }
  for (const [ordinal, column] of schema.columns.entries()) {
    writeColumn(scratch, column, ordinal, plan)
    if (ordinal === 0 && schema.hiddenKey) continue
    const isKnown = writeDefault(scratch, access, ordinal, defaults[ordinal]!, room)
    if (targets.includes(ordinal)) continue
    if (!isKnown) return false
    fillDefault(scratch, columnAt(scratch, ordinal), plan.rowsMax)
  }
  return true
}

function writeColumn(scratch: ColumnScratch, { type, notNull }: ColumnSchema, ordinal: number, { values, nulls }: ColumnPlan): void {
  const { u32, view } = scratch.kernel.memory
  const at = columnAt(scratch, ordinal)
  const [min, max] = integerRange(type)
  u32.set([typeNumber(type), notNull ? 1 : 0, values[ordinal]!, nulls[ordinal]!, limitOf(type), physicalKindNumber[physicalKind(type)]], at >>> 2)
  view.setBigInt64(at + 24, min, true)
  view.setBigInt64(at + 32, max, true)
}

export function columnAt({ plan }: ColumnScratch, ordinal: number): Pointer {
  return plan + valuesPlanBytes + ordinal * valuesColumnBytes
}

/** Where the bytes of defaults still have room. */
interface Room {
  at: Pointer
  readonly end: Pointer
}

const defaultState = { unknown: 0, value: 1, null: 2 } as const

/** Writes what DEFAULT stands for; false when the column refuses it, which writing the rows will explain, or its bytes have no room. */
function writeDefault(scratch: ColumnScratch, { schema }: TableAccess, ordinal: number, given: EngineValue, room: Room): boolean {
  const { u32 } = scratch.kernel.memory
  const at = columnAt(scratch, ordinal)
  const value = acceptedValue(schema, schema.columns[ordinal]!, given)
  const state = value === undefined ? 'unknown' : value === null ? 'null' : writeValue(scratch, at, schema.columns[ordinal]!, value, room) ? 'value' : 'unknown'
  u32[(at + 48) >>> 2] = defaultState[state]
  return state !== 'unknown'
}

function acceptedValue(schema: TableSchema, column: ColumnSchema, value: EngineValue): EngineValue | undefined {
  // What most columns without a default come to: each statement asks, and an error costs more than the rest of the plan.
  if (value === null) return column.notNull ? undefined : null
  try {
    return checkValue(schema, column, value)
  } catch (error) {
    if (error instanceof LsmtError) return undefined
    throw error
  }
}

function writeValue({ kernel: { memory } }: ColumnScratch, column: Pointer, { type }: ColumnSchema, value: NonNullable<EngineValue>, room: Room): boolean {
  const at = column + 40
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
    if (physicalKind(type) === 'i64') writeI64(memory.view, at, value)
    else memory.view.setFloat64(at, Number(value), true)
    return true
  }
  const bytesMax = typeof value === 'string' ? textBytesMax(value) : value.length
  if (room.at + bytesMax > room.end) return false
  if (typeof value !== 'string') memory.u8.set(value, room.at)
  const byteLength = typeof value === 'string' ? writeText(memory.buffer, room.at, value) : value.length
  memory.u32.set([room.at, byteLength], at >>> 2)
  room.at += byteLength
  return true
}

/** Gives all rows of a chunk the column's default. */
function fillDefault({ kernel: { memory } }: ColumnScratch, at: Pointer, rowsMax: number): void {
  const { u32, u8, u64 } = memory
  const values = u32[(at + 8) >>> 2]!, nulls = u32[(at + 12) >>> 2]!
  const isNull = u32[(at + 48) >>> 2] === defaultState.null
  u64.fill(isNull ? 0n : u64[(at + 40) >>> 3]!, values >>> 3, (values >>> 3) + rowsMax)
  u8.fill(isNull ? 0xff : 0, nulls, nulls + (rowsMax >>> 3))
}

function typeNumber({ kind }: ColumnType): number {
  return kind === 'smallint' || kind === 'bigint' ? valuesType.integer : valuesType[kind]
}

function limitOf(type: ColumnType): number {
  if (type.kind === 'numeric') return type.scale
  return type.kind === 'text' ? (type.lengthMax ?? anyLength) : 0
}

const anyInteger = [-(2n ** 63n), 2n ** 63n - 1n] as const
const integerRanges: Partial<Record<ColumnType['kind'], readonly [bigint, bigint]>> = { boolean: [0n, 1n], smallint: [-32_768n, 32_767n], integer: [-2_147_483_648n, 2_147_483_647n] }

/** As src/engine/check-value.ts has it. */
export function integerRange(type: ColumnType): readonly [bigint, bigint] {
  if (type.kind !== 'numeric') return integerRanges[type.kind] ?? anyInteger
  const limit = 10n ** BigInt(type.precision) - 1n
  return [-limit, limit]
}
