/**
 * All rows or none. A first batch that is the only one is one statement. Otherwise all go to a staged table, whose rows
 * join the table's at the end: by taking its place when that costs no more than writing them, that is when the table is
 * empty or the rows are more than a transaction may write; by one transaction otherwise, so that a small import does not
 * copy a large table.
 */
import type { Engine } from '../../engine/engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import { LsmtError } from '../../errors.ts'
import type { RowBatch } from './row-batch.ts'
import { repeatedKeyErrors, repeatedKeys } from './row-target.ts'
import type { ImportMode, RowTarget } from './row-target.ts'
import type { LineError } from './source-record.ts'

const firstBatchBytes = 16 * 1024 * 1024
const batchBytes = 4 * 1024 * 1024

interface WholeState {
  readonly engine: Engine
  readonly table: TableSchema
  readonly mode: ImportMode
  /** The first batch, until another one comes. */
  held: RowBatch | undefined
  staged: TableSchema | undefined
}

export function writeAtOnce(engine: Engine, table: TableSchema, mode: ImportMode): RowTarget {
  const state: WholeState = { engine, table, mode, held: undefined, staged: undefined }
  let isFirst = true
  return {
    get batchBytes() {
      return isFirst ? firstBatchBytes : batchBytes
    },
    async write(batch) {
      if (isFirst) {
        isFirst = false
        state.held = batch
        return []
      }
      return [...(await stageHeld(state)), ...(await insertInto(state, state.staged!, batch))]
    },
    async finish() {
      if (state.staged !== undefined) await join(state, state.staged)
      const { held } = state
      state.held = undefined
      return held === undefined ? [] : await insertInto(state, table, held)
    },
    async abandon() {
      const { staged } = state
      state.held = undefined
      state.staged = undefined
      if (staged !== undefined) await engine.dropStaged(staged)
    },
  }
}

async function stageHeld(state: WholeState): Promise<readonly LineError[]> {
  state.staged ??= await state.engine.stageTable(state.table)
  const { held } = state
  state.held = undefined
  return held === undefined ? [] : await insertInto(state, state.staged, held)
}

/** The lines whose keys stood before them already, if there are any: nothing is written then. */
async function insertInto({ engine, mode }: WholeState, table: TableSchema, batch: RowBatch): Promise<readonly LineError[]> {
  try {
    await engine.insertColumns(table, batch.columns, mode)
    return []
  } catch (error) {
    if (!(error instanceof LsmtError) || error.code !== '23505') throw error
    return repeatedKeyErrors(table, batch, await repeatedKeys(engine, table, batch))
  }
}

async function join(state: WholeState, staged: TableSchema): Promise<void> {
  const { engine, table, mode } = state
  if ((await isEmpty(engine, table)) || !(await joinByTransaction(state, staged))) {
    await engine.publishStaged(staged, table, mode)
    state.staged = undefined
  }
}

async function isEmpty(engine: Engine, table: TableSchema): Promise<boolean> {
  const snapshot = engine.snapshot()
  try {
    for await (const rows of engine.scan(snapshot, { table, ordered: false, columns: [], predicate: [], limit: 1 })) if (rows.length > 0) return false
    return true
  } finally {
    snapshot.release()
  }
}

/** False when the rows are too many. */
async function joinByTransaction({ engine, table, mode }: WholeState, staged: TableSchema): Promise<boolean> {
  const transaction = await engine.begin(() => [table])
  const snapshot = transaction.snapshot()
  try {
    for await (const rows of transaction.scan(snapshot, { table: staged, ordered: table.hiddenKey, columns: visibleAndDropped(table), predicate: [] })) await transaction.insert(table, rows, mode)
    await transaction.commit()
    return true
  } catch (error) {
    if (error instanceof LsmtError && error.code === '54000') return false
    throw error
  } finally {
    snapshot.release()
    transaction.rollback()
  }
}

/** All but the hidden key: dropped columns are null in rows that were staged just now. */
function visibleAndDropped(table: TableSchema): readonly number[] {
  const ordinals = table.columns.map((_, ordinal) => ordinal)
  return table.hiddenKey ? ordinals.slice(1) : ordinals
}
