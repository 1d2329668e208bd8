/**
 * The engine keeps tables by schema over shards. SQL and the embedded tables stand on this interface; a single node and
 * a cluster implement it alike.
 *
 * Values here are "engine values": null, boolean is number 0/1 of an i64 column; i64 as number when |x| <= 2^53-1,
 * otherwise bigint; f64 as number; text as string; bytea as Uint8Array. NUMERIC is its unscaled integer, TIMESTAMP
 * microseconds, DATE days. Rendering to JSON or to users' types happens above (src/engine/value.ts has the codecs).
 */
import type { AggregateFunction, ReadStats } from '../lsm/tree.ts'
import type { EndSignal } from '../runtime/end-signal.ts'
import type { Comparison } from '../kernel/zone-map.ts'
import type { VectorExpression } from '../lsm/vector/expression.ts'
import type { Checkpoint, CheckpointOptions } from './engine-checkpoint.ts'
import type { EngineStats } from './engine-stats.ts'
import type { EngineWalk, RowColumns } from './engine-walk.ts'
import type { LeadingComparisons } from './read/wanted/leading-comparisons.ts'
import type { RecordOf, RequestRecord } from './requests/request-record.ts'
import type { ColumnSchema, ColumnType, TableSchema } from './schema.ts'
import type { PackedTexts, RowCollector } from './write/columns/row-collector.ts'
import type { StagedIngest } from './write/ingest/staged-ingest.ts'

export type EngineValue = null | number | bigint | string | Uint8Array
export type EngineRow = readonly EngineValue[]

export interface NewTable {
  readonly name: string
  readonly columns: readonly ColumnSchema[]
  /** Ordinals; empty = rows keep insertion order under a hidden key, which the engine adds as ordinal 0. */
  readonly primaryKey: readonly number[]
  readonly onInsert: 'error' | 'upsert'
}

/** What ALTER TABLE does. Files and rows stay as they are: rows without a new column read as `missing` there, null by default. */
export type TableChange =
  | { readonly kind: 'addColumn'; readonly column: ColumnSchema; readonly missing?: EngineValue }
  | { readonly kind: 'dropColumn'; readonly column: string }
  | { readonly kind: 'renameColumn'; readonly column: string; readonly to: string }
  | { readonly kind: 'setDefault'; readonly column: string; readonly default: string | undefined }
  | { readonly kind: 'dropNotNull'; readonly column: string }
  | { readonly kind: 'renameTable'; readonly to: string }

export interface EnginePredicateTerm {
  readonly ordinal: number
  readonly comparison: Comparison
  readonly value?: EngineValue
}

export interface EngineScan {
  readonly table: TableSchema
  /** Bounds on the primary key as prefixes of key values; see `KeyBound`. */
  readonly lower?: KeyBound | undefined
  readonly upper?: KeyBound | undefined
  readonly reverse?: boolean
  /**
   * Whether rows must come in key order across shards (insertion order for hidden keys). Unordered is cheaper; `few`: in key
   * order where that costs little, since few are found or wanted, and where keys are hidden.
   */
  readonly ordered: boolean | 'few'
  /** Ordinals, in the order the rows are to have them. */
  readonly columns: readonly number[]
  /** A conjunction. */
  readonly predicate: readonly EnginePredicateTerm[]
  /** What must be true as well, evaluated for the rows that the predicate leaves. */
  readonly conditions?: readonly EngineExpression[] | undefined
  /** Columns that are computed for the rows found; they have the ordinals after those of the table. */
  readonly computed?: readonly ComputedColumn[] | undefined
  /** Ordinals of BYTEA columns whose bytes are given as text: UTF-8, with U+FFFD for what is none. */
  readonly asText?: ReadonlySet<number>
  /** Stop after this many rows. */
  readonly limit?: number | undefined
  /** Ends the reading: 57014, or the signal's reason when that is an LsmtError. */
  readonly signal?: EndSignal | undefined
}

/**
 * What a scan can evaluate, in the physical kinds of columns (src/engine/schema.ts): text as its UTF-8, NUMERIC as its unscaled
 * integer. A failure of evaluation is the statement's: 22003 beyond a range, 22012 for a division by zero.
 */
export type EngineExpression = VectorExpression

export interface ComputedColumn {
  readonly expression: EngineExpression
  /** Whose physical kind the expression has; BOOLEAN may be that of a condition. */
  readonly type: ColumnType
}

