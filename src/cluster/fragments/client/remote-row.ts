/** A row that came from another node, as the code above a tree reads found rows. */
import { LsmtError } from '../../../errors.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import type { PhysicalValue } from '../../../lsm/layout.ts'
import type { RowHandle } from '../../../lsm/tree.ts'
import type { PointRow } from '../wire/point-rows.ts'

/** Memory for the text that was asked for last, as those of a tree's own rows have it. */
export interface TextScratch {
  put(bytes: Uint8Array): Pointer
  free(): void
}

const keptBytesMax = 256 * 1024

export function createTextScratch({ heap, memory }: Kernel): TextScratch {
  let address: Pointer = 0, byteLength = 0
  const free = (): void => {
    if (address !== 0) heap.free(address)
    address = byteLength = 0
  }
  return {
    put(bytes) {
      if (bytes.byteLength > byteLength || byteLength > keptBytesMax) {
        free()
        byteLength = Math.max(1024, bytes.byteLength)
        address = heap.allocate(byteLength)
      }
      memory.u8.set(bytes, address)
      return address
    },
    free,
  }
}

export function remoteRow(scratch: TextScratch, row: PointRow): RowHandle {
  const valueAt = (ordinal: number): PhysicalValue | null => {
    const value = row[ordinal]
    if (value === undefined) throw new LsmtError('40001', `a row of ${row.length} columns is asked for column ${ordinal}: the table was changed meanwhile`)
    return value
  }
  const i64 = (ordinal: number): bigint => (valueAt(ordinal) as bigint | null) ?? 0n
  return {
    isNull: (ordinal) => valueAt(ordinal) === null,
    i64,
    i64Safe(ordinal) {
      const number = Number(i64(ordinal))
      return Number.isSafeInteger(number) ? number : undefined
    },
    f64: (ordinal) => (valueAt(ordinal) as number | null) ?? 0,
    bytes(ordinal) {
      const value = valueAt(ordinal) as Uint8Array | null
      return value === null || value.byteLength === 0 ? { address: 0, byteLength: 0 } : { address: scratch.put(value), byteLength: value.byteLength }
    },
  }
}
