/** The values of one column on their way into an Arrow record batch: typed arrays that grow as rows come. */
import type { EngineValue } from '../../engine/engine.ts'
import type { ColumnType } from '../../engine/schema.ts'
import { LsmtError } from '../../errors.ts'

export interface ArrowColumn {
  /** Returns about how many bytes the value takes. 22003 when it is beyond what Arrow's type holds. */
  add(value: EngineValue): number
  /** What was added since the last time, as Arrow lays it out. */
  take(): ArrowBuffers
}

interface ArrowBuffers {
  readonly data: ArrayBufferView
  /** Of texts and bytes: where each value begins, and the last one ends. */
  readonly offsets: Int32Array | undefined
  /** Bit by bit, 1 where there is a value. */
  readonly nullBitmap: Uint8Array
  readonly nullCount: number
}

type Integer = number | bigint

/** How values of a type are kept. */
interface Store {
  /** Puts the value (null: anything) in place `index`, behind all others; returns its bytes. */
  put(index: number, value: EngineValue): number
  take(length: number): Pick<ArrowBuffers, 'data' | 'offsets'>
}

export function createArrowColumn(name: string, type: ColumnType): ArrowColumn {
  const store = storeOf(name, type)
  const present = createBits()
  let length = 0
  let nullCount = 0
  return {
    add(value) {
      const isNull = value === null
      present.put(length, isNull ? 0 : 1)
      if (isNull) nullCount++
      return store.put(length++, value)
    },
    take() {
      const taken = { ...store.take(length), nullBitmap: present.take(length), nullCount }
      length = 0
      nullCount = 0
      return taken
    },
  }
}

function storeOf(name: string, type: ColumnType): Store {
  switch (type.kind) {
    case 'smallint':
      return createNumbers(Int16Array, (value) => value as number)
    case 'integer':
      return createNumbers(Int32Array, (value) => value as number)
    case 'date':
      return createNumbers(Int32Array, (value) => dayOf(name, value as Integer))
    case 'double':
      return createNumbers(Float64Array, (value) => value as number)
    case 'bigint':
    case 'timestamp':
      return createLongs()
    case 'numeric':
      return createDecimals(name)
    case 'boolean':
      return createFlags()
    case 'text':
    case 'bytea':
      return createBytes()
  }
}

function dayOf(name: string, days: Integer): number {
  const day = Number(days)
  if (day !== (day | 0)) throw beyond(name, 'day', days)
  return day
}

function beyond(name: string, what: string, value: Integer): LsmtError {
  return new LsmtError('22003', `the ${what} ${value} in column "${name}" is beyond what Arrow holds`, { hint: 'other formats hold it' })
}

const firstLength = 1_024

type NumberArray = Int16Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>

function createNumbers(Kind: new (length: number) => NumberArray, numberOf: (value: EngineValue) => number): Store {
  let array = new Kind(firstLength)
  return {
    put(index, value) {
      if (index === array.length) {
        const larger = new Kind(2 * index)
        larger.set(array)
        array = larger
      }
      array[index] = value === null ? 0 : numberOf(value)
      return array.BYTES_PER_ELEMENT
    },
    take(length) {
      return { data: array.slice(0, length), offsets: undefined }
    },
  }
}

/** Numbers below 2^53 are written as two halves: making a BigInt of each would take most of the time. */
function createLongs(): Store {
  let array = new BigInt64Array(firstLength)
  let halves = new Int32Array(array.buffer)
  return {
    put(index, value) {
      if (index === array.length) {
        array = larger(array)
        halves = new Int32Array(array.buffer)
      }
      if (typeof value === 'bigint') array[index] = value
      else {
        const number = (value ?? 0) as number
        halves[2 * index] = number | 0
        halves[2 * index + 1] = Math.floor(number / 2 ** 32)
      }
      return 8
    },
    take(length) {
      return { data: array.slice(0, length), offsets: undefined }
    },
  }
}

function larger(array: BigInt64Array<ArrayBuffer>): BigInt64Array<ArrayBuffer> {
  const grown = new BigInt64Array(2 * array.length)
  grown.set(array)
  return grown
}

const decimalMax = 10n ** 38n

/** Unscaled integers of 128 bits, two's complement. */
function createDecimals(name: string): Store {
  let array = new BigInt64Array(firstLength)
  return {
    put(index, value) {
      if (2 * index === array.length) array = larger(array)
      const unscaled = BigInt((value ?? 0) as Integer)
      if (unscaled >= decimalMax || unscaled <= -decimalMax) throw beyond(name, 'number of unscaled digits', unscaled)
      array[2 * index] = BigInt.asIntN(64, unscaled)
      array[2 * index + 1] = unscaled >> 64n
      return 16
    },
    take(length) {
      return { data: new Uint32Array(array.slice(0, 2 * length).buffer), offsets: undefined }
    },
  }
}

function createBits(): { put(index: number, bit: 0 | 1): void; take(length: number): Uint8Array } {
  let bytes = new Uint8Array(firstLength / 8)
  return {
    put(index, bit) {
      const at = index >> 3
      if (at === bytes.length) {
        const larger = new Uint8Array(2 * at)
        larger.set(bytes)
        bytes = larger
      }
      const place = index & 7
      bytes[at] = place === 0 ? bit : bytes[at]! | (bit << place)
    },
    take: (length) => bytes.slice(0, (length + 7) >> 3),
  }
}

function createFlags(): Store {
  const bits = createBits()
  return {
    put(index, value) {
      bits.put(index, value === null || value === 0 ? 0 : 1)
      return 1
    },
    take: (length) => ({ data: bits.take(length), offsets: undefined }),
  }
}

/** Texts as UTF-8, and bytes, one behind the other. */
function createBytes(): Store {
  let offsets = new Int32Array(firstLength)
  let bytes = Buffer.allocUnsafe(16 * firstLength)
  let end = 0
  const makeRoom = (byteLength: number): void => {
    if (end + byteLength <= bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(2 * bytes.length, end + byteLength))
    bytes.copy(larger, 0, 0, end)
    bytes = larger
  }
  return {
    put(index, value) {
      if (index + 1 === offsets.length) {
        const larger = new Int32Array(2 * offsets.length)
        larger.set(offsets)
        offsets = larger
      }
      const start = end
      if (typeof value === 'string') {
        // UTF-8 has at most three bytes for a code unit.
        makeRoom(3 * value.length)
        end += bytes.write(value, end)
      } else if (value instanceof Uint8Array) {
        makeRoom(value.length)
        bytes.set(value, end)
        end += value.length
      }
      offsets[index + 1] = end
      return end - start + 4
    },
    take(length) {
      const taken = { data: Uint8Array.from(bytes.subarray(0, end)), offsets: offsets.slice(0, length + 1) }
      end = 0
      return taken
    },
  }
}