/** A prefix of key values; `inclusive` of all keys that start with it. */
export interface KeyBound {
  readonly values: readonly EngineValue[]
  readonly inclusive: boolean
}

export interface EngineAggregate {
  readonly function: AggregateFunction
  /** Absent for COUNT(*). */
  readonly ordinal?: number | undefined
}

export interface EngineGroupedAggregate extends EngineAggregate {
  /** Equal values of a group count once: COUNT(DISTINCT …), SUM(DISTINCT …). */
  readonly distinct?: true | undefined
}

/** Which rows a statement changes. */
export type EngineRowsWhere = Pick<EngineScan, 'lower' | 'upper' | 'predicate' | 'conditions' | 'signal'>

/** A value made of some columns of a row of keys and aggregates. */
export interface DerivedGroupValue {
  /** Indexes: the row that it is made of need have no others, and is used again for the next group. */
  readonly columns: readonly number[]
  of(row: EngineRow): EngineValue
}

/** Only the first groups of an order are wanted, in that order. `value`: an index in a row of keys and aggregates, or a number made of it. */
export interface FirstGroups {
  readonly order: readonly { readonly value: number | DerivedGroupValue; readonly descending: boolean; readonly nullsFirst: boolean }[]
  readonly limit: number
}

/** Which groups are wanted; of the others no row is made. */
export interface WantedGroups {
  readonly having?: DerivedGroupValue & LeadingComparisons
  /** The first of those. */
  readonly first?: FirstGroups
}

/** A column to order by. */
export interface EngineOrder {
  readonly ordinal: number
  readonly descending: boolean
  readonly nullsFirst: boolean
}

/** One consistent view of all shards, for a whole statement. */
export interface EngineSnapshot {
  release(): void
}

/** How a written row meets an existing one of its key. */
export type WriteMode = 'insert' | 'upsert' | 'insert-or-ignore'

export type StagedWriteMode = Exclude<WriteMode, 'insert-or-ignore'>

export type WriteOperation = { readonly put: EngineRow } | { readonly delete: readonly EngineValue[] }

/** Called with rows that are about to be changed, before any is. */
export type PrepareRows = (rows: readonly EngineRow[]) => Promise<void>
export type PreparePairs = (pairs: readonly (readonly [existing: EngineRow, proposed: EngineRow])[]) => Promise<void>

/** The values of one column, row after row. Of typed arrays the type is the array's, not the column's: any may be given for any number. */
export interface EngineColumn {
  readonly values: BigInt64Array | Float64Array | Int32Array | PackedTexts | readonly EngineValue[]
  /** 1 where the row's value is null, whatever stands in `values`. */
  readonly nulls?: Uint8Array
  /** Texts in a column of BYTEA stand for their UTF-8. */
  readonly fromText?: true
}

/** Rows by column: by ordinal, the hidden key left out. */
export interface EngineColumns {
  readonly rowCount: number
  readonly columns: readonly EngineColumn[]
}

/** Tuples `( value , … ) , ( …` of plain literals as SQL writes them, blanks and comments between them. */
export interface ValuesText {
  readonly text: string
  /** Where the tuples stand in `text`, in code units. */
  readonly start: number
  readonly end: number
  /** By position in a tuple: the column's ordinal. */
  readonly targets: readonly number[]
  /** By ordinal: what stands for DEFAULT and for columns that are not given; of the hidden key it is not looked at. */
  readonly defaults: EngineRow
}

/** Which tables there are. */
export interface EngineCatalog {
  tables(): readonly TableSchema[]
  /** undefined when there is none. */
  table(name: string): TableSchema | undefined
  /** Changes with every change of the catalog; plans made under another value are stale. Not an accessor: an object literal with one is a hash table to V8, whose calls are looked up by name, and a copy of it keeps the value of that moment. */
  catalogVersion(): number
}

/** Rows of one table by key: as `EngineSession.get`. `valueAtHand`: the first column of the row of a key that is one text; undefined: there is no such row; false: `get` is to tell. `valuesAtHand`: the same of many, whose memory is waited for together. */
export interface RowsByKey { get(snapshot: EngineSnapshot | undefined, key: readonly EngineValue[], stats?: ReadStats): ReturnType<EngineSession['get']>; valueAtHand?(key: string): EngineValue | undefined | false; valuesAtHand?(keys: readonly unknown[]): (EngineValue | undefined | false)[] }

