/** What reads have in common: what they touch, and bytes that they must wait for. */
import type { ObjectReader } from '../../storage/storage.ts'

/** What a read touched. What a cache on disk answers is no request. */
export interface ReadStats {
  rowGroupsTotal: number
  rowGroupsPruned: number
  bytesRead: number
  storageRequests: number
}

/** Counts a request that is about to be made. Stats of a query with a budget refuse by throwing; then it must not be made. */
export function countRequest(stats: ReadStats | undefined, byteLength: number): void {
  if (stats === undefined) return
  stats.storageRequests += 1
  stats.bytesRead += byteLength
}

/** Reads from an object, counting the requests that it takes. */
export async function readCounting(object: ObjectReader, into: Uint8Array, byteOffset: number, stats: ReadStats | undefined): Promise<void> {
  if (object.readCounted !== undefined) return await object.readCounted(into, byteOffset, (byteLength) => countRequest(stats, byteLength))
  countRequest(stats, into.length)
  await object.read(into, byteOffset)
}

/** A read that needs bytes from storage first: fetch, then ask again. */
export interface Fetch {
  readonly fetch: () => Promise<void>
  /** The same on this thread; undefined where the storage cannot. */
  readonly fetchSync: (() => void) | undefined
}
