/**
 * A table file of another replica under a number of one's own: file numbers are each replica's, and a file has its number
 * in header and footer. Passes the bytes through with these two changed; the rows are as they were. Header and tail are
 * checked on the way, what lies between is not.
 */
import { corruption } from '../../../errors.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import { headerBytes, trailerBytes } from '../format.ts'
import { expectChecksum, readTail } from '../read/tail.ts'
import type { TableMeta } from '../table.ts'
import { createArena } from '../verify/arena.ts'

/** Offsets of the file number in the header and in the footer, and of the footer's checksum in the trailer. */
const numberInHeader = 16, numberInFooter = 32, footerChecksumInTrailer = 24
const checksumBytes = 8

/** `meta` is of the file as it comes, `name` for messages. */
export async function* renumbered(kernel: Kernel, meta: TableMeta, fileNumber: number, name: string, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const tailAt = meta.byteLength - meta.tailBytes
  if (tailAt < headerBytes || meta.tailBytes < trailerBytes) throw corruption('table file', { file: name, block: 'lengths', expected: 'header and tail', actual: `${meta.byteLength} bytes, ${meta.tailBytes} of them tail` })
  const header = new Uint8Array(headerBytes), tail = new Uint8Array(meta.tailBytes)
  let at = 0
  for await (const piece of pieces) {
    if (at + piece.length > meta.byteLength) throw corruption('table file', { file: name, expected: `${meta.byteLength} bytes`, actual: 'more' })
    if (at < headerBytes) header.set(piece.subarray(0, headerBytes - at), at)
    if (at < headerBytes && at + piece.length >= headerBytes) yield withNumberInHeader(kernel, header, fileNumber, name)
    const body = piece.subarray(Math.max(0, headerBytes - at), Math.max(0, tailAt - at))
    if (body.length > 0) yield body
    if (at + piece.length > tailAt) tail.set(piece.subarray(Math.max(0, tailAt - at)), Math.max(0, at - tailAt))
    at += piece.length
  }
  if (at !== meta.byteLength) throw corruption('table file', { file: name, expected: `${meta.byteLength} bytes`, actual: `${at}` })
  yield withNumberInTail(kernel, meta, tail, fileNumber, name)
}

function withNumberInHeader(kernel: Kernel, bytes: Uint8Array, fileNumber: number, name: string): Uint8Array {
  return inMemory(kernel, bytes, (header) => {
    expectChecksum(kernel, name, 'header', header, headerBytes - checksumBytes, header + headerBytes - checksumBytes)
    kernel.memory.view.setFloat64(header + numberInHeader, fileNumber, true)
    kernel.exports.checksumXxh64(header, headerBytes - checksumBytes, header + headerBytes - checksumBytes)
  })
}

function withNumberInTail(kernel: Kernel, meta: TableMeta, bytes: Uint8Array, fileNumber: number, name: string): Uint8Array {
  return inMemory(kernel, bytes, (tail) => {
    readTail(kernel, name, meta, tail)
    const { view } = kernel.memory
    const trailer = tail + meta.tailBytes - trailerBytes
    const footer = tail + view.getUint32(trailer + 8, true), footerBytes = view.getUint32(trailer + 12, true)
    view.setFloat64(footer + numberInFooter, fileNumber, true)
    kernel.exports.checksumXxh64(footer, footerBytes, trailer + footerChecksumInTrailer)
    kernel.exports.checksumXxh64(trailer, trailerBytes - checksumBytes, trailer + trailerBytes - checksumBytes)
  })
}

/** The bytes as `change` leaves them. */
function inMemory(kernel: Kernel, bytes: Uint8Array, change: (address: number) => void): Uint8Array {
  const arena = createArena(kernel)
  try {
    const address = arena.allocate(bytes.length)
    kernel.memory.u8.set(bytes, address)
    change(address)
    return kernel.memory.u8.slice(address, address + bytes.length)
  } finally {
    arena.free()
  }
}
