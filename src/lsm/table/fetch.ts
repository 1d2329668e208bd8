/** What reads have in common: what they touch, and bytes that they must wait for. */

/** What a read touched. */
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

/** A read that needs bytes from storage first: fetch, then ask again. */
export interface Fetch {
  readonly fetch: () => Promise<void>
  /** The same on this thread; undefined where the storage cannot. */
  readonly fetchSync: (() => void) | undefined
}
