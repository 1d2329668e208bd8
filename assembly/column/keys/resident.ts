/* Point reads of a file by what is told of its row groups in one place; the record is drawn in src/kernel/column.ts. */
import { zoneMapRowGroupOf } from '../../zone-map'
import { columnGetI64 } from '../numbers'
import { columnGetIndexed, IS_UNREAD } from './key-index'

const DELETED: i32 = -2
const UNKNOWN: i32 = -3

const HEAD_BYTES: usize = 24
const GROUP_BYTES: usize = 20

export function columnGetResident(record: usize, version: f64, hash: usize, key: usize, keyBytes: u32, ordinal: i32, out: usize): i32 {
  const rowGroup = zoneMapRowGroupOf(load<u32>(record, 8), load<u32>(record, 12), load<u32>(record, 16), load<u32>(record), load<u32>(record, 4), key, keyBytes)
  if (rowGroup < 0) return UNKNOWN
  const columnCount = load<i32>(record, 20)
  const group = record + HEAD_BYTES + <usize>rowGroup * ((GROUP_BYTES + (<usize>columnCount << 2) + 7) & ~7)
  if (load<f64>(group) != version) return UNKNOWN
  const column = <u32>ordinal < <u32>columnCount ? load<u32>(group + GROUP_BYTES + (<usize>ordinal << 2)) : 0
  const row = columnGetIndexed(load<u32>(group, 8), load<u32>(group, 12), hash, key, keyBytes, column, out)
  if (row < 0) return row
  if (column != 0 && load<u32>(out, 8) == IS_UNREAD) return UNKNOWN
  const tombstones = load<u32>(group, 16)
  if (tombstones != 0) {
    if (columnGetI64(tombstones, row, out + 16) != 1) return UNKNOWN
    if (load<u64>(out, 16) != 0) return DELETED
  }
  store<u32>(out, rowGroup, 12)
  return row
}
