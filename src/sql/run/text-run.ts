/**
 * The statements of one text, run one after the other. A transaction begins and ends within its text: nothing outlives
 * the run, which must be closed however it ended.
 */
import type { Engine } from '../../engine/engine.ts'
import { againWhenChanged } from '../../engine/tables/again-when-changed.ts'
import type { Clock } from '../../runtime/clock.ts'
import { unlessEnded } from '../../runtime/end-signal.ts'
import type { CancelSignal } from '../cancel.ts'
import { LsmtError } from '../../errors.ts'
import { runPlan } from '../explain/explain.ts'
import { countStatement } from '../execute/execute-select.ts'
import type { Execution, StatementCounts } from '../execute/execute-select.ts'
import { insertSupposed } from '../execute/insert-text.ts'
import type { Staging } from '../execute/queried/staging.ts'
import type { QueryLimits } from '../operator/query-run.ts'
import { errorAt, originOf } from '../origin.ts'
import type { RecordingSession } from '../../engine/engine.ts'
import type { RequestBudget } from '../request-budget.ts'
import type { StatementResult } from '../result.ts'
import type { ScannedStatement } from '../scan/scan-state.ts'
import type { PreparedText } from '../scan/supposed-text.ts'
import { checkParameterCount } from '../slot.ts'
import type { SqlParameters } from '../slot.ts'
import type { TransactionStatement } from '../syntax/transaction.ts'
import type { Values } from '../value/values.ts'
import { fingerprintOf } from './keyed/fingerprint.ts'
import { KeyedText } from './keyed/keyed-text.ts'
import { beginTransaction, blockOf, planned, withinText } from './open-transaction.ts'
import type { OpenTransaction, PlanOf } from './open-transaction.ts'
import { notAllowed, onReadOnlyNode, readingOnly, writes } from './reading-only.ts'
import type { WriteRefusal, WritingPlan } from './reading-only.ts'
import { checkRowsOnce, planRowsOnce } from './rows-once.ts'

/** What all runs share. */
export interface TextRunner {
  readonly engine: Engine
  readonly clock: Clock
  readonly limits: QueryLimits
  readonly planOf: PlanOf
  readonly counts: StatementCounts
  /** Of statements outside of transactions and without an idempotency key. */
  readonly staging: Staging
}

export interface TextRunOptions {
  readonly prepared: PreparedText
  readonly parameters: SqlParameters | undefined
  readonly signal: CancelSignal | undefined
  /** False refuses statements that write: 42501. */
  readonly mayWrite: boolean
  readonly oneWithRows: boolean
  readonly idempotencyKey: string | undefined
  readonly requests: RequestBudget | undefined
}

export class TextRun {
  private readonly runner: TextRunner
  private readonly options: TextRunOptions
  private index = 0
  private transaction: OpenTransaction | undefined
  /** Under an idempotency key, from the first statement on. */
  private keyed: KeyedText | undefined
  /** That of the transaction which is open, under a key. */
  private recording: RecordingSession | undefined

  constructor(runner: TextRunner, options: TextRunOptions) {
    const { oneWithRows, prepared } = options
    const refusal = refusalOf(runner, options)
    const planOf = refusal === undefined ? runner.planOf : readingOnly(runner.planOf, refusal)
    this.runner = refusal === undefined && !oneWithRows ? runner : { ...runner, planOf: oneWithRows ? planRowsOnce(planOf) : planOf }
    this.options = options
    if (options.parameters !== undefined) checkParameterCount(options.parameters, prepared.statements)
    if (oneWithRows && prepared.count > 1) checkRowsOnce(planOf, prepared.statements.map((_, index) => this.valuesOf(index)), runner.engine)
  }

  /**
   * Runs the next statement; its result must be consumed before another is asked for. undefined after the last one. What
   * needs no waiting is here at once.
   */
  next(): StatementResult | Promise<StatementResult> | undefined {
    if (this.index >= this.options.prepared.count) return undefined
    const index = this.index++
    const fresh = this.transaction === undefined ? this.runner.engine.freshCatalog?.() : undefined
    return fresh === undefined ? this.run(index) : unlessEnded(fresh, this.options.signal).then(() => this.run(index))
  }

  private run(index: number): StatementResult | Promise<StatementResult> {
    const { supposed } = this.options.prepared
    return supposed === undefined || this.options.idempotencyKey !== undefined ? this.runKnown(index) : this.runSupposed(supposed, index)
  }

  /** The statement as it is supposed to be; where that is wrong, as it is. */
  private async runSupposed(statement: ScannedStatement, index: number): Promise<StatementResult> {
    const { engine, planOf } = this.runner
    const { prepared: { text }, parameters } = this.options
    const values = { text, statement, parameters }
    const result = await againWhenChanged(engine, () => {
      const plan = planned(planOf, values, engine)
      return plan instanceof LsmtError || plan.kind !== 'insert' ? undefined : insertSupposed(engine, plan, this.execution(values))
    })
    return result ?? (await this.runKnown(index))
  }

