/** What the operators of one query share while it runs: snapshot, cancellation, memory, spilled rows, turns of the event loop. */
import type { EngineRow, EngineSession, EngineSnapshot, EngineValue, SpillFile, SpillUse } from '../../engine/engine.ts'
import { invariant } from '../../errors.ts'
import type { ReadStats } from '../../lsm/tree.ts'
import { systemTurns } from '../../runtime/pace.ts'
import type { Turns } from '../../runtime/pace.ts'
import { checkCancelled } from '../cancel.ts'
import type { CancelSignal } from '../cancel.ts'
import type { Run } from '../expression/compile.ts'
import type { QueryStats } from '../result.ts'
import type { CommonPlan, QueryNode, ScanNode } from './node.ts'
import { createQueryMemory } from './spill/query-memory.ts'
import type { MemoryPool, QueryMemory } from './spill/query-memory.ts'

export type Batch = readonly EngineRow[]

/**
 * Rows of an operator; may be asked for again, each time from the start. One that is a generator calls a generator of its
 * module: each `function*` that is made while a query runs has objects of its own shape, which keep all that it sees in
 * memory until a full collection.
 */
export type Stream = () => AsyncIterable<Batch>

export async function* noRows(): AsyncGenerator<Batch> {}

export async function* only(rows: Batch): AsyncGenerator<Batch> {
  yield rows
}

/** Makes a subquery's own operators. */
export type Prepare = (plan: unknown, rowsMax: number | undefined, repeated: boolean) => Stream

/** Rows that are computed once for all who ask for them. */
export interface SharedRows {
  /** From the first one on. */
  read(): AsyncGenerator<Batch>
  /** Ends what computes them, and gives back what is held; whoever reads must have stopped. */
  close(): Promise<void>
}

/** Watches what each operator does; there is one under EXPLAIN ANALYZE only. */
export interface Probe {
  /** The same rows, counted and timed. */
  watch(node: QueryNode, rows: Stream, run: QueryRun): Stream
  /** Where the reads of a node are counted. */
  statsOf(node: QueryNode): ReadStats
  /** A join reads this side by its keys, which was open until it ran. */
  looksUp(node: QueryNode, side: 'left' | 'right'): void
}

export interface QueryRun extends Run {
  readonly engine: EngineSession
  /** Taken when the first row is asked for. */
  snapshot: EngineSnapshot | undefined
  /** Rows that a statement works over, for its `given` nodes. */
  given: readonly EngineRow[]
  readonly stats: QueryStats
  readonly signal: CancelSignal | undefined
  /** Of which sorts, groupings, joins and the like take shares. */
  readonly memory: QueryMemory
  /** For rows that a write must hold as a whole; only what all queries hold limits them. */
  readonly memoryOfWrite: QueryMemory
  readonly spill: SpillUse
  /** Keys, or first columns of keys, of which alone a scan is to give the rows; set while its operators are made. */
  readonly lookups: Map<ScanNode, readonly EngineRow[]>
  /** Rows of queries of WITH. */
  readonly common: Map<CommonPlan, SharedRows>
  /** What is not discarded yet. */
  readonly spillFiles: Set<SpillFile>
  /** Why a file could not be discarded. */
  discardFailure: unknown
  readonly turns: Turns
  /** Rows that went by in this turn of the event loop, which began then. */
  rowsOfTurn: number
  turnStartMs: number
  readonly probe?: Probe | undefined
  /** Told what RETURNING will give before anything is written, by whoever keeps that with what is written. */
  readonly willReturn?: ((rows: () => readonly EngineRow[]) => void) | undefined
}

/** Limits of what queries may hold. */
export interface QueryLimits {
  /** What a request to storage costs in USD, where it costs anything. */
  readonly usdPerRead?: number
  /** Of one query; beyond it spills. */
  readonly memoryBytesMax: number
  readonly spillBytesMax: number
  /** Of all queries. */
  readonly pool: MemoryPool
}

export interface QueryRunInput extends Pick<QueryRun, 'engine' | 'stats' | 'signal' | 'values' | 'nowMicros' | 'probe' | 'willReturn'> {
  readonly limits: QueryLimits
  readonly turns?: Turns
}

