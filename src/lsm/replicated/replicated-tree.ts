/**
 * A replica's copy of one shard: a tree whose log is written by others' decisions. Entries come with their place and the
 * epoch of the leader who gave it to them; they are on disk before they are committed, may be cut off again until then,
 * and only what is committed is ever applied, so memtables and files hold nothing that could be taken back.
 *
 * Of a statement over several shards, a part (a batch with participants) is committed in each shard by itself; it becomes
 * visible when it is released, which whoever coordinates such statements says once all parts are committed everywhere.
 * What follows in the log waits behind it.
 *
 * Sequences are those of the shard. Entries follow each other without a gap.
 */
import type { Participant } from '../batch.ts'
import type { LoggedParts } from '../log/logged-parts.ts'
import type { TreeOptions } from '../state/tree-state.ts'
import type { Tree } from '../tree.ts'

/** One batch of the log: its bytes, its base sequence in them, and the sequences that they take. */
export interface ReplicatedEntry {
  readonly epoch: number
  readonly baseSequence: number
  readonly lastSequence: number
  readonly batch: Uint8Array
}

/** Of the first entry of an epoch: the sequence before it. */
export interface EpochStart {
  readonly epoch: number
  readonly startSequence: number
}

/** What a replica finds on its disk. */
export interface ReplicatedLogFound {
  /** The greatest one that was stored; 0: none ever was. */
  readonly storedEpoch: number
  /** What is in files: it was committed. */
  readonly startSequence: number
  readonly lastSequence: number
  /** The first stands for the start: the epoch of the entry that ends at `startSequence`, which is in files, and of what follows up to the next. */
  readonly epochs: readonly EpochStart[]
}

/** A position in the log and the epoch of the entry that ends there. */
export interface LogPosition {
  readonly sequence: number
  readonly epoch: number
}

/** A part of a statement over several shards that reads see here. */
export interface VisiblePart {
  readonly baseSequence: number
  readonly participants: readonly Participant[]
}

export interface ReplicatedTreeOptions extends Omit<TreeOptions, 'beforePublish' | 'log' | 'claim' | 'listed' | 'pins' | 'keepsFiles' | 'onFailure'> {
  /** What visible entries may take in memory, kept for peers that lag a little; by default 8 MiB. */
  readonly recentBytesMax?: number
  /** More is visible, up to `sequence`. */
  readonly onVisible?: (sequence: number) => void
  /** Entries up to `startSequence` are in files, and `readAfter` may lack them from now on. */
  readonly onTrimmed?: (startSequence: number) => void
  /** Log or manifests failed: nothing is written here any more. Called once; opening anew is the only way on. */
  readonly onFailure?: (error: Error) => void
}

export interface ReplicatedTree {
  readonly found: ReplicatedLogFound
  /** Reads, flush, compact, checkpoint, stats, admit, close. Its own `append` refuses: entries come by `append` below. */
  readonly tree: Tree
  /** Resolves when the epoch is on disk; smaller ones than the greatest before change nothing. What is appended after the call is on disk later. */
  storeEpoch(epoch: number): Promise<void>
  /** Resolves when all are on disk. The order of calls to `append` and `truncate` is that of the log. The bytes belong to the tree from here on. */
  append(entries: readonly ReplicatedEntry[]): Promise<void>
  /** Cuts off the entries after `toSequence`, at once; resolves when that is on disk. Never below what is committed. */
  truncate(toSequence: number): Promise<void>
  /** All up to `throughSequence` is committed. Applied in order, up to the first part that is not released; in steps, told by `onVisible`. */
  commit(throughSequence: number): void
  /** All parts up to `throughSequence` may be seen, but those whose abort record stands up to there. May come before they are committed here. */
  release(throughSequence: number): void
  /** Entries after the one that ends at `sequence`, about `bytesMax` bytes of them but at least one if there is one; undefined: no longer in the log. */
  readAfter(sequence: number, bytesMax: number): Promise<readonly ReplicatedEntry[] | undefined>
  /** Everything up to it is in files. */
  readonly flushedSequence: number
  /** Parts and abort records in the log above `flushedSequence`, committed or not. */
  logged(): LoggedParts
  /** Of the newest visible batch that defined or dropped a table; 0: none. At a restart what is in files counts as one. */
  readonly tablesSequence: number
  /** Parts that are visible here and not known to be settled: all above `partsAfter`. */
  visibleParts(): readonly VisiblePart[]
  /** Of parts up to here nothing is listed any more: they are settled, or were in files when this was opened. */
  readonly partsAfter: number
  /** All parts up to `throughSequence` are visible in all their shards. */
  settle(throughSequence: number): void
  /** Files that stay, with all that is visible now, until they are released; the log behind them stays too. */
  exportFiles(): Promise<ExportedFiles>
  /** Waits for work in progress. Flushes nothing: the log has it. */
  close(): Promise<void>
}

/** A file of an export. */
export interface ExportedFile {
  readonly name: string
  readonly byteLength: number
}

export interface ExportedFiles {
  /** All up to here is in them, and nothing later. */
  readonly through: LogPosition
  /** What else `installFiles` needs, checksummed. */
  readonly state: Uint8Array
  readonly files: readonly ExportedFile[]
  read(name: string, byteOffset: number, byteLength: number): Promise<Uint8Array>
  /** Lets go of the files, and of the log behind them. */
  release(): void
}

/** An export as another replica gets it. */
export interface FetchedFiles extends Pick<ExportedFiles, 'through' | 'state' | 'files'> {
  /** The bytes of a file. Each is asked for once, in the order of `files`, after the one before has ended. */
  read(file: ExportedFile): AsyncIterable<Uint8Array>
}
