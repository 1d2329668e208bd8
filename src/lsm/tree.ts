/**
 * One shard's LSM tree as the engine sees it: rows by key bytes, tables by layout.
 * (O'Neil et al., "The Log-Structured Merge-Tree", 1996.)
 *
 * Keys here are primary-key bytes without the table id; the tree adds it.
 */
import type { Pointer } from '../kernel/linear-memory.ts'
import type { Comparison } from '../kernel/zone-map.ts'
import type { IngestRows } from './compaction/job.ts'
import type { PhysicalKind, PhysicalValue, TableLayout } from './layout.ts'
import type { ManifestState } from './manifest.ts'
import type { Pace } from '../runtime/pace.ts'
import type { AggregateFunction, AggregatePartial, AggregateRequest, GroupedAggregateRequest } from './groups/aggregate-request.ts'
import type { Groups } from './groups/group-rows.ts'
import type { VectorExpression } from './vector/expression.ts'
import type { LogCounts } from './log/log.ts'
import type { Page, Vector } from './page.ts'
import type { KeySpan } from './keys/key-bytes.ts'
import type { RowLayout } from './keys/row-layout.ts'
import type { TableRuns } from './read/point/table-runs.ts'
import type { View } from './state/view.ts'
import type { ScanShare } from './readers/scan-share.ts'
import type { Fetch, ReadStats } from './table/fetch.ts'
import type { TableReader } from './table/table.ts'
import type { TopRows } from './top/top-rows.ts'

/** `column <comparison> value`; rows where it is not true (null included) drop out. */
export interface PredicateTerm {
  readonly ordinal: number
  readonly comparison: Comparison
  /** In the column's physical kind. Absent for isNull and isNotNull. */
  readonly value?: PhysicalValue
}

export interface ScanRequest {
  readonly tableId: number
  /** Key bytes; inclusive. Absent = from the start. */
  readonly lower?: Uint8Array | undefined
  /** Key bytes; exclusive. Absent = to the end. */
  readonly upper?: Uint8Array | undefined
  readonly reverse?: boolean
  /** Rows may come in any order, which may be quicker; `reverse` means nothing then. */
  readonly anyOrder?: true | undefined
  /** Columns that are computed for the rows found; they have the ordinals after the table's, truths as i64. */
  readonly computed?: readonly VectorExpression[] | undefined
  /** Ordinals whose vectors are wanted. */
  readonly columns: readonly number[]
  /** A conjunction. */
  readonly predicate: readonly PredicateTerm[]
  /** What must be true as well, evaluated for the rows that the predicate leaves. */
  readonly conditions?: readonly VectorExpression[] | undefined
  /** The first page is small: who asks for the rows in their order often stops early. */
  readonly startsSmall?: true | undefined
  /** false: nobody will ask for `Page.keyAt`, so that key chunks need not be read. */
  readonly keys?: false | undefined
  /** Asked between steps of the work: gives others a turn, ends what was cancelled. Absent = no pause. */
  readonly pace?: Pace
  /** Threads to share the rows with, for reads that end with all rows seen. */
  readonly share?: ScanShare | undefined
}

/** An immutable view of the tree at one moment. Pins memtables and files until released. */
export interface Snapshot {
  readonly sequence: number
  release(): void
}

/** What its holder writes above a snapshot, seen by nobody else. */
export interface Overlay {
  /** The snapshot with all that was applied; releasing it frees the overlay. */
  readonly snapshot: Snapshot
  /** Applies a batch whole, or, when there is no memory for it (53200), not at all. */
  apply(batch: Uint8Array): void
}

/** One found row. Valid until the caller's next await or next point read. */
export interface RowHandle {
  /** Copies out one column: null, i64 as bigint or number (number when safe), f64 as number, bytes as a ref to decode at once. */
  isNull(ordinal: number): boolean
  i64(ordinal: number): bigint
  /** The i64 as a number; the caller knows that it is safe, or checks `i64Safe`. */
  i64Safe(ordinal: number): number | undefined
  f64(ordinal: number): number
  bytes(ordinal: number): FoundBytes
}

/** Bytes of a found row, to be decoded at once. */
export interface FoundBytes {
  readonly address: Pointer
  readonly byteLength: number
  /** Known to be ASCII. */
  readonly isAscii?: boolean
}

/** What whoever reads by key knows, so that it need not be found out or can be read in one go. */
export interface PointHints {
  /** Where the key's `bloomHash` stands. */
  readonly hash: Pointer
  /** The column that will be asked for first; -1: none. */
  readonly column: number
}

export interface ValueHints extends PointHints {
  /** Takes the value; 24 bytes. */
  readonly cell: Pointer
}

