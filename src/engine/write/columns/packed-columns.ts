/** Columns that grow by single values and by vectors of a scratch: numbers in typed arrays, texts one after the other. */
import type { EngineColumn, EngineValue } from '../../engine.ts'
import { physicalKind } from '../../schema.ts'
import type { ColumnSchema } from '../../schema.ts'
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import type { ColumnScratch } from './column-scratch.ts'
import type { PackedTexts } from './row-collector.ts'

/** Rows of a column as a chunk has them (src/kernel/values.ts). */
export interface ChunkVector {
  readonly scratch: ColumnScratch
  readonly values: Pointer
  readonly nulls: Pointer
  readonly rows: number
}

export interface PackedColumn {
  /** Adds the value of a row, which is the next one; `value` is what the column takes. */
  add(row: number, value: EngineValue): void
  /** The same for the rows from `row` on. */
  addVector(row: number, vector: ChunkVector): void
  /** What was added, which is forgotten. */
  take(rowCount: number): EngineColumn
}

export function createPackedColumn({ type }: ColumnSchema): PackedColumn {
  switch (physicalKind(type)) {
    case 'i64':
      return packedIntegers()
    case 'f64':
      return packedDoubles()
    case 'bytes':
      return packedTexts(type.kind === 'text')
  }
}

const rowsFirst = 1024

/** What to have room for when so much was taken: batches are mostly of one size, or a little larger. */
export function roomAfter(taken: number): number {
  return Math.max(rowsFirst, taken + (taken >>> 3))
}

type Numbers = BigInt64Array<ArrayBuffer> | Float64Array<ArrayBuffer>

/** `put` writes a value that is not null, `vectorsOf` gives the memory in which a chunk's vectors lie. */
function packedNumbers<T extends Numbers>(make: (rows: number) => T, put: (values: T, row: number, value: EngineValue) => void, vectorsOf: (memory: LinearMemory) => Numbers): PackedColumn {
  const nulls = trackNulls()
  let values = make(rowsFirst)
  return {
    add(row, value) {
      values = withRoom(values, row, 1)
      if (value !== null) put(values, row, value)
      nulls.add(row, value === null)
    },
    addVector(row, vector) {
      const { scratch: { kernel: { memory } }, values: from, rows } = vector
      values = withRoom(values, row, rows)
      values.set(vectorsOf(memory).subarray(from >>> 3, (from >>> 3) + rows) as never, row)
      nulls.addVector(row, vector)
    },
    take(rowCount) {
      const taken = values.subarray(0, rowCount)
      values = make(roomAfter(rowCount))
      return { values: taken, ...nulls.take(rowCount) }
    },
  }
}

const packedIntegers = (): PackedColumn =>
  packedNumbers((rows) => new BigInt64Array(rows), (values, row, value) => void (values[row] = BigInt(value as number | bigint)), ({ i64 }) => i64 as Numbers)

const packedDoubles = (): PackedColumn =>
  packedNumbers((rows) => new Float64Array(rows), (values, row, value) => void (values[row] = value as number), ({ f64 }) => f64 as Numbers)

function packedTexts(isText: boolean): PackedColumn {
  const nulls = trackNulls()
  let ends = new Uint32Array(rowsFirst)
  let bytes = new Uint8Array(16 * rowsFirst)
  let byteLength = 0
  return {
    add(row, value) {
      const added = value === null ? noBytes : typeof value === 'string' ? Buffer.from(value) : (value as Uint8Array)
      bytes = withRoom(bytes, byteLength, added.length)
      bytes.set(added, byteLength)
      byteLength += added.length
      ends = withRoom(ends, row, 1)
      ends[row] = byteLength
      nulls.add(row, value === null)
    },
    addVector(row, vector) {
      const { scratch: { kernel: { memory, exports }, keys, operations }, values, rows } = vector
      // Neither is in use before the columns are encoded, and the texts of a chunk have room in the second.
      const added = exports.valuesTexts(values, rows, operations, keys, byteLength)
      bytes = withRoom(bytes, byteLength, added)
      bytes.set(memory.u8.subarray(operations, operations + added), byteLength)
      byteLength += added
      ends = withRoom(ends, row, rows)
      ends.set(memory.u32.subarray(keys >>> 2, (keys >>> 2) + rows), row)
      nulls.addVector(row, vector)
    },
    take(rowCount) {
      const taken: PackedTexts = { isText, bytes: bytes.subarray(0, byteLength), start: 0, ends: ends.subarray(0, rowCount), length: rowCount }
      bytes = new Uint8Array(Math.max(16 * rowsFirst, roomAfter(byteLength)))
      ends = new Uint32Array(roomAfter(rowCount))
      byteLength = 0
      return { values: taken, ...nulls.take(rowCount) }
    },
  }
}

const noBytes = new Uint8Array()

interface NullTrack {
  add(row: number, isNull: boolean): void
  addVector(row: number, vector: ChunkVector): void
  take(rowCount: number): Pick<EngineColumn, 'nulls'>
}

/** Most columns never have one: the list is made by the first. */
function trackNulls(): NullTrack {
  let nulls: Uint8Array<ArrayBuffer> | undefined
  return {
    add(row, isNull) {
      if (!isNull) return
      nulls = withRoom(nulls ?? new Uint8Array(rowsFirst), row, 1)
      nulls[row] = 1
    },
    addVector(row, { scratch: { kernel: { memory: { u8 } } }, nulls: bitmap, rows }) {
      for (let byte = 0; byte < (rows + 7) >>> 3; byte++) {
        const bits = u8[bitmap + byte]!
        if (bits === 0) continue
        const until = Math.min(rows, 8 * byte + 8)
        nulls = withRoom(nulls ?? new Uint8Array(rowsFirst), row, until)
        for (let i = 8 * byte; i < until; i++) nulls[row + i] = (bits >>> (i & 7)) & 1
      }
    },
    take(rowCount) {
      if (nulls === undefined) return {}
      const taken = withRoom(nulls, 0, rowCount).subarray(0, rowCount)
      nulls = undefined
      return { nulls: taken }
    },
  }
}

type Growable = BigInt64Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>

/** The array, or a larger one with the same values before `at`, that has room for `count` more from there on. */
export function withRoom<T extends Growable>(array: T, at: number, count: number): T {
  if (at + count <= array.length) return array
  const larger = new (array.constructor as new (length: number) => T)(Math.max(2 * array.length, at + count))
  larger.set(array as never)
  return larger
}
