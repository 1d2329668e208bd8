/** Counters of a storage, all zero at its start. */
import type { RequestCounts, StorageCounts } from './storage.ts'

export function zeroCounts(): StorageCounts {
  return { creates: 0, appends: 0, syncs: 0, reads: 0, bytesRead: 0, bytesWritten: 0, lists: 0, deletes: 0 }
}

export function zeroRequestCounts(): RequestCounts {
  return { puts: 0, gets: 0, deletes: 0, failures: 0, bytesSent: 0, bytesReceived: 0 }
}

export function totalBytes(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}
