/**
 * A transaction whose statements and operations by key come one by one, from a program that looks at what they give. The
 * tables that it writes are told when it begins, so they are locked before its first read, as those of a text are; what
 * would write another one is refused (25006).
 */
import type { EngineCatalog, EngineTransaction } from '../../engine/engine.ts'
import type { KeyedEngine } from '../../engine/keyed/keyed-engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import { createTurns } from '../../engine/session/turns.ts'
import type { Turns } from '../../engine/session/turns.ts'
import { LsmtError } from '../../errors.ts'
import { checkCancelled } from '../cancel.ts'
import type { CancelSignal } from '../cancel.ts'
import { collect } from '../collect.ts'
import type { RowsAs } from '../collect.ts'
import { countStatement } from '../execute/execute-select.ts'
import { errorAt, originOf } from '../origin.ts'
import type { Plan } from '../plan.ts'
import type { Collected } from '../result.ts'
import type { PreparedText } from '../scan/supposed-text.ts'
import { checkParameterCount } from '../slot.ts'
import type { SqlParameters } from '../slot.ts'
import type { Values } from '../value/values.ts'
import { openTransaction, planned, takeTables } from './open-transaction.ts'
import type { OpenTransaction } from './open-transaction.ts'
import { writes } from './reading-only.ts'
import type { TextRunner } from './text-run.ts'

/** It must come to one of the two ends, since it keeps memory and locks until then. */
export interface StepwiseTransaction {
  /** For tables by key. */
  readonly engine: KeyedEngine
  /** The statements of a text: all of them, or nothing of it is written. */
  queryAs<Row>(rowsAs: RowsAs<Row>, prepared: PreparedText, parameters?: SqlParameters): Promise<readonly Collected<Row>[]>
  /** Lets what was started end; durable as set when it resolves. */
  commit(): Promise<void>
  /** What was started and has not begun fails with the reason. Does nothing after the end. */
  rollback(reason: unknown): Promise<void>
}

/** Waits for the tables. 42P01 when there is no such table. The signal stops whatever runs, and the commit if it has not begun. */
export async function beginStepwise(runner: TextRunner, tables: readonly string[], signal: CancelSignal): Promise<StepwiseTransaction> {
  countStatement(runner.counts, 'transaction')
  const session = await takeTables(runner.engine, (catalog) => tables.map((name) => tableOf(catalog, name)), signal)
  const turns = createTurns(session)
  const open = openTransaction(session, runner, false)
  return {
    engine: keyedEngine(session, turns, signal),
    async queryAs(rowsAs, { text, statements }, parameters) {
      turns.assertOpen()
      checkParameterCount(parameters, statements)
      const texts = statements.map((statement): Values => ({ text, statement, parameters }))
      const writing = texts.some((values) => isWriting(planned(runner.planOf, values, session)))
      const run = () => runAll({ runner, session, signal, open }, texts, rowsAs)
      return writing ? await turns.write(run) : await turns.read(run)
    },
    async commit() {
      await turns.end()
      checkCancelled(signal)
      await session.commit()
    },
    async rollback(reason) {
      try {
        await turns.end(reason)
      } finally {
        session.rollback()
      }
    },
  }
}

function tableOf(catalog: EngineCatalog, name: string): TableSchema {
  const table = catalog.table(name)
  if (table === undefined) throw new LsmtError('42P01', `table "${name}" does not exist`)
  return table
}

/** Whether it changes what others read, or which of it stays. */
function isWriting(plan: Plan | LsmtError): boolean {
  return !(plan instanceof LsmtError) && (plan.kind === 'transaction' || writes(plan))
}

interface Steps {
  readonly runner: TextRunner
  readonly session: EngineTransaction
  readonly signal: CancelSignal
  readonly open: OpenTransaction
}

async function runAll<Row>({ runner, session, signal, open }: Steps, texts: readonly Values[], rowsAs: RowsAs<Row>): Promise<readonly Collected<Row>[]> {
  const restoreSavepoints = open.keepSavepoints()
  const { clock, limits, counts } = runner
  const results: Collected<Row>[] = []
  try {
    for (const values of texts) {
      checkCancelled(signal)
      refuseEnd(runner.planOf(values, session), values)
      results.push(await collect(await open.run(values, { values, signal, clock, limits, counts, stages: undefined }), rowsAs))
    }
    return results
  } catch (error) {
    restoreSavepoints()
    throw error
  }
}

function refuseEnd(plan: Plan, values: Values): void {
  if (plan.kind !== 'transaction' || (plan.statement.kind !== 'commit' && plan.statement.kind !== 'rollback')) return
  throw errorAt(originOf(values), 0, '0A000', `${plan.statement.kind.toUpperCase()} within a transaction of a function`, 'it is committed when its function is done, and rolled back when that throws')
}

/** Its newest state is the transaction's; it scans that as it is when the scan begins. */
function keyedEngine(session: EngineTransaction, turns: Turns, signal: CancelSignal): KeyedEngine {
  return {
    table: session.table,
    catalogVersion: session.catalogVersion,
    // The transaction keeps the catalog of its beginning.
    catalogSettled: async () => {},
    snapshot() {
      turns.assertOpen()
      return session.snapshot()
    },
    rowsByKey(...given) {
      const rows = session.rowsByKey(...given)
      return {
        get(...read) {
          turns.assertOpen()
          return rows.get(...read)
        },
      }
    },
    scan: (_, scan, stats) => turns.stream(() => session.scan(session.snapshot(), { signal, ...scan }, stats)),
    insert: (...given) => turns.write(() => session.insert(...given)),
    insertColumns: (...given) => turns.write(() => session.insertColumns(...given)),
    write: (...given) => turns.write(() => session.write(...given)),
    deleteRange: (...given) => turns.write(() => session.deleteRange(...given)),
  }
}
