/**
 * Who may use how much of the linear memory. It is reserved once and never grows, and a memtable that finds no room
 * ends its shard's writes; so what the settings ask for is cut down here to what fits.
 */
import { heapBaseMin } from '../../kernel/open-kernel.ts'
import type { HeapRegion } from '../../kernel/open-kernel.ts'
import type { DatabaseSettings } from '../../settings.ts'

export interface MemoryRegions {
  readonly serving: HeapRegion
  readonly workers: readonly HeapRegion[]
  readonly readers: readonly HeapRegion[]
}

/** The serving thread's part of the memory, and those of other threads: workers share a quarter, readers a sixteenth. */
export function divideMemory(byteLength: number, workerCount: number, readerCount: number): MemoryRegions {
  const available = byteLength - heapBaseMin
  const shareOf = (divisor: number, count: number): number => (count === 0 ? 0 : Math.floor(available / divisor / count / 65_536) * 65_536)
  const workerBytes = shareOf(4, workerCount), readerBytes = shareOf(16, readerCount)
  const servingBytes = available - workerCount * workerBytes - readerCount * readerBytes
  const regions = (from: number, count: number, bytes: number): HeapRegion[] => Array.from({ length: count }, (_, i) => ({ base: from + i * bytes, byteLength: bytes }))
  const beyond = heapBaseMin + servingBytes
  return { serving: { base: heapBaseMin, byteLength: servingBytes }, workers: regions(beyond, workerCount, workerBytes), readers: regions(beyond + workerCount * workerBytes, readerCount, readerBytes) }
}

export interface MemoryBudget {
  readonly cacheBytes: number
  /** What all memtables together may take, with what is on its way there. */
  readonly memtablesBytesMax: number
  readonly memtableBytesMax: number
  /** A statement's bytes are copied to memtables as a whole. */
  readonly statementBytesMax: number
  /** Flushes and compactions hold several copies of a row at a time. */
  readonly rowBytesMax: number
}

/** At most half of the memory is cache; of the rest, memtables may fill two thirds, and reads and background work without a worker the third. */
export function memoryBudget({ serving, workers }: MemoryRegions, settings: DatabaseSettings, shards: number): MemoryBudget {
  const cacheBytes = Math.min(settings.cacheBytesMax, Math.floor(serving.byteLength / 2))
  const others = serving.byteLength - cacheBytes
  const memtablesBytesMax = Math.floor((others * 2) / 3)
  // The one being written, those frozen, and one more frozen before writers stop.
  const memtables = shards * (settings.tree.frozenMemtablesMax + 2)
  const statementBytesMax = Math.floor(memtablesBytesMax / 4)
  return {
    cacheBytes,
    memtablesBytesMax,
    memtableBytesMax: Math.min(settings.tree.memtableBytesMax, Math.floor(memtablesBytesMax / memtables)),
    statementBytesMax,
    rowBytesMax: Math.min(statementBytesMax, Math.floor(workers[0] === undefined ? others / 24 : workers[0].byteLength / 48)),
  }
}
