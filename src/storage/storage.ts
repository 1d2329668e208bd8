/**
 * Storage keeps bytes by name. Names are '/'-separated relative paths in `[a-z0-9._-/]`; what a name may be is
 * checked in storage-name.ts.
 *
 * What every implementation keeps true:
 * - No partial object is ever visible: `createIfAbsent` and `create().publish()` make the whole
 *   object appear at once, durably (contents, name and parent directories are synced) before they resolve.
 * - Published objects are immutable; only append files grow, at their end.
 * - A read failure is an error (58030, 58P01 for a missing object); it is never reported as 'absent'.
 * - 40003 says that it is not known whether an object was created, then or later: only the same bytes may be offered
 *   under that name again.
 * - 53100 says that there was no room and that nothing came of the request: it may be made again.
 * - After an error of `sync` the file is poisoned: every later call on it fails with the same error
 *   (a second fsync may report success for pages the kernel has already dropped: "fsyncgate").
 */
export interface Storage {
  /** For messages: what this storage is and where. */
  readonly description: string
  /** false: nothing that exists can grow (a bucket). Then `createAppend` and `openAppend` refuse (0A000), and a log is numbered objects. */
  readonly appends: boolean
  /**
   * Creates an object from `parts` (concatenated) unless one of that name exists. Exactly one of
   * several concurrent callers sees 'created'.
   */
  createIfAbsent(name: string, parts: readonly Uint8Array[]): Promise<'created' | 'exists'>
  /** Starts an object that becomes visible only with `publish`. */
  create(name: string): Promise<ObjectWriter>
  /**
   * Opens a published object, or an append file, for ranged reads. 58P01 if there is none. Who knows a published object's
   * `byteLength`, as from a manifest, gives it: then nothing is asked for, and what is wrong (58P01, or 58030 for an
   * object that is shorter) is told by the first read that meets it.
   */
  open(name: string, byteLength?: number): Promise<ObjectReader>
  /** The whole object. 58P01 if there is none. */
  read(name: string): Promise<Uint8Array>
  /** Creates a new append file (58030 if the name exists), preallocated with zeros to `preallocateBytes`. */
  createAppend(name: string, preallocateBytes: number): Promise<AppendFile>
  /** Reopens an append file, to make durable what an earlier process left in it, or to go on writing. 58P01 if there is none. */
  openAppend(name: string): Promise<AppendFile>
  /** A new, empty file that has no name and is never durable, for what a query cannot hold in memory. */
  createTemporary(): Promise<TemporaryFile>
  /** Sizes of the names that start with `prefix` (a folder such as 'wal/', the start of a name, or ''), in ascending byte order of name; in-progress objects are not listed. */
  list(prefix: string): Promise<readonly StoredObject[]>
  /** Deletes an object; deleting an absent one is not an error. Durable before it resolves. */
  delete(name: string): Promise<void>
  /** What was begun or tried `ageMs` ago or earlier, by the store's own clock, and never ended; absent where that cannot be. */
  abandoned?(ageMs: number): Promise<readonly AbandonedObject[]>
  /** Counts of requests since the start; tests state their expectations in these. */
  readonly counts: StorageCounts
  /** The requests behind them, where these are billed (a bucket). */
  readonly requests?: RequestCounts
  /** What of it is kept on a local disk, where that is asked for. */
  readonly diskCache?: Readonly<DiskCacheCounts>
  /** Of the same: counts a block that a worker's handle has brought there. */
  readonly noteKept?: (block: KeptBlock) => void
  close(): Promise<void>
}

/** A block in a cache on disk. */
export interface KeptBlock {
  readonly name: string
  readonly bytes: number
}

export interface StoredObject {
  readonly name: string
  readonly byteLength: number
}

/** Of no use to anybody, and not listed. */
export interface AbandonedObject extends StoredObject {
  /** For people. */
  readonly why: string
  drop(): Promise<void>
}

export interface ObjectWriter {
  /** Appends bytes; the writer has its own copy, or has written them, when this resolves. */
  append(bytes: Uint8Array): Promise<void>
  /** Makes the object visible and durable under its name; rejects with 58030 if the name exists by then. */
  publish(): Promise<void>
  /** Drops what was written. Safe to call after any failure. */
  abort(): Promise<void>
}

export interface ObjectReader {
  readonly byteLength: number
  /**
   * Reads exactly `into.length` bytes at `byteOffset` into `into` (which may lie in shared WebAssembly
   * memory). A range past the end is an error (58030). Of an object that was deleted meanwhile the bytes as they were,
   * or, in a bucket, 58P01.
   */
  read(into: Uint8Array, byteOffset: number): Promise<void>
  /**
   * Of a cache: the same, telling each request that it takes before it is made, by its bytes; what `onRequest` throws
   * refuses it. Elsewhere a read is one request.
   */
  readonly readCounted?: (into: Uint8Array, byteOffset: number, onRequest: (byteLength: number) => void) => Promise<void>
  /** The same without leaving the thread; undefined where the storage cannot (a bucket). */
  readonly readSync: ((into: Uint8Array, byteOffset: number) => void) | undefined
  close(): Promise<void>
}

export interface AppendFile {
  /** Writes `parts` one after the other at `byteOffset` without syncing; synchronous where the storage can. Errors poison the file, but 53100: then the same bytes may be written again. */
  write(parts: readonly Uint8Array[], byteOffset: number): void
  /** Resolves when all bytes written before the call are durable. */
  sync(): Promise<void>
  /** The same without leaving the thread; absent where the storage cannot. */
  readonly syncNow?: (() => void) | undefined
  close(): Promise<void>
}

/**
 * Bytes for as long as somebody works with them: nobody else sees them, nothing is synced, and what a crash leaves of
 * them is gone at the next opening. A storage that is far away keeps them near.
 */
export interface TemporaryFile {
  /** For messages. */
  readonly name: string
  /** Adds bytes at the end; appends that overlap stand in the order of the calls. */
  append(bytes: Uint8Array): Promise<void>
  /** Reads exactly `into.length` bytes that were appended; a range past the end is an error (58030). */
  read(into: Uint8Array, byteOffset: number): Promise<void>
  /** Gives its room back, once the calls under way have ended. Safe to call again, and after any failure. */
  discard(): Promise<void>
}

/** Requests to a bucket as they are billed, repeated ones and those of `open` included. */
export interface RequestCounts {
  /** PUT, POST and LIST, which cost most. */
  puts: number
  /** GET and HEAD. */
  gets: number
  /** DELETE, which costs nothing with most. */
  deletes: number
  /** Requests of all kinds that the store did not answer, or asked to repeat. */
  failures: number
  bytesSent: number
  bytesReceived: number
}

/** Requests by kind; `reads` counts asking for a size too where that is a request; `creates` counts published objects and new append files, temporary files count as what is appended to and read from them. `syncs` counts data syncs of append files, the ones a commit waits for. */
export interface StorageCounts {
  creates: number
  appends: number
  syncs: number
  reads: number
  bytesRead: number
  bytesWritten: number
  lists: number
  deletes: number
}

/** Blocks of objects that are kept on a local disk, since the start. */
export interface DiskCacheCounts {
  hits: number
  misses: number
  /** Misses because of a wrong checksum. */
  damaged: number
  evictions: number
  /** Writes that failed, after each of which there are none for a while. */
  failures: number
  bytes: number
}
