/** What statements give back. */
import type { EngineRow, EngineValue, SpillStats } from '../engine/engine.ts'
import type { RowColumns } from '../engine/engine-walk.ts'
import type { UserValue } from '../engine/user-value.ts'
import type { ReadStats } from '../lsm/tree.ts'
import type { ResultColumn } from './plan.ts'
import type { RequestBudget } from './request-budget.ts'

/** What a query read of tables, and wrote because memory had no room for it. */
export interface QueryStats extends ReadStats, SpillStats {}

/** Batches of rows as they are read. They are read once, in one of the two ways. */
export interface RowStream extends AsyncIterable<readonly EngineRow[]> {
  /** The same rows by column, where the engine has them so: whoever makes something else of them needs no rows in between. */
  byColumn?(): AsyncIterable<RowColumns<EngineValue>>
}

/**
 * Rows as engine values; those of a scan arrive in batches as they are read, and must be consumed (or the iterator
 * closed) before the next statement of the text runs. `stats` is complete when the rows are.
 */
export interface RowsResult {
  readonly kind: 'rows'
  readonly columns: readonly ResultColumn[]
  readonly rows: readonly EngineRow[] | RowStream
  readonly stats: QueryStats
}

/** A statement that wrote rows, durable as set, or, in a transaction, pending. */
export interface WriteResult {
  readonly kind: 'write'
  readonly rowCount: number
  /** Written in a transaction that is still to be committed. */
  readonly isPending?: true
  /** What RETURNING gives; both empty without one. */
  readonly columns: readonly ResultColumn[]
  readonly rows: readonly EngineRow[]
}

/** A statement that changed the catalog. */
export interface SchemaResult {
  readonly kind: 'schema'
}

/** A step of a transaction. */
export interface TransactionResult {
  readonly kind: 'transaction'
  /** The COMMIT of something written, durable as set. */
  readonly isCommit: boolean
}

export type StatementResult = RowsResult | WriteResult | SchemaResult | TransactionResult

/** A result with all of its rows. */
export interface Collected<Row> {
  readonly kind: StatementResult['kind']
  readonly columns: readonly ResultColumn[]
  readonly rows: readonly Row[]
  /** Rows returned, or rows changed by a write. */
  readonly rowCount: number
}

/** Rows of users' values. */
export type CollectedResult = Collected<readonly UserValue[]>

/** Under a budget, counting a request beyond it throws 54000. */
export function newQueryStats(budget?: RequestBudget): QueryStats {
  const stats = { rowGroupsTotal: 0, rowGroupsPruned: 0, bytesRead: 0, storageRequests: 0, spilledBytes: 0 }
  if (budget === undefined) return stats
  let storageRequests = 0
  return Object.defineProperty(stats, 'storageRequests', {
    get: () => storageRequests,
    set(count: number) {
      budget.spend(count - storageRequests)
      storageRequests = count
    },
  })
}

/** Whether the rows are all here already. */
export function areRowsHere(rows: RowsResult['rows']): rows is readonly EngineRow[] {
  return Array.isArray(rows)
}