const KiB = 1024

export function newQueryRun({ engine, stats, signal, values, nowMicros, probe, willReturn, limits, turns = systemTurns }: QueryRunInput): QueryRun {
  // An operator writes to tens of files, and reads from them, with a block of each in memory.
  const blockBytes = Math.min(64 * KiB, Math.max(KiB / 2, Math.floor(Math.min(limits.memoryBytesMax, limits.pool.bytesMax) / 512)))
  const spill: SpillUse = signal === undefined ? { bytesMax: limits.spillBytesMax, blockBytes, bytesHeld: 0 } : { bytesMax: limits.spillBytesMax, blockBytes, bytesHeld: 0, signal }
  // Every query makes one, so its properties are named: to copy those of another object costs more than a small query does.
  return {
    engine, stats, signal, values, nowMicros, probe, willReturn, turns, spill,
    snapshot: undefined, given: [], cells: new Map(), lookups: new Map(), common: new Map(), spillFiles: new Set(),
    memory: createQueryMemory(limits.memoryBytesMax, limits.pool), memoryOfWrite: createQueryMemory(limits.pool.bytesMax, limits.pool),
    discardFailure: undefined, rowsOfTurn: 0, turnStartMs: turns.monotonicMs(),
  }
}

/** Runs a query's operators over one snapshot, until the last row is there or the consumer stops. */
export async function* queryRows<Rows>(run: QueryRun, stream: () => AsyncIterable<Rows>): AsyncGenerator<Rows> {
  run.snapshot = run.engine.snapshot()
  try {
    yield* stream()
  } finally {
    await endRun(run)
  }
  if (run.discardFailure !== undefined) throw run.discardFailure
}

/** Gives back all that a run still holds, however it ended. */
export async function endRun(run: QueryRun): Promise<void> {
  try {
    for (const rows of run.common.values()) await rows.close()
  } finally {
    run.snapshot?.release()
    run.memory.close()
    run.memoryOfWrite.close()
    for (const file of run.spillFiles) await discardSpillFile(run, file)
  }
}

/** The snapshot that all of the query reads. */
export function snapshotOf({ snapshot }: QueryRun): EngineSnapshot {
  invariant(snapshot !== undefined, 'a query reads before its snapshot is taken')
  return snapshot
}

/** Where a node counts what it reads. */
export function readStatsOf({ probe, stats }: QueryRun, node: QueryNode): ReadStats {
  return probe === undefined ? stats : probe.statsOf(node)
}

/** A file that goes with the query, unless it is discarded before. */
export function openSpillFile(run: QueryRun): SpillFile {
  const file = run.engine.spillFile(run.spill, run.stats)
  run.spillFiles.add(file)
  return file
}

/** A failure is told when the query would otherwise end well: it must not hide the error of one that does not. */
export async function discardSpillFile(run: QueryRun, file: SpillFile): Promise<void> {
  run.spillFiles.delete(file)
  await file.discard().catch((cause: unknown) => { run.discardFailure ??= cause })
}

/** How long, and over how many rows, a query goes on before the event loop gets a turn. */
const turnMs = 4
const rowsPerTurn = 10_000

/** To be called for each batch, and within one where a row takes long: 57014 when cancelled; lets others run when it is their turn. */
export async function pace(run: QueryRun, rowCount: number): Promise<void> {
  checkCancelled(run.signal)
  run.rowsOfTurn += rowCount
  if (run.rowsOfTurn < rowsPerTurn && run.turns.monotonicMs() - run.turnStartMs < turnMs) return
  await run.turns.next()
  run.rowsOfTurn = 0
  run.turnStartMs = run.turns.monotonicMs()
  checkCancelled(run.signal)
}

/** A row to be filled at once: one that grows is copied, and holds more than it needs. */
export function newRow<Cell = EngineValue>(width: number): Cell[] {
  // oxlint-disable-next-line unicorn/no-new-array -- a length is meant, and Array.from calls for each element
  return new Array<Cell>(width)
}

/** Rows of a batch: so few that no operator needs long for one. */
export const batchRows = 1_024
