/**
 * What columns of numbers come to in the rows of a row group that stand, for row groups of which some do not: zone maps
 * speak of all rows. Rows that stand only become fewer, so how many are hidden tells which ones are, and totals of that
 * many are good whoever added them up. They are accumulators (src/kernel/scan.ts) in the chunk cache, within its bound,
 * and evicted as chunks are.
 */
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import { accumulatorBytes } from '../../../kernel/scan.ts'
import type { CachedFile, ChunkCache } from '../chunk-cache.ts'

/** Before the accumulator: how many rows are hidden. */
const headerBytes = 16

/** A row group of which some rows are hidden by their keys, and none otherwise. */
export interface HiddenRows {
  readonly totals: KeptTotals
  readonly rowGroup: number
  readonly hiddenCount: number
}

export class KeptTotals {
  private readonly memory: LinearMemory
  private readonly cache: ChunkCache
  private readonly totals: CachedFile
  private readonly columnCount: number

  constructor(memory: LinearMemory, cache: ChunkCache, rowGroupCount: number, columnCount: number) {
    this.memory = memory
    this.cache = cache
    this.totals = cache.addFile(rowGroupCount * columnCount)
    this.columnCount = columnCount
  }

  /** The accumulator of a column over all rows but `hiddenCount` that are hidden; 0: it is not known. */
  find(rowGroup: number, ordinal: number, hiddenCount: number): Pointer {
    if (ordinal >= this.columnCount) return 0
    const index = rowGroup * this.columnCount + ordinal, address = this.cache.peek(this.totals, index)
    if (address === 0 || this.memory.u32[address >>> 2] !== hiddenCount) return 0
    this.cache.mark(this.totals.frames[index]!)
    return address + headerBytes
  }

  /** Takes an accumulator unless there is no room. May evict chunks that are not pinned. */
  keep(rowGroup: number, ordinal: number, hiddenCount: number, accumulator: Pointer): void {
    // Of columns that are younger than the file nothing is kept.
    const address = ordinal >= this.columnCount ? 0 : this.addressOf(rowGroup * this.columnCount + ordinal)
    if (address === 0) return
    this.memory.u32[address >>> 2] = hiddenCount
    this.memory.u8.copyWithin(address + headerBytes, accumulator, accumulator + accumulatorBytes)
  }

  free(): void {
    this.cache.removeFile(this.totals)
  }

  private addressOf(index: number): Pointer {
    const { cache, totals } = this
    if (totals.frames[index] === 0) {
      const frame = cache.tryReserve(headerBytes + accumulatorBytes)
      if (frame === 0) return 0
      cache.publish(totals, index, frame)
      cache.unpin(frame)
    }
    return cache.peek(totals, index)
  }
}
