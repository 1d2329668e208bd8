/** Linear memory that the point reads of one tree pass through. */
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import type { TableFile } from '../../state/version.ts'
import { createRowHandles } from './row-handle.ts'
import type { RowHandles, RowScratch } from './row-handle.ts'

/**
 * One cell and what becomes of it, one hash, a key with its table id, filter records and their answers, text. A class, since each read asks
 * another tree's: what is made by spreading objects is now of one hidden class, now of another, and what looks at many of them by name.
 */
export class PointScratch implements RowScratch {
  readonly kernel: Kernel
  readonly cell: Pointer
  readonly hash: Pointer
  /** Three f64; see `columnGetNewest`. */
  readonly counts: Pointer
  readonly rows: RowHandles
  /** Files that may have the key of the read under way, from the first on: whoever reads by key reads again, and should leave no garbage. */
  readonly candidates: TableFile[] = []
  readonly text: (byteLength: number) => Pointer
  readonly memtableKey: (byteLength: number) => Pointer
  /** Room for `count` filter records of 8 bytes, then `count` answer bytes. */
  readonly filters: (count: number) => Pointer
  readonly free: () => void

  constructor(kernel: Kernel) {
    const { heap } = kernel
    const cell = heap.allocate(24), hash = heap.allocate(16), counts = heap.allocate(24)
    const key = growing(kernel, 256), filters = growing(kernel, 512), text = growing(kernel, 1024)
    kernel.memory.f64.fill(0, counts >>> 3, (counts >>> 3) + 3)
    this.kernel = kernel
    this.cell = cell
    this.hash = hash
    this.counts = counts
    this.text = text.atLeast
    this.memtableKey = key.atLeast
    this.filters = (count) => filters.atLeast(9 * count)
    this.rows = createRowHandles(this)
    this.free = () => {
      for (const address of [cell, hash, counts]) heap.free(address)
      for (const each of [key, filters, text]) each.free()
    }
  }
}

/** One allocation that is replaced by a larger one when needed. */
function growing({ heap }: Kernel, initialBytes: number): { atLeast(byteLength: number): Pointer; free(): void } {
  let bytes = initialBytes
  let address = heap.allocate(bytes)
  return {
    atLeast(byteLength) {
      if (byteLength <= bytes) return address
      const grown = Math.max(byteLength, 2 * bytes)
      const next = heap.allocate(grown)
      heap.free(address)
      address = next
      bytes = grown
      return address
    },
    free: () => heap.free(address),
  }
}
