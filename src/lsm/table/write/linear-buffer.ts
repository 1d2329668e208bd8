/** A growable stretch of linear memory: addresses in it are valid until it grows, offsets for its whole life. */
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'

export interface LinearBuffer {
  address: Pointer
  capacity: number
  byteLength: number
}

export const createLinearBuffer = (): LinearBuffer => ({ address: 0, capacity: 0, byteLength: 0 })

/** Makes room for `byteLength` more bytes and returns the address where they go; they do not count until `extend`. */
export function reserveBytes(kernel: Kernel, buffer: LinearBuffer, byteLength: number): Pointer {
  const needed = buffer.byteLength + byteLength
  if (needed > buffer.capacity) grow(kernel, buffer, needed)
  return buffer.address + buffer.byteLength
}

/** Adds `byteLength` bytes, contents undefined; returns their address. */
export function extend(kernel: Kernel, buffer: LinearBuffer, byteLength: number): Pointer {
  const address = reserveBytes(kernel, buffer, byteLength)
  buffer.byteLength += byteLength
  return address
}

export function freeLinearBuffer(kernel: Kernel, buffer: LinearBuffer): void {
  if (buffer.address !== 0) kernel.heap.free(buffer.address)
  buffer.address = 0
  buffer.capacity = 0
  buffer.byteLength = 0
}

/** Large buffers grow by less than double: rows may be a good part of a worker's memory. */
const growthBytesMax = 1024 * 1024

function grow(kernel: Kernel, buffer: LinearBuffer, needed: number): void {
  const capacity = Math.max(256, needed, Math.min(buffer.capacity * 2, buffer.capacity + growthBytesMax))
  const address = kernel.heap.allocate(capacity)
  if (buffer.address !== 0) {
    kernel.memory.u8.copyWithin(address, buffer.address, buffer.address + buffer.byteLength)
    kernel.heap.free(buffer.address)
  }
  buffer.address = address
  buffer.capacity = capacity
}
