/* The row of one key in a chunk of keys, for point reads. */
import { chunkCount, chunkKind, KIND_BYTES, KIND_I64 } from '../layout'
import { columnGetI64, columnLowerBoundI64 } from '../numbers'
import { compareBytes } from '../text/compare'
import { columnGetBytes } from '../text/decode'
import { columnLowerBoundBytes } from '../text/search'

const ABSENT: i32 = -1
const UNREADABLE: i32 = -2

export function columnFindKey(chunk: usize, key: usize, keyBytes: u32, work: usize, scratch: usize): i32 {
  const kind = chunkKind(chunk)
  if (kind == KIND_BYTES) return findText(chunk, key, keyBytes, work, scratch)
  return kind == KIND_I64 ? findInteger(chunk, key, keyBytes, work) : UNREADABLE
}

function findText(chunk: usize, key: usize, keyBytes: u32, work: usize, scratch: usize): i32 {
  const row = columnLowerBoundBytes(chunk, key, keyBytes, scratch)
  if (row < 0) return UNREADABLE
  if (row >= chunkCount(chunk)) return ABSENT
  if (columnGetBytes(chunk, row, work, scratch) != 1) return UNREADABLE
  return compareBytes(load<u32>(work), load<u32>(work, 4), key, keyBytes) == 0 ? row : ABSENT
}

/** The key's bytes are the number's, most significant first, with the sign bit turned round. */
function findInteger(chunk: usize, key: usize, keyBytes: u32, work: usize): i32 {
  if (keyBytes != 8) return ABSENT
  const wanted = <i64>(bswap<u64>(load<u64>(key)) ^ 0x8000000000000000)
  store<i64>(work, wanted)
  const row = columnLowerBoundI64(chunk, work)
  if (row >= chunkCount(chunk)) return ABSENT
  if (columnGetI64(chunk, row, work) != 1) return UNREADABLE
  return load<i64>(work) == wanted ? row : ABSENT
}
