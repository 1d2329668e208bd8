/** Twin of assembly/column/keys/find-key.ts. */
import type { ColumnExports } from '../../../column.ts'
import type { LinearMemory, Pointer } from '../../../linear-memory.ts'
import { columnKinds } from '../layout.ts'
import type { ChunkLayout } from '../layout.ts'
import { createCompareBytes } from '../text.ts'

const absent = -1, unreadable = -2

type Readers = Pick<ColumnExports, 'columnGetBytes' | 'columnGetI64' | 'columnLowerBoundBytes' | 'columnLowerBoundI64'>

export function createFindKey(memory: LinearMemory, layout: ChunkLayout, readers: Readers): ColumnExports['columnFindKey'] {
  const { u32, view } = memory
  const compare = createCompareBytes(memory)

  const findText = (chunk: Pointer, key: Pointer, keyBytes: number, work: Pointer, scratch: Pointer): number => {
    const row = readers.columnLowerBoundBytes(chunk, key, keyBytes, scratch)
    if (row < 0) return unreadable
    if (row >= layout.count(chunk)) return absent
    if (readers.columnGetBytes(chunk, row, work, scratch) !== 1) return unreadable
    return compare(u32[work >>> 2]!, u32[(work >>> 2) + 1]!, key, keyBytes) === 0 ? row : absent
  }

  const findInteger = (chunk: Pointer, key: Pointer, keyBytes: number, work: Pointer): number => {
    if (keyBytes !== 8) return absent
    const low = view.getUint32(key + 4), high = (view.getUint32(key) ^ 0x8000_0000) >>> 0
    u32[work >>> 2] = low
    u32[(work >>> 2) + 1] = high
    const row = readers.columnLowerBoundI64(chunk, work)
    if (row >= layout.count(chunk)) return absent
    if (readers.columnGetI64(chunk, row, work) !== 1) return unreadable
    return u32[work >>> 2] === low && u32[(work >>> 2) + 1] === high ? row : absent
  }

  return (chunk, key, keyBytes, work, scratch) => {
    const kind = layout.kind(chunk)
    if (kind === columnKinds.bytes) return findText(chunk, key, keyBytes, work, scratch)
    return kind === columnKinds.i64 ? findInteger(chunk, key, keyBytes, work) : unreadable
  }
}
