/*
 * An index of a chunk of keys, made in memory for chunks that point reads keep asking for: a hash table of buckets, each a line of the
 * processor's caches: 16 × u16 of the hashes of keys (0 is nobody's), then 16 × u16, their rows. A bucket's slots are taken in turn, and
 * what finds it full goes on in the next; of 16 there is a key in 12 on average. So a look costs one line and a comparison of all 16 at a
 * time (as tables do: Bronson, Shi, "Open-sourcing F14 for faster, more memory-efficient hash tables", 2019), and a key is compared with
 * hardly any but itself, where a search compares it with ten.
 */
import { textIsAscii } from '../../compare/ascii'
import { Bytes } from '../../compare/equal'
import { hashBytes64 } from '../../hash/hash'
import { chunkCount, chunkEncoding, chunkKind, chunkNulls, chunkText, ENCODING_TEXT_PLAIN, KIND_BYTES, KIND_F64, KIND_I64 } from '../layout'
import { columnGetF64, columnGetI64 } from '../numbers'
import { columnGetBytes } from '../text/decode'
import { plainRef, TextPlace } from '../text/places'

const ABSENT: i32 = -1

const BUCKET_BYTES: u32 = 64
const ROWS_AT: usize = 32
const KEYS_PER_BUCKET: u32 = 12

function bucketCount(count: u32): u32 { return (count + KEYS_PER_BUCKET - 1) / KEYS_PER_BUCKET }

/** The buckets begin at the next line. */
function firstBucket(index: usize): usize { return (index + BUCKET_BYTES - 1) & ~(<usize>BUCKET_BYTES - 1) }

export function columnKeyIndexBytes(chunk: usize): u32 {
  return chunkEncoding(chunk) == ENCODING_TEXT_PLAIN && chunkNulls(chunk) == 0 ? (bucketCount(chunkCount(chunk)) + 1) * BUCKET_BYTES : 0
}

export function columnIndexKeys(chunk: usize, index: usize, work: usize): void {
  const count = chunkCount(chunk), buckets = bucketCount(count), text = chunkText(chunk), first = firstBucket(index)
  memory.fill(index, 0, <usize>(buckets + 1) * BUCKET_BYTES)
  for (let row = 0; row < count; row++) {
    plainRef(chunk, row, text, work)
    const hash = hashBytes64(load<u32>(work), load<u32>(work, 4))
    let bucket = <u32>((<u64><u32>hash * buckets) >> 32)
    while (isFull(first + <usize>bucket * BUCKET_BYTES)) bucket = next(bucket, buckets)
    take(first + <usize>bucket * BUCKET_BYTES, markOf(<u32>(hash >>> 32)), <u16>row)
  }
}

/** The upper half of a key's second hash. */
function markOf(hash: u32): u16 { return <u16>max(hash >>> 16, 1) }

function isFull(bucket: usize): bool { return load<u16>(bucket, ROWS_AT - 2) != 0 }

function next(bucket: u32, buckets: u32): u32 { return bucket + 1 == buckets ? 0 : bucket + 1 }

function take(bucket: usize, mark: u16, row: u16): void {
  let slot: usize = 0
  while (load<u16>(bucket + slot) != 0) slot += 2
  store<u16>(bucket + slot, mark)
  store<u16>(bucket + slot, row, ROWS_AT)
}

export class KeyIndex {
  /**
   * Part of all reads by index: a call takes as long as a tenth of what it does. `count`: the chunk's rows. The value (of `column`, where that
   * is not 0) is looked at before the key is compared, which it hardly ever is with another than itself: the processor then waits for both at a time.
   */
  @inline
  static find(chunk: usize, index: usize, count: u32, hash: usize, key: usize, keyBytes: u32, column: usize, out: usize): i32 {
    const first = firstBucket(index), buckets = bucketCount(count), mark = i16x8.splat(<i16>markOf(load<u32>(hash, 4)))
    let bucket = <u32>((<u64>load<u32>(hash) * buckets) >> 32)
    let at = first + <usize>bucket * BUCKET_BYTES
    while (true) {
      let slots = <u32>i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.eq(v128.load(at), mark), i16x8.eq(v128.load(at, 16), mark)))
      for (; slots != 0; slots &= slots - 1) {
        const row = <i32>load<u16>(at + (<usize>ctz(slots) << 1), ROWS_AT)
        if (column != 0) store<u32>(out, valueBeside(column, row, out), 8)
        const ref = TextPlace.plainRef(chunk, row, chunkText(chunk))
        if (<u32>(ref >>> 32) == keyBytes && Bytes.equal(<usize>(ref & 0xffffffff), key, keyBytes)) return row
      }
      if (!isFull(at)) break
      bucket = next(bucket, buckets)
      at = first + <usize>bucket * BUCKET_BYTES
    }
    return ABSENT
  }
}

export function columnFindIndexed(chunk: usize, index: usize, hash: usize, key: usize, keyBytes: u32, work: usize): i32 {
  return KeyIndex.find(chunk, index, chunkCount(chunk), hash, key, keyBytes, 0, work)
}

/* What became of the value beside a key; told in src/kernel/column.ts. */
export const IS_NULL: u32 = 0
export const IS_THERE: u32 = 1
const IS_ASCII: u32 = 2
export const IS_UNREAD: u32 = 3

/** Longer texts are not looked through: what that saves is little beside what making a string of them takes. */
const ASCII_BYTES_MAX: u32 = 1024

export function columnGetIndexed(chunk: usize, index: usize, hash: usize, key: usize, keyBytes: u32, column: usize, out: usize): i32 {
  const row = KeyIndex.find(chunk, index, chunkCount(chunk), hash, key, keyBytes, column, out)
  if (column == 0) store<u32>(out, IS_UNREAD, 8)
  return row
}

/** Writes a row's value of another chunk to `out`; what became of it. */
export function valueBeside(column: usize, row: i32, out: usize): u32 {
  const kind = chunkKind(column)
  if (kind == KIND_BYTES) {
    const got = columnGetBytes(column, row, out, 0)
    if (got != 1) return got == 0 ? IS_NULL : IS_UNREAD
    return textState(load<u32>(out), load<u32>(out, 4))
  }
  const got = kind == KIND_I64 ? columnGetI64(column, row, out) : kind == KIND_F64 ? columnGetF64(column, row, out) : -1
  return got == 1 ? IS_THERE : got == 0 ? IS_NULL : IS_UNREAD
}

export function textState(text: usize, byteLength: u32): u32 {
  return byteLength <= ASCII_BYTES_MAX && textIsAscii(text, byteLength) ? IS_ASCII : IS_THERE
}