export interface ScanCursor {
  /** The next page (never empty of rows, perhaps of selected ones), or undefined at the end. The page is valid until the next call or `close`. */
  next(): Promise<Page | undefined>
  close(): void
}

/** A walk's next rows in key order, never none. */
export interface WalkedRows {
  readonly rowCount: number
  /** Columns by ordinal, as those of a page. */
  readonly vectors: readonly (Vector | undefined)[]
}

export type WalkRequest = Pick<ScanRequest, 'tableId' | 'lower' | 'upper' | 'reverse' | 'columns' | 'pace'>

/** What a tree brings to a walk. */
export interface WalkPart {
  readonly view: View
  readonly sequence: number
  readonly shape: RowLayout
  /** The table's runs in the view, valid until the caller's next await; undefined once the tree is closed. */
  runs(): TableRuns | undefined
  /** Lets go of the view. */
  release(): void
}

/** Rows of several trees in one order; see src/lsm/read/walk/walk.ts. */
export interface RowWalk {
  /** At most `rowsMax` rows, valid until the next call, `close`, or, where they are there at once, the caller's next await; undefined at the end. At once where nothing must be read. */
  next(rowsMax: number): WalkedRows | undefined | Promise<WalkedRows | undefined>
  close(): void
}

/** What a batch waits for before it is applied, beside its own log. */
export interface CommitGate {
  /** Resolves when every participant's part is durable; the tree applies only then. */
  readonly durableEverywhere: Promise<void>
  /** The log has this part already, by `logAtOnce`. */
  readonly isLogged?: boolean
}

/** A point read that must be fetched first, and then asked again; what it waits for tells which of many wait for the same. */
export interface PointFetch extends Fetch {
  readonly files: readonly TableReader[]
  /** Of the only file; undefined: the tails of all of them. */
  readonly rowGroup: number | undefined
  /** Of a tree that is on another node: no file is waited for, but that node's answer. */
  readonly elsewhere?: ReadElsewhere
}

/** A read that somebody else answers, who is asked at once for all that is wanted of him. Its answer is its own: who begins to read later may have to see more. */
export interface ReadElsewhere {
  readonly asked: AskedElsewhere
  readonly key: Uint8Array
  /** To be taken instead of asking again, once it is there. */
  answer(): AnswerElsewhere | undefined
  setAnswer(answer: AnswerElsewhere): void
}

export interface AnswerElsewhere {
  /** undefined: there is none. */
  readonly row: RowHandle | undefined
}

export interface AskedElsewhere {
  /** Answers the first reads, at least one; the others are to be asked for again. */
  ask(reads: readonly ReadElsewhere[], stats?: ReadStats): Promise<void>
}

export interface Tree {
  readonly layouts: ReadonlyMap<number, TableLayout>
  /** Sequence number of the newest applied operation. */
  readonly visibleSequence: number
  /** The base sequence that the next `append` will assign; for participants, which are written before. */
  readonly nextSequence: number

  /**
   * Appends a batch (built by src/lsm/batch.ts; its base sequence is assigned here, synchronously) to the log.
   * `durable` resolves when the log's part is as durable as the setting asks; `applied` when it is visible.
   * Applied strictly in log order. Either may be left alone: a failure rejects both. The batch bytes belong to the tree from here on.
   */
  append(batch: Uint8Array, gate?: CommitGate): { readonly baseSequence: number; readonly durable: Promise<void>; readonly applied: Promise<void> }
  /**
   * The same without anyone to wait for, and in this step where the log takes the batch at once: undefined, and it is visible.
   * Otherwise what `applied` of `append` is. Absent where nothing is ever taken at once.
   */
  appendAtOnce?(batch: Uint8Array): Promise<void> | undefined
  /**
   * The first half of it, for a part of a statement: true, and the log has the batch, with the sequences from `nextSequence` on; what
   * comes next, in the same step, is `applyLogged`, or `append` with a gate that says so. False: nothing was done. Throws what ends
   * the tree's writes.
   */
  logAtOnce?(batch: Uint8Array): boolean
  /** The second half: what the log has is visible when this returns. Throws what ends the tree's writes. */
  applyLogged?(batch: Uint8Array): void
  /** Begins to bring rows into the files of a table that nobody else reads or writes; see src/lsm/ingest/. Undefined where there is no memory for it, or another one is under way; absent where rows have to go by the log. */
  ingest?(tableId: number, treeCount: number): TreeIngest | undefined
  /** One is likely to begin soon: starts what it will run on. Absent as `ingest` is. */
  expectIngest?(): void
  /** Waits while back-pressure asks writers to slow down or stop; undefined when there is none. */
  admit(byteLength: number): Promise<void> | undefined

  /** Resolves when all that was appended before is durable, whatever the setting. */
  sync(): Promise<void>

