/**
 * Who may use how much of the linear memory. It is reserved once and never grows, and a memtable that finds no room
 * ends its shard's writes; so what the settings ask for is cut down here to what fits.
 */
import { heapBaseMin } from '../kernel/open-kernel.ts'
import type { HeapRegion } from '../kernel/open-kernel.ts'
import type { DatabaseSettings } from '../settings.ts'

/** The serving thread's part of the memory, and the worker's, which is a quarter. */
export function divideMemory(byteLength: number, hasWorker: boolean): { readonly serving: HeapRegion; readonly worker: HeapRegion | undefined } {
  const available = byteLength - heapBaseMin
  if (!hasWorker) return { serving: { base: heapBaseMin, byteLength: available }, worker: undefined }
  const workerBytes = Math.floor(available / 4 / 65_536) * 65_536
  const servingBytes = available - workerBytes
  return { serving: { base: heapBaseMin, byteLength: servingBytes }, worker: { base: heapBaseMin + servingBytes, byteLength: workerBytes } }
}

export interface MemoryBudget {
  readonly cacheBytes: number
  readonly memtableBytesMax: number
  /** A statement's bytes are copied to memtables as a whole. */
  readonly statementBytesMax: number
}

/** At most half of the memory is cache; of the rest, memtables may fill two thirds. */
export function memoryBudget(servingBytes: number, settings: DatabaseSettings, shards: number): MemoryBudget {
  const cacheBytes = Math.min(settings.cacheBytesMax, Math.floor(servingBytes / 2))
  const forMemtables = Math.floor(((servingBytes - cacheBytes) * 2) / 3)
  const memtables = shards * (settings.tree.frozenMemtablesMax + 1)
  return {
    cacheBytes,
    memtableBytesMax: Math.min(settings.tree.memtableBytesMax, Math.floor(forMemtables / memtables)),
    statementBytesMax: Math.floor(forMemtables / 4),
  }
}