/** What statements ask for, alike within a transaction and outside of any. */
export interface EngineSession extends EngineCatalog {
  /** 42P07 when the name is taken. */
  createTable(table: NewTable): Promise<TableSchema>
  /** 42P01 when there is none. */
  dropTable(name: string): Promise<void>
  /**
   * Changes a table's schema. 42P01 and 42703 for what is not there, 42P07 and 42701 for names that are taken, 0A000 for dropping a column of the key and adding one that is NOT NULL.
   */
  alterTable(name: string, change: TableChange): Promise<TableSchema>
  /** Empties a table at once, whatever its size: it goes on under another table id. 42P01 when there is none. */
  truncateTable(name: string): Promise<TableSchema>
  /** Of one moment between this call and the end of the first read from it: of now, unless other nodes have to be asked. */
  snapshot(): EngineSnapshot
  /** The row (columns in the order asked; `asText` as that of scans, and of them the key may have text) or undefined. Resolved at once when no storage is needed. */
  get(snapshot: EngineSnapshot | undefined, table: TableSchema, key: readonly EngineValue[], columns: readonly number[], stats?: ReadStats, asText?: ReadonlySet<number>): EngineRow | undefined | Promise<EngineRow | undefined>
  /** The same made ready for many reads of the same columns, as long as the catalog stays as it is. */
  rowsByKey(table: TableSchema, columns: readonly number[], asText?: ReadonlySet<number>): RowsByKey
  /** The rows of several keys, by key, as `get` gives them. What must be read from storage is read together, so that many take hardly longer than one. */
  getMany(snapshot: EngineSnapshot | undefined, table: TableSchema, keys: readonly (readonly EngineValue[])[], columns: readonly number[], stats?: ReadStats): readonly (EngineRow | undefined)[] | Promise<readonly (EngineRow | undefined)[]>
  /** Batches of rows; by column for whoever makes something else of them. Long reads give timers and sockets their turn every few milliseconds, as do aggregates. */
  scan(snapshot: EngineSnapshot, scan: EngineScan, stats?: ReadStats): AsyncIterable<readonly EngineRow[]>
  scanColumns(snapshot: EngineSnapshot, scan: EngineScan, stats?: ReadStats): AsyncIterable<RowColumns<EngineValue>>
  /** The rows of an ordered scan that filters and computes nothing, at once as far as they are in memory. undefined: they are to be had by `scan`. The snapshot is to be kept until it is closed. */
  walk(snapshot: EngineSnapshot, scan: EngineScan): EngineWalk<EngineValue> | undefined
  aggregate(snapshot: EngineSnapshot, scan: EngineScan, aggregates: readonly EngineAggregate[], stats?: ReadStats): Promise<EngineRow>
  /**
   * One row for each distinct key, in batches, in no order: the values of the `groupBy` columns, then those of the
   * aggregates. NULL is a key of its own, NaN one, and -0 is 0. Without `groupBy` columns there is one row, also over no
   * rows. Without aggregates it is SELECT DISTINCT. The scan's columns, limit and order are passed over. 53200 when the
   * groups do not fit into the memory set apart for them. Without `wanted` all of them are.
   */
  groupedAggregate(snapshot: EngineSnapshot, scan: EngineScan, groupBy: readonly number[], aggregates: readonly EngineGroupedAggregate[], stats?: ReadStats, wanted?: WantedGroups): AsyncIterable<readonly EngineRow[]>
  /**
   * The first `limit` rows in the order of at least one column, in this order: which of rows that are equal in it is open.
   * The limit's rows are kept in memory. The scan's own limit and order are passed over.
   */
  topRows(snapshot: EngineSnapshot, scan: EngineScan, order: readonly EngineOrder[], limit: number, stats?: ReadStats): Promise<readonly EngineRow[]>

