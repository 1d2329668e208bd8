/**
 * The rows of INSERT … SELECT, however many. Those of one batch are a statement like any other. More go to a staged table
 * as they come, and become part of the table in one step at the end; within a transaction, and where existing rows are
 * kept, they are read to the end first, spilled where memory has no room, and then written batch by batch.
 */
import type { Engine, EngineRow, EngineSession, StagedWriteMode, WriteMode } from '../../../engine/engine.ts'
import type { TableSchema } from '../../../engine/schema.ts'
import type { Batch, QueryRun } from '../../operator/query-run.ts'
import { rowBytes } from '../../operator/spill/query-memory.ts'
import type { MemoryShare } from '../../operator/spill/query-memory.ts'
import { createRowStore } from '../../operator/spill/row-store.ts'
import { joinStaged } from './join-staged.ts'
import type { Staging } from './staging.ts'
import type { ReadStats } from '../../../lsm/tree.ts'

/** In memory; a statement may write several times as many bytes. */
const firstBatchBytes = 16 * 1024 * 1024
/** Of memtables that a snapshot may keep: beside so little there is room to write, however small the memory for them. */
const keptBytesMax = 1024 * 1024
const batchBytes = 4 * 1024 * 1024

export interface QueriedInsert {
  readonly run: QueryRun
  readonly table: TableSchema
  readonly mode: WriteMode
  /** Absent within a transaction. */
  readonly stages: Staging | undefined
}

/** Returns rows changed. All are written or none; within a transaction the caller ends it when this fails. `query` begins on a snapshot of its own. */
export async function insertQueried(insert: QueriedInsert, query: () => AsyncIterable<Batch>): Promise<number> {
  // The query's snapshot keeps what it finds in memtables, also when they are flushed meanwhile.
  const keepsMuch = insert.stages !== undefined && memtableBytesOf(insert.stages.engine) > keptBytesMax
  return (await insertRows(insert, query(), keepsMuch)) ?? (await insertRows(insert, query(), false))!
}

/** Undefined where `flushesFirst` and the rows are many: the memtables were flushed, and the rows are to be read anew. Nothing was written. */
async function insertRows({ run, table, mode, stages }: QueriedInsert, rows: AsyncIterable<Batch>, flushesFirst: boolean): Promise<number | undefined> {
  const share = run.memoryOfWrite.share()
  const batches = inBatches(rows, run, share)
  try {
    const first = await batches.next()
    if (first.done === true) return 0
    const second = await batches.next()
    if (second.done === true) return await run.engine.insert(table, first.value, mode, run.stats)
    // With so much of the memtables kept by its snapshot there would be no room to write.
    if (flushesFirst && stages !== undefined) {
      await batches.return(undefined)
      await stages.engine.flush()
      return undefined
    }
    const all = following([first.value, second.value], batches, share)
    if (stages !== undefined && mode !== 'insert-or-ignore') return await insertStaged(stages, table, mode, all)
    const store = createRowStore(run, run.memory.share())
    for await (const batch of all) await store.append(batch)
    return stages === undefined ? await insertEach(run.engine, table, mode, store.read(), run.stats) : await insertAtOnce(stages, table, mode, store.read(), run.stats)
  } finally {
    await batches.return(undefined)
    share.give(share.usedBytes)
  }
}

function memtableBytesOf(engine: Engine): number {
  return engine.stats().shards.reduce((sum, { memtableBytes }) => sum + memtableBytes, 0)
}

/** Rows in batches of so many bytes; each counts as held until it is given back. */
async function* inBatches(rows: AsyncIterable<Batch>, run: QueryRun, share: MemoryShare): AsyncGenerator<Batch, undefined> {
  let bytesMax = Math.min(firstBatchBytes, run.memory.bytesMax / 4)
  let batch: EngineRow[] = []
  let bytes = 0
  for await (const part of rows) {
    for (const row of part) {
      const own = rowBytes(row)
      share.need(own)
      bytes += own
      batch.push(row)
      if (bytes < bytesMax) continue
      yield batch
      batch = []
      bytes = 0
      bytesMax = Math.min(batchBytes, run.memory.bytesMax / 16)
    }
  }
  if (batch.length > 0) yield batch
}

/** The batches that are there and those that follow; one is given back when the next is asked for. */
async function* following(held: Batch[], more: AsyncGenerator<Batch>, share: MemoryShare): AsyncGenerator<Batch> {
  try {
    for (let batch = held.shift(); batch !== undefined; batch = held.shift() ?? await nextOf(more)) {
      yield batch
      share.give(batch.reduce((sum, row) => sum + rowBytes(row), 0))
    }
  } finally {
    // With it the query lets go of its snapshot, which may keep the memory that is needed to clear up.
    await more.return(undefined)
  }
}

async function nextOf(batches: AsyncGenerator<Batch>): Promise<Batch | undefined> {
  const next = await batches.next()
  return next.done === true ? undefined : next.value
}

async function insertStaged({ engine, visible }: Staging, table: TableSchema, mode: StagedWriteMode, batches: AsyncIterable<Batch>): Promise<number> {
  const staged = await engine.stageTable(table)
  let isJoined = false
  try {
    // The memtables of now are kept by the query's snapshot: what is written goes to others.
    await engine.flush()
    const count = await insertEach(engine, staged, mode, batches)
    await joinStaged(engine, visible(() => count), staged, table, mode)
    isJoined = true
    return count
  } finally {
    if (!isJoined) await engine.dropStaged(staged)
  }
}

async function insertAtOnce({ visible }: Staging, table: TableSchema, mode: WriteMode, batches: AsyncIterable<Batch>, stats: ReadStats): Promise<number> {
  let count = 0
  const transaction = await visible(() => count).begin(() => [table])
  try {
    count = await insertEach(transaction, table, mode, batches, stats)
    await transaction.commit()
    return count
  } finally {
    transaction.rollback()
  }
}

async function insertEach(engine: EngineSession, table: TableSchema, mode: WriteMode, batches: AsyncIterable<Batch>, stats?: ReadStats): Promise<number> {
  let count = 0
  for await (const batch of batches) count += await engine.insert(table, batch, mode, stats)
  return count
}
