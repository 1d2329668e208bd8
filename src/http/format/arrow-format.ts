/**
 * The Arrow IPC stream, and the door to apache-arrow, which is loaded when the first answer of this kind is asked for.
 * Every batch is a message of its own over typed arrays that columns fill as rows come.
 */
import { Binary, Bool, DateDay, Decimal, Field, Float64, Int16, Int32, Int64, RecordBatch, RecordBatchStreamWriter, Schema, Struct, TimestampMicrosecond, Utf8, makeData } from 'apache-arrow'
import type { Data, DataType } from 'apache-arrow'
import type { EngineRow } from '../../engine/engine.ts'
import type { ColumnType } from '../../engine/schema.ts'
import type { ResultColumn } from '../../sql/plan.ts'
import { createArrowColumn } from './arrow-column.ts'
import type { ArrowColumn } from './arrow-column.ts'
import type { ResultFormat, RowEncoder } from './result-format.ts'

/** What ends a stream: the mark of a message, and no length. */
const endOfStream = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)

export const arrowFormat: ResultFormat = {
  contentType: 'application/vnd.apache.arrow.stream',
  takesAll: false,
  // Readers work a batch at a time.
  chunkSize: 524_288,
  begin(columns) {
    const fields = columns.map(({ name, type }) => new Field(name, arrowType(type), true))
    const schema = new Schema(fields)
    const head = withoutEnd(new RecordBatchStreamWriter().reset(undefined, schema).finish().toUint8Array(true))
    return { head, rows: createArrowRows(columns, schema, head.length) }
  },
  end: () => endOfStream,
}

/** INTEGER and SMALLINT keep their width; NUMERIC without declared precision has the 38 digits of 128 bits. */
function arrowType(type: ColumnType): DataType {
  switch (type.kind) {
    case 'smallint':
      return new Int16()
    case 'integer':
      return new Int32()
    case 'bigint':
      return new Int64()
    case 'double':
      return new Float64()
    case 'numeric':
      return new Decimal(type.scale, type.precision, 128)
    case 'text':
      return new Utf8()
    case 'boolean':
      return new Bool()
    case 'timestamp':
      return new TimestampMicrosecond('UTC')
    case 'date':
      return new DateDay()
    case 'bytea':
      return new Binary()
  }
}

function createArrowRows(columns: readonly ResultColumn[], schema: Schema, schemaBytes: number): RowEncoder {
  const encoders: readonly ArrowColumn[] = columns.map(({ name, type }) => createArrowColumn(name, type))
  let rowCount = 0
  let size = 0
  return {
    add(row: EngineRow) {
      for (let index = 0; index < encoders.length; index++) size += encoders[index]!.add(row[index]!)
      rowCount++
    },
    get size() {
      return size
    },
    take() {
      if (rowCount === 0) return new Uint8Array()
      const children = encoders.map((encoder, index) => columnData(schema.fields[index]!.type, encoder, rowCount))
      const batch = new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: rowCount, nullCount: 0, children }))
      rowCount = 0
      size = 0
      // A stream of one batch: what it says of the schema has been said.
      return withoutEnd(RecordBatchStreamWriter.writeAll([batch]).toUint8Array(true)).subarray(schemaBytes)
    },
  }
}

/** The column's rows so far, which it then forgets. */
function columnData(type: DataType, column: ArrowColumn, length: number): Data {
  const { data, offsets, nullBitmap, nullCount } = column.take()
  const nulls = nullCount === 0 ? { nullCount } : { nullCount, nullBitmap }
  return offsets === undefined ? makeData({ type: type as Int64, length, data: data as BigInt64Array, ...nulls }) : makeData({ type: type as Binary, length, data: data as Uint8Array, valueOffsets: offsets, ...nulls })
}

function withoutEnd(stream: Uint8Array): Uint8Array {
  return stream.subarray(0, stream.length - endOfStream.length)
}
