/** Images of memtables as memtables and reads see them; what they are stands in src/lsm/image/memtable-images.ts. */
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { RowLayout } from '../keys/row-layout.ts'
import type { TableReader } from '../table/table.ts'

/** What is needed of a memtable. */
export interface Imaged {
  readonly handle: Pointer
  entryCount(): number
  rangeCount(): number
  retain(): void
  release(): void
}

export interface MemtableImage {
  /** It has each key's newest version up to here. */
  readonly sequence: number
  readonly reader: TableReader
  /** The cache has let go of it. */
  readonly isGone: boolean
  /** Keeps it, and its reader open, until as many calls of `release`; false where it is gone. */
  hold(): boolean
  release(): void
  /** When nobody is to find it any more. */
  close(): void
}

/** Of one memtable. */
export interface MemtableImages {
  /** The image of a table for a read at `sequence`. None of a memtable with range tombstones, which would have to be told from later ones. */
  find(tableId: number, sequence: number): MemtableImage | undefined
  /** A read at `sequence` has gone through `rowCount` of the table's rows one by one. */
  noteRead(shape: RowLayout, rowCount: number, sequence: number): void
  /** When the memtable goes. */
  free(): void
}

/** Of the memtables of one tree. */
export interface ImageKeeper {
  imagesOf(memtable: Imaged): MemtableImages
  /** When whoever is made to stop by `signal` has, and all that was freed is. */
  settled(): Promise<void>
}
