/** INSERT over an engine. */
import { checkRow } from '../../engine/check-value.ts'
import type { EngineRow, EngineSession, EngineValue } from '../../engine/engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import type { Batch, QueryRun } from '../operator/query-run.ts'
import { rowBytes } from '../operator/spill/query-memory.ts'
import type { ComputedTuples, InsertPlan, QueryPlan } from '../plan.ts'
import { withPosition } from '../position.ts'
import { areRowsHere, newQueryStats } from '../result.ts'
import type { RowsResult, WriteResult } from '../result.ts'
import { tupleSlots } from '../scan/shape.ts'
import { slotKind } from '../slot.ts'
import type { Operand } from '../operand.ts'
import type { Assign } from '../value/assign.ts'
import { assignOperand } from '../value/values.ts'
import type { Values } from '../value/values.ts'
import { insertOrChange } from './insert-or-change.ts'
import { nowOf } from './execute-select.ts'
import type { Execution } from './execute-select.ts'
import { insertText } from './insert-text.ts'
import { insertQueried } from './queried/insert-queried.ts'
import { rowValue } from './row-changes.ts'
import { atGivenValue } from './value-places.ts'
import { returnedRows, takeSnapshot, withRun, workOn, written } from './write-run.ts'

/** Runs the query of an INSERT … SELECT. */
export type RunQuery = (plan: QueryPlan) => Promise<RowsResult>

export async function executeInsert(engine: EngineSession, given: InsertPlan, execution: Execution, runQuery: RunQuery): Promise<WriteResult> {
  const plan = given.clockDefaults.size === 0 ? given : withDefaultsAt(given, nowOf(execution))
  const { table, query, computed, onConflict, returning, mode } = plan
  const { values } = execution
  const stats = execution.requests && newQueryStats(execution.requests)
  let rows: readonly EngineRow[] = []
  try {
    const taken = insertText(engine, plan, values, stats)
    const count = taken && (await taken)
    if (count !== undefined) return written(count)
    if (query === undefined && computed === undefined) rows = givenRows(plan, values)
    if (query === undefined && computed === undefined && onConflict === undefined && returning === undefined) return written(await engine.insert(table, rows, mode, stats))
    return await withRun(engine, execution, async (run) => {
      if (query !== undefined && returning === undefined && onConflict === undefined) return written(await insertQueried({ run, table, mode, stages: execution.stages }, () => queriedRows(plan, query, runQuery)))
      if (query !== undefined) rows = await heldRows(queriedRows(plan, query, runQuery), run)
      else if (computed !== undefined) rows = await computedRows(plan, computed, run)
      if (returning === undefined && onConflict === undefined) return written(await engine.insert(table, rows, mode, stats))
      return await insertKnowing(plan, rows.map((row) => checkedRow(table, row)), run)
    })
  } catch (error) {
    throw atGivenValue(error, plan, rows, values)
  }
}

/** The plan with the defaults that hold at a time. */
function withDefaultsAt(plan: InsertPlan, nowMicros: number): InsertPlan {
  return { ...plan, sources: plan.sources.map((source, position) => ({ ...source, default: plan.clockDefaults.get(position)?.(nowMicros) ?? source.default })) }
}

/** The row as the engine will store it, without the hidden key. The engine gives it back as the same object. */
function checkedRow(table: TableSchema, row: EngineRow): EngineRow {
  return table.hiddenKey ? checkRow(table, [0, ...row]).slice(1) : checkRow(table, row)
}

/** Inserts and tells what became of each row. */
async function insertKnowing(plan: InsertPlan, rows: readonly EngineRow[], run: QueryRun): Promise<WriteResult> {
  const { table, mode, onConflict, returning } = plan
  const { engine } = run
  const whole = (row: EngineRow): EngineRow => (table.hiddenKey ? [null, ...row] : row)
  if (onConflict !== undefined || mode === 'insert-or-ignore') return await insertOrChange(plan, rows, run)
  if (returning?.work !== undefined) takeSnapshot(run)
  const returned = await returnedRows(run, returning, rows.map(whole))
  run.willReturn?.(() => returned)
  return written(await engine.insert(table, rows, mode, run.stats), returning, returned)
}

