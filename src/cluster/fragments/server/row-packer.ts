/** Rows packed into messages: their number, then the rows. */
import { createByteWriter } from '../../transport/wire/byte-writer.ts'
import type { ByteWriter } from '../../transport/wire/byte-writer.ts'

export interface RowPacker {
  /** Writes one row; gives the message when it has `bytesMax`. */
  add(write: (writer: ByteWriter) => void): Uint8Array | undefined
  /** What was not given yet. */
  rest(): Uint8Array | undefined
}

export function createRowPacker(bytesMax: number): RowPacker {
  let rows = createByteWriter(), rowCount = 0

  function rest(): Uint8Array | undefined {
    if (rowCount === 0) return undefined
    const packed = rows.done(), message = createByteWriter(8 + packed.byteLength)
    message.count(rowCount)
    message.bytes(packed)
    rows = createByteWriter()
    rowCount = 0
    return message.done()
  }

  return {
    add(write) {
      write(rows)
      rowCount++
      return rows.done().byteLength < bytesMax ? undefined : rest()
    },
    rest,
  }
}