  /**
   * Every write is 40001 when the table's columns were changed, or the table truncated, since `table` was looked up. What
   * one must read counts in its `stats`.
   *
   * Writes rows (values by ordinal, the hidden key left out) as one atomic statement; returns rows changed. 23505 when
   * mode is 'insert' and a key exists, or twice in the statement; nothing is written then. Resolves when the rows are
   * durable as set, and visible.
   */
  insert(table: TableSchema, rows: readonly EngineRow[], mode: WriteMode, stats?: ReadStats): Promise<number>
  /** Writes rows that are given by column, as `insert` would write them. 42804 for another count of columns. */
  insertColumns(table: TableSchema, columns: EngineColumns, mode: WriteMode, stats?: ReadStats): Promise<number>
  /**
   * Writes rows that are given as text, as `insert` would write their values, without making objects of them. Undefined
   * when the text holds what is not known here, or what `insert` refuses: nothing was written then, and `insert` tells.
   */
  insertText(table: TableSchema, values: ValuesText, mode: 'insert' | 'upsert', stats?: ReadStats): Promise<number | undefined>
  /**
   * Reads rows by key, lets `change` say what becomes of each (a new row by ordinal, 'delete', or 'keep'), and writes all
   * of it atomically; nobody writes these keys in between. Missing keys are skipped. Returns rows changed. Rows are by
   * ordinal with the hidden key in. A new row may have another key: 23505 when that key exists once all is applied.
   * When rows move to other keys, `change` may be called again for a row; its last answer counts.
   * `prepare` sees the rows first, all that `change` will then be called for, while nobody writes them; it may read
   * snapshots. When they are read anew it is called anew.
   */
  update(table: TableSchema, keys: readonly (readonly EngineValue[])[], change: (row: EngineRow) => EngineRow | 'delete' | 'keep', prepare?: PrepareRows, stats?: ReadStats): Promise<number>
  /**
   * As `update`, of the rows that a scan finds; nobody writes the table from before that scan until all is written.
   * `change` is called once for each, in key order, and may keep what the scan could not tell apart.
   */
  updateWhere(table: TableSchema, where: EngineRowsWhere, change: (row: EngineRow) => EngineRow | 'delete' | 'keep', prepare?: PrepareRows, stats?: ReadStats): Promise<number>
  /** Deletes the rows that a scan finds; those of a whole range at once, however many. Returns how many. */
  deleteWhere(table: TableSchema, where: EngineRowsWhere, stats?: ReadStats): Promise<number>
  /**
   * Writes rows as `insert` does; where a key exists, `change` says what becomes of the existing row. A key that stands
   * twice in `rows` meets itself the second time, which `isWritten` tells. Atomic; nobody writes these keys in between. Returns rows written.
   * 0A000 when `change` gives a row another key. `prepare` sees the existing rows first, each with those of `rows` that have its key.
   */
  insertOrUpdate(table: TableSchema, rows: readonly EngineRow[], change: (existing: EngineRow, proposed: EngineRow, isWritten: boolean) => EngineRow | 'keep', prepare?: PreparePairs, stats?: ReadStats): Promise<number>
  /** Puts rows and deletes keys as one atomic statement, whatever was there before; of operations on one key the last counts. */
  write(table: TableSchema, operations: readonly WriteOperation[]): Promise<void>
  /** Deletes all keys in a range, without reading them. */
  deleteRange(table: TableSchema, lower: KeyBound | undefined, upper: KeyBound | undefined): Promise<void>

  /** A place for rows that a query cannot hold in memory; what is written there counts in `use` and `stats`. The file is the caller's to discard. */
  spillFile(use: SpillUse, stats?: SpillStats): SpillFile
}

/**
 * One transaction: all its reads are of one snapshot, under its own writes, which nobody else sees before `commit`. Its
 * calls come one after the other. The catalog is as it was when it began; changing it is 0A000. After its end every
 * call is 25P01, and it must come to one, since it keeps memory and locks until then.
 */
export interface EngineTransaction extends EngineSession {
  /** Writes all of it as one atomic statement, durable as set and visible when this resolves, to whether there was anything. On an error nothing is written. */
  commit(): Promise<boolean>
  /** Drops what was written. Does nothing after the end. */
  rollback(): void
  /** What was written so far, to return to. */
  savepoint(): Savepoint
  /** Drops what was written since; later savepoints are void. */
  rollbackTo(savepoint: Savepoint): void
}

export interface Savepoint {
  /** Parts of statements written before it. */
  readonly partCount: number
}

/** Writes through it bring a record with them: it becomes durable and visible with what one statement or transaction writes, or neither does. */
export interface RecordingSession extends EngineSession, Pick<Engine, 'begin' | 'publishStaged'> {
  /** Whether something was written, and the record with it. */
  readonly isRecorded: boolean
}

/** A request that may be sent again, told by its idempotency key. Nobody else has the key until `release`, which must come. */
export interface EngineRequest {
  /** What was recorded under the key before it was taken. */
  readonly record: RequestRecord | undefined
  /** For one statement or transaction. The record is asked for when the statement's rows are known and about to be written. */
  recording(record: RecordOf): RecordingSession
  /** Writes a record by itself. */
  write(record: RequestRecord): Promise<void>
  release(): void
}