function givenRows(plan: InsertPlan, values: Values): readonly EngineRow[] {
  return plan.tuples.length === 1 ? repeatedRows(plan, plan.tuples[0]!, values) : plan.tuples.map((tuple) => rowOf(plan, tuple, values, 0))
}

/** The query's rows as those of the table. */
async function* queriedRows({ sources }: InsertPlan, { plan, assign }: NonNullable<InsertPlan['query']>, runQuery: RunQuery): AsyncGenerator<Batch> {
  const { rows } = await runQuery(plan)
  for await (const batch of areRowsHere(rows) ? [rows] : rows) {
    yield batch.map((row) => sources.map((source) => (source.index < 0 ? source.default : assign[source.index]!(row[source.index]!))))
  }
}

/** All rows, where what becomes of them is asked of the statement: only the memory of all queries limits them. */
async function heldRows(batches: AsyncIterable<Batch>, run: QueryRun): Promise<readonly EngineRow[]> {
  const rows: EngineRow[] = []
  const memory = run.memoryOfWrite.share()
  for await (const batch of batches) {
    for (const row of batch) {
      memory.need(rowBytes(row))
      rows.push(row)
    }
  }
  return rows
}

/** Tuples with expressions, worked out before anything is written. */
async function computedRows({ sources }: InsertPlan, { tuples, work }: ComputedTuples, run: QueryRun): Promise<readonly EngineRow[]> {
  let over: EngineRow = []
  if (work !== undefined) {
    takeSnapshot(run)
    for await (const row of workOn(run, work, [[]])) over = row
  }
  return tuples.map((tuple) => {
    const values = tuple.map((value) => value && rowValue(value, run))
    return sources.map((source) => {
      const valueOf = source.index < 0 ? undefined : values[source.index]
      return valueOf === undefined ? source.default : valueOf(over)
    })
  })
}

/** One tuple in the shape stands for as many as the text has. */
function repeatedRows(plan: InsertPlan, tuple: InsertPlan['tuples'][number], values: Values): EngineRow[] {
  const { text, statement } = values
  const all: Values = { ...values, statement: { ...statement, slots: tupleSlots(text, statement) } }
  const rows: EngineRow[] = []
  for (let index = 0; index < statement.tupleCount; index++) rows.push(rowOf(plan, tuple, all, index * tuple.length))
  return rows
}

function rowOf(plan: InsertPlan, tuple: InsertPlan['tuples'][number], values: Values, slotOffset: number): EngineRow {
  return plan.sources.map((source) => {
    const operand = source.index < 0 ? undefined : tuple[source.index]
    return operand === undefined ? source.default : assignValue(values, operand, slotOffset, source)
  })
}

/** Literals go straight from the scanner to the column's type. */
function assignValue(values: Values, operand: Operand, slotOffset: number, source: { readonly assign: Assign; readonly default: EngineValue }): EngineValue {
  const { assign } = source
  if (operand.kind === 'constant' || operand.negative) return assignOperand(values, slotOffset === 0 ? operand : shifted(operand, slotOffset), assign)
  const { kinds, values: literals, starts } = values.statement.slots
  const slot = operand.slot + slotOffset
  const kind = kinds[slot]!
  if (kind === slotKind.default) return source.default
  if (kind >= slotKind.parameter) return assignOperand(values, { kind: 'slot', slot, negative: false }, assign)
  try {
    return assign(kind, literals[slot]!)
  } catch (error) {
    throw withPosition(error, values.text, starts[slot]!)
  }
}

function shifted(operand: Operand, slotOffset: number): Operand {
  return operand.kind === 'constant' ? operand : { ...operand, slot: operand.slot + slotOffset }
}
