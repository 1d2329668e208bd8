/** A transaction of a text: which tables its statements write is known when it begins, so they are locked before its first read. */
import { unlessEnded } from '../../runtime/end-signal.ts'
import type { Engine, EngineCatalog, EngineTransaction, Savepoint } from '../../engine/engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import { LsmtError } from '../../errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import { checkCancelled } from '../cancel.ts'
import type { CancelSignal } from '../cancel.ts'
import { runPlan } from '../explain/explain.ts'
import type { Execution } from '../execute/execute-select.ts'
import { errorAt, originOf } from '../origin.ts'
import type { Plan, TransactionPlan } from '../plan.ts'
import type { StatementResult } from '../result.ts'
import type { TransactionStatement } from '../syntax/transaction.ts'
import type { Name } from '../syntax/names.ts'
import type { Values } from '../value/values.ts'

/** The plan of a statement as of a catalog. */
export type PlanOf = (values: Values, catalog: EngineCatalog) => Plan

export const withinText = 'a transaction lives within one request: send BEGIN, its statements and COMMIT or ROLLBACK as one text'

export interface TransactionRunner {
  readonly engine: Pick<Engine, 'begin' | keyof EngineCatalog>
  readonly clock: Clock
  readonly planOf: PlanOf
}

export interface OpenTransaction {
  /** Runs one of its statements. After an error it can only be rolled back. */
  run(values: Values, execution: Execution): Promise<StatementResult>
  /** Does nothing once it is over. */
  rollback(): void
  readonly isOver: boolean
  /** What it gives returns to the names of savepoints of now, for when what was written since is dropped. */
  keepSavepoints(): () => void
}

/** The statements up to the COMMIT or ROLLBACK that ends what `begin` begins. 25000 when none does, or the error of the statement that should. */
export function blockOf({ planOf, engine }: TransactionRunner, begin: Values, following: readonly Values[]): readonly Values[] {
  const plans = following.map((values) => planned(planOf, values, engine))
  const end = plans.findIndex((plan) => !(plan instanceof LsmtError) && plan.kind === 'transaction' && (plan.statement.kind === 'commit' || plan.statement.kind === 'rollback'))
  if (end >= 0) return following.slice(0, end)
  throw plans.find((plan) => plan instanceof LsmtError) ?? errorAt(originOf(begin), 0, '25000', 'the text ends before the transaction that begins here', withinText)
}

/** The statement's error instead of its plan is told when its turn comes. */
export function planned(planOf: PlanOf, values: Values, catalog: EngineCatalog): Plan | LsmtError {
  try {
    return planOf(values, catalog)
  } catch (error) {
    if (error instanceof LsmtError) return error
    throw error
  }
}

/** Waits for the tables that the statements of `block` write. */
export async function beginTransaction({ engine, clock, planOf }: TransactionRunner, block: readonly Values[], readOnly: boolean, signal: CancelSignal | undefined): Promise<OpenTransaction> {
  const written = (catalog: EngineCatalog): readonly TableSchema[] => (readOnly ? [] : block.flatMap((values) => writtenTable(planned(planOf, values, catalog))))
  return openTransaction(await takeTables(engine, written, signal), { clock, planOf }, readOnly)
}

/** A transaction that has its tables for itself. 57014 when the caller gives up before. */
export async function takeTables(engine: Pick<Engine, 'begin'>, written: Parameters<Engine['begin']>[0], signal: CancelSignal | undefined): Promise<EngineTransaction> {
  checkCancelled(signal)
  const beginning = engine.begin(written)
  return await unlessEnded(beginning, signal).catch((error: unknown) => {
    // Who gave up while waiting gets the tables in the end, and lets go of them.
    beginning.then((begun) => begun.rollback(), () => {})
    throw error
  })
}

/** Its statements, from now on. */
export function openTransaction(session: EngineTransaction, { clock, planOf }: Pick<TransactionRunner, 'clock' | 'planOf'>, readOnly: boolean): OpenTransaction {
  const startMicros = clock.wallMicros()
  const state: TransactionState = { session, planOf, readOnly, clock: { ...clock, wallMicros: () => startMicros }, savepoints: [], isOver: false }
  return {
    run: (values, execution) => run(state, values, execution),
    rollback: () => session.rollback(),
    get isOver() {
      return state.isOver
    },
    keepSavepoints() {
      const { savepoints } = state
      return () => {
        state.savepoints = savepoints
      }
    },
  }
}

function writtenTable(plan: Plan | LsmtError): readonly TableSchema[] {
  if (plan instanceof LsmtError) return []
  return plan.kind === 'insert' || plan.kind === 'update' || plan.kind === 'delete' ? [plan.table] : []
}

interface TransactionState {
  readonly session: EngineTransaction
  readonly planOf: PlanOf
  readonly readOnly: boolean
  /** Its statements all have the time at which it began. */
  readonly clock: Clock
  savepoints: readonly { readonly name: string; readonly savepoint: Savepoint }[]
  isOver: boolean
}

async function run(state: TransactionState, values: Values, execution: Execution): Promise<StatementResult> {
  const plan = state.planOf(values, state.session)
  if (plan.kind === 'transaction') return await step(state, plan.statement, values, execution.signal)
  const refusal = refusalOf(state, plan)
  if (refusal !== undefined) throw errorAt(originOf(values), 0, ...refusal)
  const result = await runPlan(state.session, plan, { ...execution, clock: state.clock })
  return result.kind === 'write' ? { ...result, isPending: true } : result
}

const schemaChanges: Readonly<Partial<Record<Plan['kind'], string>>> = { createTable: 'CREATE TABLE', dropTable: 'DROP TABLE', alterTable: 'ALTER TABLE', truncate: 'TRUNCATE' }

function refusalOf({ readOnly }: TransactionState, plan: Exclude<Plan, TransactionPlan>): readonly ['0A000' | '25006', string] | undefined {
  const change = schemaChanges[plan.kind]
  if (change !== undefined) return ['0A000', `${change} in a transaction is not supported`]
  return readOnly && writtenTable(plan).length > 0 ? ['25006', `${plan.kind.toUpperCase()} in a read-only transaction`] : undefined
}

async function step(state: TransactionState, statement: TransactionStatement, values: Values, signal: CancelSignal | undefined): Promise<StatementResult> {
  checkCancelled(signal)
  switch (statement.kind) {
    case 'begin':
      throw errorAt(originOf(values), 0, '25001', 'a transaction is open already')
    case 'commit':
      state.isOver = true
      return { kind: 'transaction', isCommit: await state.session.commit() }
    case 'rollback':
      state.isOver = true
      state.session.rollback()
      break
    case 'savepoint':
      state.savepoints = [...state.savepoints, { name: statement.savepoint.name, savepoint: state.session.savepoint() }]
      break
    case 'release':
      state.savepoints = state.savepoints.slice(0, placeOf(state, statement.savepoint, values))
      break
    case 'rollbackTo': {
      const place = placeOf(state, statement.savepoint, values)
      state.session.rollbackTo(state.savepoints[place]!.savepoint)
      state.savepoints = state.savepoints.slice(0, place + 1)
      break
    }
  }
  return { kind: 'transaction', isCommit: false }
}

/** Of savepoints that share a name, the latest counts. */
function placeOf({ savepoints }: TransactionState, { name, tokenIndex }: Name, values: Values): number {
  const place = savepoints.findLastIndex((each) => each.name === name)
  if (place < 0) throw errorAt(originOf(values), tokenIndex, '3B001', `savepoint "${name}" does not exist`)
  return place
}
