/** A store of texts by key inside this process: what the key/value benches need of each contestant. */

/**
 * When a write is answered. `written`: the operating system has it, so that it outlives the process; nobody waits for the
 * disk. `synced`: the disk has it.
 */
export type Answered = 'written' | 'synced'

/** Calls that give no promise are over when they return. */
export interface KeyValueStore {
  put(key: string, value: string): Promise<void> | void
  /** Replaces or adds the values of as many keys; all or none. */
  putBatch(keys: readonly string[], values: readonly string[]): Promise<void> | void
  /** In order, all or none; without a value the key is deleted. */
  writeBatch(writes: readonly Write[]): Promise<void> | void
  getSync(key: string): string | undefined
  /** What a program awaits; absent where reads are synchronous only. */
  get?(key: string): Promise<string | undefined>
  /** Entries from a key on, in order, each given to `visit`. */
  range(from: string | undefined, limit: number | undefined, visit: Visit): Promise<void> | void
  /** What was asked of storage since it was opened, where that is told. */
  storageUse?(): { readonly reads: number; readonly bytesRead: number; readonly bytesWritten: number }
  /** What of it were table files and what the log (as many bytes again are zeros of its preallocation), where that is told. */
  writeUse?(): { readonly tableBytes: number; readonly logBytes: number }
  /** What is done once after a large load: compaction, checkpoint. */
  settle(): Promise<void> | void
  close(): Promise<void> | void
}

export interface Write {
  readonly key: string
  readonly value: string | undefined
}

export type Visit = (key: string, value: string) => void

/**
 * A range's options as programs write them, in one piece: what is spread together is of another hidden class each time, and
 * whoever takes it looks its properties up by name.
 */
export function rangeOptions(gte: string | undefined, limit: number | undefined): { readonly gte?: string; readonly limit?: number } {
  if (gte === undefined) return limit === undefined ? {} : { limit }
  return limit === undefined ? { gte } : { gte, limit }
}

export interface KeyValuePeer {
  readonly name: string
  /** Its version and how it is used, for the report. */
  describe(): string
  /** Whether its package is there; see package.json in the folder above. */
  isInstalled(): boolean
  /** Opens the store of a directory, or makes one. */
  open(directory: string, answered: Answered): Promise<KeyValueStore>
}

/** Of every contestant that lets it be set; LMDB maps its file instead. */
export const cacheBytes = 256 * 1024 * 1024