  private runKnown(index: number): StatementResult | Promise<StatementResult> {
    const values = this.valuesOf(index)
    const { idempotencyKey } = this.options
    // Who may not write has nothing to repeat.
    if (idempotencyKey !== undefined && refusalOf(this.runner, this.options) === undefined) return this.nextKeyed(idempotencyKey, values, index)
    return this.transaction === undefined ? this.runAlone(values, index) : this.runWithin(this.transaction, values)
  }

  /** Rolls back a transaction that was not committed. */
  close(): void {
    this.rollback()
    this.keyed?.release()
    this.keyed = undefined
  }

  private rollback(): void {
    this.transaction?.rollback()
    this.transaction = undefined
  }

  private valuesOf(index: number): Values {
    const { prepared: { text, statements }, parameters } = this.options
    return { text, statement: statements[index]!, parameters }
  }

  private runAlone(values: Values, index: number): StatementResult | Promise<StatementResult> {
    const { engine, planOf } = this.runner
    const first = planOf(values, engine)
    // It reads the row that there is in this very turn, or a snapshot of now.
    if (first.kind === 'get') return runPlan(engine, first, this.execution(values))
    return againWhenChanged(engine, () => {
      const plan = planOf(values, engine)
      if (plan.kind === 'transaction') return this.begin(values, plan.statement, index)
      if (this.keyed !== undefined && writes(plan) && values.statement.explain?.analyze !== false) return this.runRecorded(this.keyed, plan, values, index)
      return runPlan(engine, plan, this.execution(values))
    })
  }

  private async begin(values: Values, statement: TransactionStatement, index: number): Promise<StatementResult> {
    if (statement.kind !== 'begin') throw errorAt(originOf(values), 0, '25P01', 'no transaction is open', withinText)
    countStatement(this.runner.counts, 'transaction')
    const { prepared: { statements }, signal } = this.options
    const following = statements.slice(this.index).map((_, i) => this.valuesOf(this.index + i))
    const block = blockOf(this.runner, values, following)
    this.recording = this.keyed?.transactionSession(this.index + block.length)
    this.transaction = await beginTransaction(this.recording === undefined ? this.runner : { ...this.runner, engine: this.recording }, block, statement.readOnly, signal)
    const result: StatementResult = { kind: 'transaction', isCommit: false }
    return this.keyed === undefined ? result : this.keyed.keep(index, result)
  }

  private async runWithin(transaction: OpenTransaction, values: Values): Promise<StatementResult> {
    try {
      const result = await transaction.run(values, this.execution(values))
      if (transaction.isOver) this.transaction = undefined
      return result
    } catch (error) {
      this.rollback()
      throw error
    }
  }

  private async nextKeyed(key: string, values: Values, index: number): Promise<StatementResult> {
    const { prepared: { text }, parameters, signal } = this.options
    this.keyed ??= await KeyedText.take(this.runner.engine, key, fingerprintOf(text, parameters), signal)
    const { keyed, transaction } = this
    const known = keyed.answerTo(index)
    if (known !== undefined) return known
    if (transaction === undefined) return await this.runAlone(values, index)
    const result = await this.runWithin(transaction, values)
    if (!transaction.isOver) return keyed.keep(index, result)
    if (this.isCommit(values)) await keyed.committed(index, this.recording?.isRecorded === true)
    return result
  }

  private isCommit(values: Values): boolean {
    const plan = this.runner.planOf(values, this.runner.engine)
    return plan.kind === 'transaction' && plan.statement.kind === 'commit'
  }

  private async runRecorded(keyed: KeyedText, plan: WritingPlan, values: Values, index: number): Promise<StatementResult> {
    if (values.statement.explain !== undefined) throw errorAt(originOf(values), 0, '0A000', 'EXPLAIN ANALYZE of a write with an idempotency key is not supported', 'what it answers is known only when the write is done')
    const columns = ('returning' in plan ? plan.returning?.output : undefined) ?? []
    const kind = plan.kind === 'insert' || plan.kind === 'update' || plan.kind === 'delete' ? 'write' : 'schema'
    return await keyed.write(index, { kind, columns }, (session, { willReturn, visible }) => runPlan(session, plan, { ...this.execution(values), willReturn, stages: { engine: this.runner.engine, visible } }))
  }

  private execution(values: Values): Execution {
    const { clock, limits, counts, staging } = this.runner
    return { values, signal: this.options.signal, requests: this.options.requests, clock, limits, counts, stages: this.transaction === undefined ? staging : undefined }
  }
}

/** Why statements that write are refused; undefined when they are not. */
function refusalOf({ engine }: TextRunner, { mayWrite }: TextRunOptions): WriteRefusal | undefined {
  if (!mayWrite) return notAllowed
  return engine.isReadOnly === true ? onReadOnlyNode : undefined
}
