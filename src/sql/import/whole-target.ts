/**
 * All rows or none. A first batch that is the only one is one statement. Otherwise all go to a staged table, whose rows
 * become rows of the table in one step at the end.
 */
import type { Engine } from '../../engine/engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import { LsmtError } from '../../errors.ts'
import type { RowBatch } from './row-batch.ts'
import { joinStaged } from '../execute/queried/join-staged.ts'
import { repeatedKeyErrors, repeatedKeys } from './row-target.ts'
import type { ImportMode, RowTarget, VisibleRows } from './row-target.ts'
import type { LineError } from './source-record.ts'

const firstBatchBytes = 16 * 1024 * 1024
const batchBytes = 4 * 1024 * 1024

interface WholeState {
  readonly engine: Engine
  readonly table: TableSchema
  readonly mode: ImportMode
  readonly visible: () => VisibleRows
  /** The first batch, until another one comes. */
  held: RowBatch | undefined
  staged: TableSchema | undefined
}

export function writeAtOnce(engine: Engine, table: TableSchema, mode: ImportMode, visible: () => VisibleRows): RowTarget {
  const state: WholeState = { engine, table, mode, visible, held: undefined, staged: undefined }
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
      return [...(await stageHeld(state)), ...(await insertInto(state, engine, state.staged!, batch))]
    },
    async finish() {
      if (state.staged !== undefined) await joinStaged(engine, visible(), state.staged, table, mode)
      state.staged = undefined
      const { held } = state
      state.held = undefined
      return held === undefined ? [] : await insertInto(state, visible(), table, held)
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
  return held === undefined ? [] : await insertInto(state, state.engine, state.staged, held)
}

/** The lines whose keys stood before them already, if there are any: nothing is written then. */
async function insertInto({ engine, mode }: WholeState, session: Pick<VisibleRows, 'insertColumns'>, table: TableSchema, batch: RowBatch): Promise<readonly LineError[]> {
  try {
    await session.insertColumns(table, batch.columns, mode)
    return []
  } catch (error) {
    if (!(error instanceof LsmtError) || error.code !== '23505') throw error
    return repeatedKeyErrors(table, batch, await repeatedKeys(engine, table, batch))
  }
}
