/** What reads have in common: what they touch, and bytes that they must wait for. */

/** What a read touched. */
export interface ReadStats {
  rowGroupsTotal: number
  rowGroupsPruned: number
  bytesRead: number
  storageRequests: number
}

/** A read that needs bytes from storage first: fetch, then ask again. */
export interface Fetch {
  readonly fetch: () => Promise<void>
  /** The same on this thread; undefined where the storage cannot. */
  readonly fetchSync: (() => void) | undefined
}
