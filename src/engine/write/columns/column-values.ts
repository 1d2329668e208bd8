/** Values given by column to the vectors of a chunk. What a column does not take is not taken here: rows will say why. */
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import { isWellFormed } from '../../check-value.ts'
import { writeI64 } from '../../codec/byte-target.ts'
import { textBytesMax, writeText } from '../../codec/text-bytes.ts'
import type { PackedTexts } from './row-collector.ts'
import { columnValue, isPacked } from './rows-of-columns.ts'
import type { EngineColumn, EngineColumns } from '../../engine.ts'
import { physicalKind } from '../../schema.ts'
import type { ColumnSchema, TableSchema } from '../../schema.ts'
import type { TableAccess } from '../../tables/table-access.ts'
import { scratchRowsMax, scratchTextBytes } from './column-scratch.ts'
import type { ColumnScratch } from './column-scratch.ts'
import type { ColumnPlan } from './values-plan.ts'
import { integerRange } from './values-plan.ts'

/** Writes rows from `from` on, as many as there is room for; returns how many, 0 when one of them is not taken. */
export function fillChunk(scratch: ColumnScratch, { schema }: TableAccess, plan: ColumnPlan, given: EngineColumns, from: number): number {
  const rows = textRows(schema, given.columns, from, Math.min(plan.rowsMax, given.rowCount - from))
  return rows > 0 && fillRows(scratch.kernel.memory, schema, plan, given, from, rows, scratch.text) ? rows : 0
}

/** Writes rows [from, from + rows), their texts from `text` on; false when one of them is not taken. */
export function fillRows(memory: LinearMemory, schema: TableSchema, vectors: Pick<ColumnPlan, 'values' | 'nulls'>, { columns }: EngineColumns, from: number, rows: number, text: Pointer): boolean {
  const first = schema.hiddenKey ? 1 : 0
  let textAt = text
  for (const [index, given] of columns.entries()) {
    const ordinal = index + first
    const target: Target = { memory, column: schema.columns[ordinal]!, values: vectors.values[ordinal]!, nulls: vectors.nulls[ordinal]!, from, rows }
    memory.u8.fill(0, target.nulls, target.nulls + ((rows + 7) >>> 3))
    textAt = fillColumn(target, given, textAt)
    if (textAt === 0) return false
  }
  return true
}

interface Target {
  readonly memory: LinearMemory
  readonly column: ColumnSchema
  readonly values: Pointer
  readonly nulls: Pointer
  /** The rows of the chunk are [from, from + rows) of the column. */
  readonly from: number
  readonly rows: number
}

/** Of the rows of the chunk under way. */
const textBytesOf = new Uint32Array(scratchRowsMax)

/** Rows whose texts and bytes have room together. */
function textRows(schema: TableSchema, columns: readonly EngineColumn[], from: number, rowsMax: number): number {
  const first = schema.hiddenKey ? 1 : 0
  textBytesOf.fill(0, 0, rowsMax)
  for (const [index, { values }] of columns.entries()) {
    if (physicalKind(schema.columns[index + first]!.type) === 'bytes') addTextBytes(values, from, rowsMax)
  }
  let bytes = 0
  for (let row = 0; row < rowsMax; row++) if ((bytes += textBytesOf[row]!) > scratchTextBytes) return row
  return rowsMax
}

/** Values are first met here, wherever in memory they are: a short loop has several on their way at a time. */
function addTextBytes(values: EngineColumn['values'], from: number, rows: number): void {
  if (isPacked(values)) {
    for (let i = 0, start = startOf(values, from); i < rows; i++) {
      const end = values.ends[from + i]!
      textBytesOf[i]! += end - start
      start = end
    }
    return
  }
  for (let i = 0; i < rows; i++) {
    const value = values[from + i]
    if (typeof value === 'string') textBytesOf[i]! += textBytesMax(value)
    else if (value instanceof Uint8Array) textBytesOf[i]! += value.length
  }
}

/** Returns where the next text goes, 0 when a value is not taken. */
function fillColumn(target: Target, given: EngineColumn, textAt: Pointer): Pointer {
  switch (physicalKind(target.column.type)) {
    case 'i64':
      return (given.values instanceof BigInt64Array ? fillWide(target, given.values, given.nulls) : fillIntegers(target, given)) ? textAt : 0
    case 'f64':
      return (given.values instanceof Float64Array && target.column.type.kind === 'double' ? fillDoubles(target, given.values, given.nulls) : fillNumbers(target, given)) ? textAt : 0
    case 'bytes':
      return isPacked(given.values) ? fillPacked(target, given.values, given.nulls, textAt) : fillTexts(target, given, textAt)
  }
}

