/** Columns and keys to put operations, by shard. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { valuesShardBytes } from '../../values.ts'
import { columnAt, columnField, columnKind, isNull, planField, valueAt, word } from './layout.ts'

const operationHeaderBytes = 12
const tableIdBytes = 4
const rowHeaderBytes = 4
const put = 1

export function measure(memory: LinearMemory, plan: Pointer, count: number, refs: Pointer, hashes: Pointer, records: Pointer): number {
  const { u32 } = memory
  const shards = word(memory, plan, planField.shards)
  u32.fill(0, records >>> 2, (records + shards * valuesShardBytes) >>> 2)
  let longest = 0
  for (let row = 0; row < count; row++) {
    const byteLength = rowBytes(memory, plan, row)
    longest = Math.max(longest, byteLength)
    const shard = (records + valuesShardBytes * (word(memory, hashes, 8 * row + 4) % shards)) >>> 2
    u32[shard]! += (operationHeaderBytes + tableIdBytes + word(memory, refs, 8 * row + 4) + byteLength + 3) & ~3
    noteKey(memory, shard, refs, row)
    u32[shard + 1]!++
  }
  return longest
}

function noteKey(memory: LinearMemory, shard: number, refs: Pointer, row: number): void {
  const { u32 } = memory
  if (u32[shard + 1] === 0) {
    u32[shard + 2] = u32[shard + 3] = row
    u32[shard + 4] = 1
  } else if (compareKeys(memory, refs, row, u32[shard + 3]!) > 0) {
    u32[shard + 3] = row
  } else {
    u32[shard + 4] = 0
    if (compareKeys(memory, refs, row, u32[shard + 2]!) < 0) u32[shard + 2] = row
  }
}

function compareKeys(memory: LinearMemory, refs: Pointer, left: number, right: number): number {
  const from = (row: number): number => word(memory, refs, 8 * row), to = (row: number): number => from(row) + word(memory, refs, 8 * row + 4)
  return memory.buffer.compare(memory.buffer, from(right), to(right), from(left), to(left))
}

function rowBytes(memory: LinearMemory, plan: Pointer, row: number): number {
  const ordinals = word(memory, plan, planField.values)
  const columns = word(memory, plan, planField.valueCount)
  let byteLength = word(memory, plan, planField.fixedBytes)
  for (let i = 0; i < columns; i++) {
    const column = columnAt(memory, plan, ordinals, i)
    if (word(memory, column, columnField.kind) === columnKind.bytes) byteLength += word(memory, valueAt(memory, column, row), 4)
  }
  return byteLength
}

export function encode(memory: LinearMemory, plan: Pointer, count: number, refs: Pointer, hashes: Pointer, cursors: Pointer): void {
  const { u8, u32, view } = memory
  const shards = word(memory, plan, planField.shards)
  for (let row = 0; row < count; row++) {
    const cursor = (cursors >>> 2) + (word(memory, hashes, 8 * row + 4) % shards)
    const at = u32[cursor]!
    const keyAt = word(memory, refs, 8 * row), keyBytes = word(memory, refs, 8 * row + 4)
    const key = at + operationHeaderBytes + tableIdBytes
    u32[at >>> 2] = put
    u32[(at >>> 2) + 1] = tableIdBytes + keyBytes
    view.setUint32(at + operationHeaderBytes, word(memory, plan, planField.tableId))
    u8.copyWithin(key, keyAt, keyAt + keyBytes)
    const value = key + keyBytes
    const end = writeRow(memory, plan, row, value)
    u32[(at >>> 2) + 2] = end - value
    const padded = (end + 3) & ~3
    u8.fill(0, end, padded)
    u32[cursor] = padded
  }
}

/** Drawn in src/kernel/row.ts; returns its end. */
function writeRow(memory: LinearMemory, plan: Pointer, row: number, at: Pointer): Pointer {
  const { u8, view } = memory
  const ordinals = word(memory, plan, planField.values)
  const columns = word(memory, plan, planField.valueCount)
  const bitmap = at + rowHeaderBytes
  const text = at + word(memory, plan, planField.fixedBytes)
  let slot = bitmap + ((columns + 7) >>> 3)
  let end = text
  view.setUint32(at, columns, true)
  u8.fill(0, bitmap, slot)
  for (let i = 0; i < columns; i++) {
    const column = columnAt(memory, plan, ordinals, i)
    const value = valueAt(memory, column, row)
    const low = word(memory, value, 0), high = word(memory, value, 4)
    if (isNull(memory, column, row)) u8[bitmap + (i >>> 3)]! |= 1 << (i & 7)
    if (word(memory, column, columnField.kind) === columnKind.bytes) {
      u8.copyWithin(end, low, low + high)
      end += high
      view.setUint32(slot, end - text, true)
      slot += 4
    } else {
      view.setUint32(slot, low, true)
      view.setUint32(slot + 4, high, true)
      slot += 8
    }
  }
  return end
}
