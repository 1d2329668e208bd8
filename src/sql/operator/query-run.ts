/** What the operators of one query share while it runs: snapshot, cancellation, memory, turns of the event loop. */
import type { Engine, EngineRow, EngineSnapshot } from '../../engine/engine.ts'
import { LsmtError, invariant } from '../../errors.ts'
import type { ReadStats } from '../../lsm/tree.ts'
import { checkCancelled } from '../cancel.ts'
import type { CancelSignal } from '../cancel.ts'
import type { Run } from '../expression/compile.ts'

export type Batch = readonly EngineRow[]

/** Rows of an operator; may be asked for again, each time from the start. */
export type Stream = () => AsyncIterable<Batch>

export interface QueryRun extends Run {
  readonly engine: Engine
  /** Taken when the first row is asked for. */
  snapshot: EngineSnapshot | undefined
  /** Rows that a statement works over, for its `given` nodes. */
  given: readonly EngineRow[]
  readonly stats: ReadStats
  readonly signal: CancelSignal | undefined
  /** Bytes that sorts, groupings, joins and the like may hold. */
  readonly memoryBytesMax: number
  memoryBytes: number
  rowsOfTurn: number
}

/** The snapshot that all of the query reads. */
export function snapshotOf({ snapshot }: QueryRun): EngineSnapshot {
  invariant(snapshot !== undefined, 'a query reads before its snapshot is taken')
  return snapshot
}

/** Rows after which the event loop gets a turn. */
const rowsPerTurn = 10_000

/** To be called for each batch: 57014 when cancelled; lets others run once enough rows went by. */
export async function pace(run: QueryRun, rowCount: number): Promise<void> {
  checkCancelled(run.signal)
  run.rowsOfTurn += rowCount
  if (run.rowsOfTurn < rowsPerTurn) return
  run.rowsOfTurn = 0
  await new Promise<void>((resolve) => {
    setImmediate(resolve)
  })
  checkCancelled(run.signal)
}

/** Counts a row that an operator keeps. 53200 beyond the limit. */
export function hold(run: QueryRun, row: EngineRow): void {
  let bytes = 48 + row.length * 16
  for (const value of row) if (typeof value === 'string') bytes += value.length * 2
    else if (value instanceof Uint8Array) bytes += value.length
  run.memoryBytes += bytes
  if (run.memoryBytes > run.memoryBytesMax) throw new LsmtError('53200', `the query needs more than ${run.memoryBytesMax} bytes of memory for sorting, grouping and joining`, { hint: 'narrow it by WHERE, or raise the limit' })
}

export const batchRows = 1_024
