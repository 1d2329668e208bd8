/** Twin of assembly/column/keys/key-index.ts. */
import { cellStates } from '../../../column.ts'
import type { ColumnExports } from '../../../column.ts'
import type { LinearMemory, Pointer } from '../../../linear-memory.ts'
import { createKeyHash } from '../../hash/hash.ts'
import { columnKinds, encodings } from '../layout.ts'
import type { ChunkLayout } from '../layout.ts'
import { createCompareBytes } from '../text.ts'
import type { TextPlaces } from '../text.ts'

const absent = -1

const bucketBytes = 64, keysPerBucket = 12
/** Where a bucket's rows are, and the last of its marks, in u16. */
const rowsAt = 16, lastMark = 15

const bucketCount = (count: number): number => Math.ceil(count / keysPerBucket)
const firstBucket = (index: Pointer): Pointer => Math.ceil(index / bucketBytes) * bucketBytes
/** floor(hash * buckets / 2^32): exact, as buckets are few. */
const bucketOf = (hash: number, buckets: number): number => Math.floor((hash * buckets) / 2 ** 32)
const markOf = (hash: number): number => Math.max(hash >>> 16, 1)

/** Longer texts are not looked through. */
const asciiBytesMax = 1024

export function textState({ u8 }: LinearMemory, text: Pointer, byteLength: number): number {
  return byteLength <= asciiBytesMax && u8.subarray(text, text + byteLength).every((byte) => byte < 0x80) ? cellStates.isAscii : cellStates.isThere
}

type Getters = Pick<ColumnExports, 'columnGetI64' | 'columnGetF64' | 'columnGetBytes'>

export interface KeyIndexExports extends Pick<ColumnExports, 'columnKeyIndexBytes' | 'columnIndexKeys' | 'columnFindIndexed' | 'columnGetIndexed'> {
  /** Writes a row's value of another chunk to `out`; what became of it. */
  valueBeside(column: Pointer, row: number, out: Pointer): number
}

export function createKeyIndex(memory: LinearMemory, layout: ChunkLayout, places: TextPlaces, getters: Getters): KeyIndexExports {
  const { u8, u16, u32 } = memory
  const { hashBytes } = createKeyHash(memory), compare = createCompareBytes(memory)

  function find(chunk: Pointer, index: Pointer, hash: Pointer, key: Pointer, keyBytes: number): number {
    const buckets = bucketCount(layout.count(chunk)), first = firstBucket(index), mark = markOf(u32[(hash >>> 2) + 1]!)
    for (let bucket = bucketOf(u32[hash >>> 2]!, buckets); ; bucket = (bucket + 1) % buckets) {
      const at = (first + bucket * bucketBytes) >>> 1
      for (let slot = at; slot <= at + lastMark; slot++) {
        if (u16[slot] === 0) return absent
        if (u16[slot] !== mark) continue
        const row = u16[slot + rowsAt]!, start = places.start(chunk, row)
        if (compare(layout.text(chunk) + start, places.start(chunk, row + 1) - start, key, keyBytes) === 0) return row
      }
    }
  }

  function valueBeside(column: Pointer, row: number, out: Pointer): number {
    const kind = layout.kind(column)
    const get = kind === columnKinds.bytes ? getters.columnGetBytes : kind === columnKinds.f64 ? getters.columnGetF64 : getters.columnGetI64
    const got = get(column, row, out, 0)
    if (got !== 1) return got === 0 ? cellStates.isNull : cellStates.isUnread
    return kind === columnKinds.bytes ? textState(memory, u32[out >>> 2]!, u32[(out >>> 2) + 1]!) : cellStates.isThere
  }

  return {
    valueBeside,
    columnKeyIndexBytes: (chunk) => (layout.encoding(chunk) === encodings.textPlain && layout.nulls(chunk) === 0 ? (bucketCount(layout.count(chunk)) + 1) * bucketBytes : 0),
    columnIndexKeys(chunk, index, work) {
      const count = layout.count(chunk), buckets = bucketCount(count), first = firstBucket(index), text = layout.text(chunk)
      u8.fill(0, index, index + (buckets + 1) * bucketBytes)
      for (let row = 0; row < count; row++) {
        const start = places.start(chunk, row)
        hashBytes(text + start, places.start(chunk, row + 1) - start, work)
        let bucket = bucketOf(u32[work >>> 2]!, buckets)
        const at = (): number => (first + bucket * bucketBytes) >>> 1
        while (u16[at() + lastMark] !== 0) bucket = (bucket + 1) % buckets
        const slot = u16.indexOf(0, at())
        u16[slot] = markOf(u32[(work >>> 2) + 1]!)
        u16[slot + rowsAt] = row
      }
    },
    columnFindIndexed: find,
    columnGetIndexed(chunk, index, hash, key, keyBytes, column, out) {
      const row = find(chunk, index, hash, key, keyBytes)
      if (row >= 0) u32[(out >>> 2) + 2] = column === 0 ? cellStates.isUnread : valueBeside(column, row, out)
      return row
    },
  }
}
