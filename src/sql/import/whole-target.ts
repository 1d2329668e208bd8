/**
 * All rows or none. A first batch that is the only one is one statement, if it fits into one. Otherwise all go to a staged
 * table, whose rows become rows of the table in one step at the end: by files of its own while they come in the order of
 * their keys, and as written to any table from the first batch on that does not.
 */
import type { Engine, EngineColumns } from '../../engine/engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import type { StagedIngest } from '../../engine/write/ingest/staged-ingest.ts'
import { LsmtError } from '../../errors.ts'
import { sliceRows } from './row-batch.ts'
import type { RowBatch } from './row-batch.ts'
import { isEmpty, joinStaged } from '../execute/queried/join-staged.ts'
import { repeatedKeyErrors, repeatedKeys } from './row-target.ts'
import type { ImportMode, RowTarget, VisibleRows } from './row-target.ts'
import type { LineError } from './source-record.ts'

const firstBatchBytes = 16 * 1024 * 1024
/** Where rows can go to files at once, and nothing has to be copied at the end, that takes no longer than a statement of so many. */
const firstIngestedBytes = 4 * 1024 * 1024
/** A thread that writes files takes as long to start as the rest of a first batch takes to be read. */
const expectedIngestBytes = 1024 * 1024
/** What is staged is many statements: some are read while another waits for the disk, and builders keep buffers of this size. */
const batchBytes = 2 * 1024 * 1024
/** Batches that are read while others are written: as long as these are slower for a while, reading goes on. */
const batchesAhead = 4

interface WholeState {
  readonly engine: Engine
  readonly table: TableSchema
  readonly mode: ImportMode
  readonly visible: () => VisibleRows
  /** Of the first batch. */
  readonly firstBytes: number
  /** The first batch, until another one comes. */
  held: RowBatch | undefined
  staged: TableSchema | undefined
  /** By which staged rows go to files, as long as they come in the order of their keys. */
  ingest: StagedIngest<EngineColumns> | undefined
  /** Batches that are written one after the other, oldest first, with the lines of each whose keys stood before them already. */
  readonly writing: Promise<readonly LineError[]>[]
  /** What waits to be written is not wanted any more. */
  isAbandoned: boolean
}

export async function writeAtOnce(engine: Engine, table: TableSchema, mode: ImportMode, visible: () => VisibleRows): Promise<RowTarget> {
  const firstBytes = engine.ingestStaged !== undefined && (await isEmpty(engine, table)) ? firstIngestedBytes : firstBatchBytes
  const state: WholeState = { engine, table, mode, visible, firstBytes, held: undefined, staged: undefined, ingest: undefined, writing: [], isAbandoned: false }
  let isFirst = true
  return {
    get batchBytes() {
      return isFirst ? firstBytes : batchBytes
    },
    noteRead(byteLength) {
      if (isFirst && firstBytes === firstIngestedBytes && byteLength >= expectedIngestBytes) engine.expectIngest?.()
    },
    async write(batch) {
      if (isFirst) {
        isFirst = false
        state.held = batch
        return []
      }
      stageHeld(state)
      beginWriting(state, batch)
      const errors = await written(state, batchesAhead)
      // Once a line is wrong nothing will be visible; what else is wrong is told at once.
      return errors.length === 0 ? errors : [...errors, ...(await written(state))]
    },
    async finish() {
      const errors = [...(await insertHeld(state)), ...(await written(state))]
      if (state.staged !== undefined && errors.length === 0) {
        await endIngest(state)
        await joinStaged(engine, visible(), state.staged, table, mode)
      }
      if (errors.length === 0) state.staged = undefined
      return errors
    },
    async abandon() {
      state.held = undefined
      state.isAbandoned = true
      // What failed there was told, or is followed by what made the import end.
      await Promise.allSettled(state.writing.splice(0))
      const { staged } = state
      state.staged = undefined
      await state.ingest?.abandon()
      if (staged !== undefined) await engine.dropStaged(staged)
    },
  }
}

/** Writes a batch after those before it; none after one that failed. */
function beginWriting(state: WholeState, batch: RowBatch): void {
  const before = state.writing.at(-1) ?? Promise.resolve()
  const writing = before.then(() => (state.isAbandoned ? [] : insertStaged(state, batch)))
  // Whoever waits for it hears of a failure; until then nobody may.
  writing.catch(() => {})
  state.writing.push(writing)
}

/** All but the last `countMax` batches are written; the lines of these whose keys stood before them already. */
async function written({ writing }: WholeState, countMax = 0): Promise<readonly LineError[]> {
  const errors: LineError[] = []
  while (writing.length > countMax) errors.push(...(await writing.shift()!))
  return errors
}

async function stage(state: WholeState): Promise<void> {
  if (state.staged !== undefined) return
  state.staged = await state.engine.stageTable(state.table)
  state.ingest = state.engine.ingestStaged?.(state.staged)
}

/** Begins to write the first batch, in pieces as large as later ones. */
function stageHeld(state: WholeState): void {
  const { held } = state
  state.held = undefined
  const rowCount = held?.lines.length ?? 0
  const pieceRows = Math.ceil((rowCount * batchBytes) / state.firstBytes)
  for (let from = 0; from < rowCount; from += pieceRows) beginWriting(state, sliceRows(held!, from, Math.min(rowCount, from + pieceRows)))
}

/** As one statement of the table itself; to a staged table when it is too large for one. */
async function insertHeld(state: WholeState): Promise<readonly LineError[]> {
  const { held, visible, table } = state
  if (held === undefined) return []
  try {
    const errors = await insertInto(state, visible(), table, held)
    state.held = undefined
    return errors
  } catch (error) {
    if (!isTooLarge(error) || held.lines.length === 1) throw error
    stageHeld(state)
    return await written(state)
  }
}

/** What was ingested is in the staged table; what follows is written as to any other. */
async function endIngest(state: WholeState): Promise<void> {
  await state.ingest?.finish()
  state.ingest = undefined
}

/** Nobody sees these rows yet, so that they may be several statements. */
async function insertStaged(state: WholeState, batch: RowBatch): Promise<readonly LineError[]> {
  await stage(state)
  if ((await state.ingest?.add(batch.columns)) === true) return []
  await endIngest(state)
  try {
    return await insertInto(state, state.engine, state.staged!, batch)
  } catch (error) {
    const half = Math.ceil(batch.lines.length / 2)
    if (!isTooLarge(error) || half === batch.lines.length) throw error
    return [...(await insertStaged(state, sliceRows(batch, 0, half))), ...(await insertStaged(state, sliceRows(batch, half)))]
  }
}

const isTooLarge = (error: unknown): boolean => error instanceof LsmtError && error.code === '54000'

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
