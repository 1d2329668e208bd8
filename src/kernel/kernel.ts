/**
 * A kernel set: the hot loops behind one interface, either compiled from `assembly/` or written in
 * JavaScript over the same linear memory with the same layouts, byte for byte. Everything a kernel
 * touches is an address in `memory`; nothing is allocated by a kernel: callers bring every buffer.
 *
 * Kernel functions never throw. They return counts, addresses or negative status codes; arguments are
 * numbers (i32/u32/f64). 64-bit integers cross the boundary by address.
 */
import type { KernelKind } from '../settings.ts'
import type { BloomExports } from './bloom.ts'
import type { ChecksumExports } from './checksum.ts'
import type { ColumnExports } from './column.ts'
import type { LinearHeap } from './heap/linear-heap.ts'
import type { LinearMemory } from './linear-memory.ts'
import type { LzExports } from './lz.ts'
import type { MergeExports } from './merge.ts'
import type { RowExports } from './row.ts'
import type { ScanExports } from './scan.ts'
import type { SkiplistExports } from './skiplist.ts'
import type { ValuesExports } from './values.ts'
import type { VectorExports } from './vector.ts'
import type { ZoneMapExports } from './zone-map.ts'

export type KernelExports = BloomExports & ChecksumExports & ColumnExports & LzExports & MergeExports & RowExports & ScanExports & SkiplistExports & ValuesExports & VectorExports & ZoneMapExports

export interface Kernel {
  readonly kind: KernelKind
  readonly memory: LinearMemory
  /** Allocator over this thread's part of the memory; other threads own other parts. */
  readonly heap: LinearHeap
  readonly exports: KernelExports
}
