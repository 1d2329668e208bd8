/** A transaction that lasts as long as a function of the program: committed when that is done, rolled back when it throws. */
import { checkList, checkOptions, described } from './engine/keyed/given.ts'
import type { TableDefinition } from './engine/keyed/define-table.ts'
import { LsmtError } from './errors.ts'
import { endReason, unlessEnded } from './runtime/end-signal.ts'
import { Canceller, checkCancelled } from './sql/cancel.ts'
import type { CancelSignal } from './sql/cancel.ts'
import type { StepwiseTransaction } from './sql/run/stepwise-transaction.ts'
import type { Sql } from './sql/sql.ts'

export interface TransactionOptions {
  /** The tables that it may write, by name or definition: they are its own until its end, other writers of them wait. */
  readonly write: readonly (string | TableDefinition)[]
  /** From the call on, waiting for the tables included; then it is rolled back with 57014, whatever the function does. Default 30,000. */
  readonly timeoutMs?: number
  /** Rolls it back with 57014, or with the signal's reason when that is an LsmtError. */
  readonly signal?: CancelSignal
}

const timeoutMsMax = 2 ** 31 - 1

/** Resolves to what the function resolves to, when all that it wrote is durable as set and visible. On an error nothing is written. */
export async function runTransaction<T>(sql: Sql, options: TransactionOptions, run: (transaction: StepwiseTransaction) => T | Promise<T>): Promise<T> {
  const { tables, timeoutMs, signal } = checked(options)
  const canceller = new Canceller()
  const timer = setTimeout(() => canceller.cancel(new LsmtError('57014', `the transaction took longer than ${timeoutMs} ms`, { hint: 'timeoutMs sets how long it may take; what waits for tables that it has itself never ends' })), timeoutMs)
  const onAbort = (): void => canceller.cancel(endReason(signal!))
  if (signal?.aborted === true) onAbort()
  signal?.addEventListener('abort', onAbort)
  try {
    return await runWithin(await sql.begin(tables, canceller), canceller, run)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

async function runWithin<T>(transaction: StepwiseTransaction, signal: CancelSignal, run: (transaction: StepwiseTransaction) => T | Promise<T>): Promise<T> {
  try {
    checkCancelled(signal)
    const value = await unlessEnded(Promise.resolve(transaction).then(run), signal)
    await transaction.commit()
    return value
  } catch (error) {
    await transaction.rollback(error)
    throw error
  }
}

function checked(options: TransactionOptions): { readonly tables: readonly string[]; readonly timeoutMs: number; readonly signal: CancelSignal | undefined } {
  checkOptions(options, ['write', 'timeoutMs', 'signal'], 'the options of a transaction')
  const { write, timeoutMs = 30_000, signal } = options
  checkList(write, 'what names the tables that a transaction writes')
  if (!(typeof timeoutMs === 'number' && timeoutMs >= 1 && timeoutMs <= timeoutMsMax)) throw new LsmtError('22023', `timeoutMs is a number from 1 to ${timeoutMsMax}; it was given as ${described(timeoutMs)}`)
  return { tables: write.map(nameOf), timeoutMs, signal }
}

function nameOf(table: string | TableDefinition): string {
  const name: unknown = typeof table === 'string' ? table : (table as TableDefinition | null)?.name
  if (typeof name !== 'string') throw new LsmtError('22023', `a table that a transaction writes is a name or a definition; it was given as ${described(table)}`)
  return name
}