function fillWide(target: Target, given: BigInt64Array, nulls: Uint8Array | undefined): boolean {
  const { memory: { i64 }, column, values, from, rows } = target
  const to = values >>> 3
  i64.set(given.subarray(from, from + rows), to)
  if (!fillNulls(target, nulls)) return false
  if (column.type.kind === 'bigint') return true
  const [min, max] = integerRange(column.type)
  for (let i = to; i < to + rows; i++) if (i64[i]! < min || i64[i]! > max) return false
  return true
}

/** Marks what is null among values that stand there already, and makes it 0; false where none may be. */
function fillNulls({ memory: { u8, u64 }, column, values, nulls, from, rows }: Target, given: Uint8Array | undefined): boolean {
  if (given === undefined) return true
  for (let i = 0; i < rows; i++) {
    if (given[from + i] !== 1) continue
    if (column.notNull) return false
    u8[nulls + (i >>> 3)]! |= 1 << (i & 7)
    u64[(values >>> 3) + i] = 0n
  }
  return true
}

function fillIntegers({ memory: { view, u8 }, column, values, nulls, from, rows }: Target, given: EngineColumn): boolean {
  const [min, max] = integerRange(column.type)
  for (let i = 0; i < rows; i++) {
    const value = columnValue(given, from + i)
    if (value === null) {
      if (column.notNull) return false
      u8[nulls + (i >>> 3)]! |= 1 << (i & 7)
    } else if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) return false
    else if ((value as number | bigint) < min || (value as number | bigint) > max) return false
    writeI64(view, values + 8 * i, (value as number | bigint | null) ?? 0)
  }
  return true
}

function fillDoubles(target: Target, given: Float64Array, nulls: Uint8Array | undefined): boolean {
  const { memory: { f64 }, values, from, rows } = target
  f64.set(given.subarray(from, from + rows), values >>> 3)
  return fillNulls(target, nulls)
}

function fillNumbers({ memory: { f64, u8 }, column, values, nulls, from, rows }: Target, given: EngineColumn): boolean {
  for (let i = 0; i < rows; i++) {
    const value = columnValue(given, from + i) ?? null
    if (value === null) {
      if (column.notNull) return false
      u8[nulls + (i >>> 3)]! |= 1 << (i & 7)
    } else if (typeof value !== 'number') return false
    f64[(values >>> 3) + i] = value ?? 0
  }
  return true
}

function fillTexts({ memory, column, values, nulls, from, rows }: Target, given: EngineColumn, textAt: Pointer): Pointer {
  const { u8, u32 } = memory
  let at = textAt
  for (let i = 0; i < rows; i++) {
    const value = columnValue(given, from + i)
    let byteLength = 0
    if (value === null) {
      if (column.notNull) return 0
      u8[nulls + (i >>> 3)]! |= 1 << (i & 7)
    } else if (typeof value === 'string' && isTaken(column, given, value)) byteLength = writeText(memory.buffer, at, value)
    else if (value instanceof Uint8Array && column.type.kind === 'bytea') {
      u8.set(value, at)
      byteLength = value.length
    } else return 0
    u32[(values >>> 2) + 2 * i] = byteLength === 0 ? 0 : at
    u32[(values >>> 2) + 2 * i + 1] = byteLength
    at += byteLength
  }
  return at
}

/** The chunk's texts stand together, so one copy brings them; 0 where one is longer than its column takes, or is no text where that is wanted. */
function fillPacked(target: Target, texts: PackedTexts, nulls: Uint8Array | undefined, textAt: Pointer): Pointer {
  const { memory: { u8, u32 }, column: { type }, values, from, rows } = target
  const { bytes, ends, isText } = texts
  const start = startOf(texts, from)
  const lengthMax = type.kind === 'text' ? (type.lengthMax ?? Infinity) : Infinity
  if (isText !== (type.kind === 'text')) return 0
  const moved = textAt - start
  u8.set(bytes.subarray(start, ends[from + rows - 1]), textAt)
  let at = start
  for (let i = 0; i < rows; i++) {
    const end = ends[from + i]!
    const byteLength = end - at
    if (byteLength > lengthMax && codePoints(bytes, at, end) > lengthMax) return 0
    u32[(values >>> 2) + 2 * i] = byteLength === 0 ? 0 : at + moved
    u32[(values >>> 2) + 2 * i + 1] = byteLength
    at = end
  }
  return fillNulls(target, nulls) ? at + moved : 0
}

function startOf({ start, ends }: PackedTexts, row: number): number {
  return row === 0 ? start : ends[row - 1]!
}

function codePoints(utf8: Uint8Array, from: number, to: number): number {
  let count = 0
  for (let at = from; at < to; at++) if ((utf8[at]! & 0xc0) !== 0x80) count++
  return count
}

/** A text of more code units than its column has characters may still fit, which is counted elsewhere. */
function isTaken({ type }: ColumnSchema, { fromText }: EngineColumn, value: string): boolean {
  if (!isWellFormed(value)) return false
  return type.kind === 'text' ? value.length <= (type.lengthMax ?? Infinity) : type.kind === 'bytea' && fromText === true
}
