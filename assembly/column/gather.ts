/* Single rows of a chunk, by number: for few of many, whose blocks are not worth decoding. */
import { chunkKind, nullBitmapBytes, KIND_F64, KIND_I64 } from './layout'
import { columnGetF64, columnGetI64 } from './numbers'
import { columnGetBytes } from './text/decode'

export function columnGather(chunk: usize, kind: i32, rows: usize, count: i32, values: usize, nulls: usize): i32 {
  if (chunkKind(chunk) != kind) return -1
  if (nulls != 0) memory.fill(nulls, 0, <usize>nullBitmapBytes(count))
  let anyNull = 0
  for (let at = 0; at < count; at++) {
    const outcome = get(chunk, kind, load<i32>(rows + (<usize>at << 2)), values + (<usize>at << 3))
    if (outcome < 0) return -1
    if (outcome > 0) continue
    anyNull = 1
    const byte = nulls + <usize>(at >> 3)
    if (nulls != 0) store<u8>(byte, load<u8>(byte) | <u8>(<u32>1 << (at & 7)))
  }
  return anyNull
}

function get(chunk: usize, kind: i32, row: i32, out: usize): i32 {
  if (kind == KIND_I64) return columnGetI64(chunk, row, out)
  return kind == KIND_F64 ? columnGetF64(chunk, row, out) : columnGetBytes(chunk, row, out, 0)
}
