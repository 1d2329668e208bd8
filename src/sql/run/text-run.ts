/**
 * The statements of one text, run one after the other. A transaction begins and ends within its text: nothing outlives
 * the run, which must be closed however it ended.
 */
import type { Engine } from '../../engine/engine.ts'
import { againWhenChanged } from '../../engine/tables/again-when-changed.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { CancelSignal } from '../cancel.ts'
import { runPlan } from '../explain/explain.ts'
import type { Execution } from '../execute/execute-select.ts'
import type { QueryLimits } from '../operator/query-run.ts'
import { errorAt, originOf } from '../origin.ts'
import type { StatementResult } from '../result.ts'
import type { ScannedStatement } from '../scan/scan-state.ts'
import type { SqlParameters } from '../slot.ts'
import type { TransactionStatement } from '../syntax/transaction.ts'
import type { Values } from '../value/values.ts'
import { beginTransaction, blockOf, withinText } from './open-transaction.ts'
import type { OpenTransaction, PlanOf } from './open-transaction.ts'
import { readingOnly } from './reading-only.ts'
import { checkRowsOnce, planRowsOnce } from './rows-once.ts'

/** A text taken apart: how many statements it has is known before the first one runs. */
export interface PreparedText {
  readonly text: string
  readonly statements: readonly ScannedStatement[]
}

/** What all runs share. */
export interface TextRunner {
  readonly engine: Engine
  readonly clock: Clock
  readonly limits: QueryLimits
  readonly planOf: PlanOf
}

export interface TextRunOptions {
  readonly prepared: PreparedText
  readonly parameters: SqlParameters | undefined
  readonly signal: CancelSignal | undefined
  /** False refuses statements that write: 42501. */
  readonly mayWrite: boolean
  readonly oneWithRows: boolean
}

export class TextRun {
  private readonly runner: TextRunner
  private readonly options: TextRunOptions
  private index = 0
  private transaction: OpenTransaction | undefined

  constructor(runner: TextRunner, options: TextRunOptions) {
    const { mayWrite, oneWithRows, prepared: { statements } } = options
    const planOf = mayWrite ? runner.planOf : readingOnly(runner.planOf)
    this.runner = { ...runner, planOf: oneWithRows ? planRowsOnce(planOf) : planOf }
    this.options = options
    if (oneWithRows && statements.length > 1) checkRowsOnce(planOf, statements.map((_, index) => this.valuesOf(index)), runner.engine)
  }

  /** Runs the next statement; its result must be consumed before another is asked for. undefined after the last one. */
  async next(): Promise<StatementResult | undefined> {
    if (this.index >= this.options.prepared.statements.length) return undefined
    const values = this.valuesOf(this.index++)
    return this.transaction === undefined ? await this.runAlone(values) : await this.runWithin(this.transaction, values)
  }

  /** Rolls back a transaction that was not committed. */
  close(): void {
    this.transaction?.rollback()
    this.transaction = undefined
  }

  private valuesOf(index: number): Values {
    const { prepared: { text, statements }, parameters } = this.options
    return { text, statement: statements[index]!, parameters }
  }

  private runAlone(values: Values): Promise<StatementResult> {
    const { engine, planOf } = this.runner
    return againWhenChanged(engine, () => {
      const plan = planOf(values, engine)
      return plan.kind === 'transaction' ? this.begin(values, plan.statement) : runPlan(engine, plan, this.execution(values))
    })
  }

  private async begin(values: Values, statement: TransactionStatement): Promise<StatementResult> {
    if (statement.kind !== 'begin') throw errorAt(originOf(values), 0, '25P01', 'no transaction is open', withinText)
    const { prepared: { statements }, signal } = this.options
    const following = statements.slice(this.index).map((_, i) => this.valuesOf(this.index + i))
    this.transaction = await beginTransaction(this.runner, blockOf(this.runner, values, following), statement.readOnly, signal)
    return { kind: 'transaction', isCommit: false }
  }

  private async runWithin(transaction: OpenTransaction, values: Values): Promise<StatementResult> {
    try {
      const result = await transaction.run(values, this.execution(values))
      if (transaction.isOver) this.transaction = undefined
      return result
    } catch (error) {
      this.close()
      throw error
    }
  }

  private execution(values: Values): Execution {
    const { clock, limits } = this.runner
    return { values, signal: this.options.signal, clock, limits }
  }
}