export interface Engine extends EngineSession {
  /** Resolves when no statement is changing the catalog. */
  catalogSettled(): Promise<void>
  /** Of a node whose catalog others change: resolves when it has all that was changed before the call; undefined: it has. To be asked before a statement is planned. */
  freshCatalog?(): Promise<void> | undefined
  /**
   * Begins a transaction that writes the tables which `written` names (to others it only reads: 25006). It alone writes
   * them from before its snapshot until its end, so it meets no conflicts; transactions queue for all their tables in
   * one step, so none waits for another in a circle. `written` is asked again when the catalog changed meanwhile.
   */
  begin(written: (catalog: EngineCatalog) => readonly TableSchema[]): Promise<EngineTransaction>

  /**
   * Makes an empty table with the columns of `table` and no name: only who has its schema can read and write it, and an
   * opening after a crash drops it. So rows that are more than one statement may write become part of a table at once.
   * It comes to an end by one of the two calls below.
   */
  stageTable(table: TableSchema): Promise<TableSchema>
  /**
   * All staged rows become rows of `table` in one atomic statement, however many. Rows that the table has are copied to
   * them first, while nobody writes it: 'insert' is 23505 when a key exists in both, with 'upsert' the staged row counts.
   * 40001 when the table's columns were changed, or the table truncated, since it was staged; the staged rows stay then.
   */
  publishStaged(staged: TableSchema, table: TableSchema, mode: StagedWriteMode): Promise<TableSchema>
  dropStaged(staged: TableSchema): Promise<void>
  /** Begins to bring rows into an empty staged table without the log. Undefined where there is no memory for it; absent where all rows have to go by the log. */
  ingestStaged?(staged: TableSchema): StagedIngest<EngineColumns> | undefined
  /** Rows are likely to be ingested soon: starts what takes as long to start as many rows take. Absent as `ingestStaged` is. */
  expectIngest?(): void
  /** Collects rows for `insertColumns`; records of CSV have values for the targets. */
  collectRows(table: TableSchema, given: Pick<ValuesText, 'targets' | 'defaults'>): RowCollector<EngineValue, EngineColumns>
  /** Waits for the request before it that has the key. 22023 for what cannot be a key. Keys are kept as long as the settings say. */
  request(key: string): Promise<EngineRequest>

  /** Everything written so far goes to table files / is merged into one run. */
  flush(): Promise<void>
  compact(): Promise<void>
  /** The files of one consistent state, while writes go on: all that was visible at one moment of the call, and nothing else. */
  checkpoint(): Promise<Checkpoint>
  /**
   * Keeps the state of one moment of the call: its files stay, whatever is written later, until the checkpoint is deleted or
   * `keepMs` have gone by. Resolves to its id. 0A000 but in a bucket.
   */
  storeCheckpoint(options: CheckpointOptions): Promise<string>
  /** All that writes is 25006. */
  readonly isReadOnly?: true
  /** What a request that reads storage costs in USD; absent where it costs nothing. */
  readonly usdPerRead?: number
  /** Of a node that only reads: resolves when all is visible that was written before the call. */
  refresh?(): Promise<void>
  /** Of a writer that others may overtake: rejects with 55006 when one has, with another error when that cannot be told. */
  assertWriter?(): Promise<void>
  stats(): EngineStats
  close(): Promise<void>
}

/** What one query spills. */
export interface SpillUse {
  /** Bytes that may be spilled at a time; 53200 beyond. */
  readonly bytesMax: number
  /** Rows are written in blocks of about so many bytes. */
  readonly blockBytes: number
  /** Bytes in files that are not discarded yet. */
  bytesHeld: number
  readonly signal?: EndSignal
}

/** What was spilled so far. */
export interface SpillStats {
  spilledBytes: number
}

/** Runs of rows in one temporary file, which is made when the first block is written. */
export interface SpillFile {
  newRun(): SpilledRun
  /** Gives the room back. Safe to call again, and after any failure. */
  discard(): Promise<void>
}

/** Rows in the order in which they were appended. */
export interface SpilledRun {
  readonly rowCount: number
  readonly blockCount: number
  /** Writes rows, of as many values as those before, in blocks. 53100 when the disk is full. */
  append(rows: readonly EngineRow[]): Promise<void>
  /** The rows, a block at a time, without the first `from` blocks; may be asked for again. XX001 for a block that is not as it was written. */
  read(from?: number): AsyncGenerator<readonly EngineRow[]>
}
