/**
 * An Arrow stream or file as JSON lines, which is what importers read: an object a row, so that a row's number is its
 * line. 64-bit integers, decimals and microseconds go from Arrow's buffers to digits without a JavaScript number.
 */
import { Binary, Bool, DataType, DateUnit, Dictionary, RecordBatchReader, TimeUnit, Utf8 } from 'apache-arrow'
import type { Data, Field, RecordBatch, Vector } from 'apache-arrow'
import { formatDecimal } from '../../engine/decimal.ts'
import { formatDate, formatTimestamp } from '../../engine/temporal.ts'
import { LsmtError } from '../../errors.ts'

/** 22P02 for what is no Arrow, 0A000 for types that no column of a table has. */
export async function* arrowAsJsonLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = await readable(RecordBatchReader.from(source))
  for (;;) {
    const next = await readable(reader.next())
    if (next.done === true) return
    yield* batchLines(next.value)
  }
}

async function readable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    if (cause instanceof LsmtError) throw cause
    throw new LsmtError('22P02', `this is no Arrow stream: ${cause instanceof Error ? cause.message.slice(0, 200) : String(cause)}`, {}, cause)
  }
}

const linesPerPiece = 1_000

function* batchLines(batch: RecordBatch): Generator<Uint8Array> {
  const columns = batch.schema.fields.map((field, index) => {
    const vector = batch.getChildAt(index)!
    return { name: JSON.stringify(field.name), isValid: (row: number) => vector.isValid(row), text: cellText(field, vector) }
  })
  for (let from = 0; from < batch.numRows; from += linesPerPiece) {
    let lines = ''
    for (let row = from; row < Math.min(batch.numRows, from + linesPerPiece); row++) {
      lines += `{${columns.map(({ name, isValid, text }) => `${name}:${isValid(row) ? text(row) : 'null'}`).join(',')}}\n`
    }
    yield Buffer.from(lines, 'utf8')
  }
}

/** How the values of a column are written as JSON. */
function cellText({ name, type }: Field, vector: Vector): (row: number) => string {
  const data = vector.data[0]!
  if (type instanceof Utf8 || DataType.isLargeUtf8(type) || (type instanceof Dictionary && type.dictionary instanceof Utf8)) return (row) => JSON.stringify(vector.get(row))
  if (type instanceof Bool) return (row) => String(vector.get(row))
  if (type instanceof Binary || DataType.isLargeBinary(type)) return (row) => `"${Buffer.from(vector.get(row) as Uint8Array).toString('base64')}"`
  if (DataType.isInt(type)) return (row) => String(vector.get(row))
  if (DataType.isFloat(type)) return (row) => floatText(vector.get(row) as number)
  if (DataType.isDecimal(type) && type.bitWidth === 128) return (row) => `"${decimalText(unscaledAt(data, row), type.scale)}"`
  if (DataType.isTimestamp(type)) return (row) => `"${formatTimestamp(microsOf((data.values as BigInt64Array)[row]!, type.unit))}"`
  if (DataType.isDate(type)) return (row) => `"${formatDate(type.unit === DateUnit.DAY ? (data.values as Int32Array)[row]! : Number((data.values as BigInt64Array)[row]! / 86_400_000n))}"`
  throw new LsmtError('0A000', `column "${name}" is of Arrow's type ${String(type)}, which is not supported`, { hint: 'cast it to a text, number, date or timestamp first' })
}

function floatText(value: number): string {
  return Number.isFinite(value) ? (Object.is(value, -0) ? '-0' : String(value)) : `"${value}"`
}

/** Four words, the lowest first, two's complement. */
function unscaledAt({ values }: Data, row: number): bigint {
  const words = values as Uint32Array
  let unscaled = 0n
  for (let word = 3; word >= 0; word--) unscaled = (unscaled << 32n) | BigInt(words[4 * row + word]!)
  return BigInt.asIntN(128, unscaled)
}

function decimalText(unscaled: bigint, scale: number): string {
  return scale >= 0 ? formatDecimal(unscaled, scale) : String(unscaled * 10n ** BigInt(-scale))
}

/** Nanoseconds are cut. */
function microsOf(value: bigint, unit: TimeUnit): bigint {
  switch (unit) {
    case TimeUnit.SECOND:
      return value * 1_000_000n
    case TimeUnit.MILLISECOND:
      return value * 1_000n
    case TimeUnit.MICROSECOND:
      return value
    case TimeUnit.NANOSECOND:
      return value / 1_000n
  }
}