  snapshot(): Snapshot
  /** Begins an overlay above a snapshot of this tree, which may be released before it is. */
  overlay(below: Snapshot): Overlay
  /** Point read: a row, undefined when absent, or what must be fetched first. Without a snapshot: the newest state. */
  get(snapshot: Snapshot | undefined, tableId: number, key: Pointer, keyBytes: number, stats?: ReadStats, hints?: PointHints): RowHandle | PointFetch | undefined
  /**
   * The same of one column where it is found in one step in memory: what is in `hints.cell`, by `cellStates` as `columnGetIndexed` tells it, -1 where no row has
   * the key, or `isUnread`, which says to ask by `get`. Absent where rows are elsewhere.
   */
  getValue?(snapshot: Snapshot | undefined, tableId: number, key: Pointer, keyBytes: number, hints: ValueHints): number
  /** Writes what is asked of a table into a key that `columnGetNewestMany` is to find, runs and sequence; false where it cannot tell of the table. What it finds is valid until the caller's next await. */
  askNewest?(snapshot: Snapshot | undefined, tableId: number, asked: Pointer): boolean
  /** True: the tree has no key of the span, deleted ones included; asked of bounds, without reading storage. Absent where it is far away. */
  isEmptySpan?(snapshot: Snapshot | undefined, tableId: number, span: KeySpan): boolean
  scan(snapshot: Snapshot, request: ScanRequest, stats?: ReadStats): ScanCursor
  /** What this tree brings to a walk (`openWalk`); undefined where it is to be scanned, since it is far away. Absent where it always is. */
  walkPart?(snapshot: Snapshot, request: WalkRequest): WalkPart | 'nothing' | undefined
  aggregate(snapshot: Snapshot, request: ScanRequest, aggregates: readonly AggregateRequest[], stats?: ReadStats): Promise<readonly AggregatePartial[]>
  /** Adds the request's rows to `groups`, which are this kernel's and may be added to by other trees at the same time. */
  groupedAggregate(snapshot: Snapshot, request: ScanRequest, groups: Groups, stats?: ReadStats): Promise<void>
  /** Offers the request's rows to `top`, which may be offered those of other trees at the same time. The snapshot is kept until `top` was asked for its rows. */
  topRows(snapshot: Snapshot, request: ScanRequest, top: TopRows, stats?: ReadStats): Promise<void>

  /** Freezes and flushes the memtable; resolves when all that was applied before the call is in table files. */
  flush(): Promise<void>
  /** Freezes, in this synchronous step, what is applied; resolves when exactly that is in table files, which stay until it is released. */
  checkpoint(): Promise<TreeCheckpoint>
  /** Flushes, then compacts everything into the last level. */
  compact(): Promise<void>
  readonly stats: TreeStats
  /** Flushes nothing: the log has it. Waits for work in progress. */
  close(): Promise<void>
}

/** An ingest of one table into one tree; calls come one after the other. One that failed is abandoned. */
export interface TreeIngest {
  /** Rows whose keys ascend, from above all that came before. They are the ingest's until this resolves. */
  append(rows: IngestRows): Promise<void>
  /** Makes all of them rows of the table, durably: the table has no others here. */
  publish(): Promise<void>
  /** Drops what was not published. */
  abandon(): Promise<void>
}

export interface TreeCheckpoint {
  /** The tree as of that step. */
  readonly manifest: ManifestState
  release(): void
}

/** What filters said of keys that were looked for in files: rightly or wrongly that they may be there, or that they are not. */
export interface FilterCounts {
  absent: number
  present: number
  wrong: number
}

export interface TreeStats {
  readonly memtableBytes: number
  readonly frozenMemtables: number
  readonly levels: readonly { readonly level: number; readonly files: number; readonly bytes: number }[]
  readonly flushes: number
  readonly compactions: number
  readonly trivialMoves: number
  readonly bytesFlushed: number
  /** Of files that ingests wrote. */
  readonly bytesIngested: number
  readonly bytesCompacted: number
  /** Why writers wait now, and for how long they have waited in total. */
  readonly stall: 'none' | 'slow' | 'stop'
  readonly stalledMs: { readonly slow: number; readonly stop: number }
  readonly log: LogCounts
  readonly filters: Readonly<FilterCounts>
  /** Bytes of files that compactions are to merge into deeper levels. */
  readonly compactionDebtBytes: number
  /** Set once a log sync failed: the tree takes no more writes. */
  readonly failure: string | undefined
  /** The last trouble of background work, which is tried again: a failed flush or deletion, a worker that died. */
  readonly background: string | undefined
}

export type { AggregateFunction, AggregatePartial, AggregateRequest, GroupedAggregateRequest, PhysicalKind, PhysicalValue, ReadStats }
