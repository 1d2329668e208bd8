/** The results of a text's statements, one after the other, in a format, as fast as the client reads them. */
import type { EngineRow } from '../../engine/engine.ts'
import { areRowsHere } from '../../sql/result.ts'
import type { QueryStats, StatementResult } from '../../sql/result.ts'
import type { ResultColumn } from '../../sql/plan.ts'
import type { TextRun } from '../../sql/run/text-run.ts'
import type { Chunk, CommitKind, ResultFormat, ResultSummary, RowEncoder } from './result-format.ts'

/** Where an answer goes. */
export interface AnswerSink {
  write(chunk: Chunk): void
  /** To be awaited, if there is something to await, before more is made; rejects when nobody wants it any more. */
  room(): Promise<void> | undefined
  /** Sends what there is, however little. */
  flush(): void
}

export interface AnswerWriter {
  readonly sink: AnswerSink
  readonly format: ResultFormat
  /** What a write is acknowledged with. */
  readonly commit: CommitKind
  readonly monotonicMs: () => number
  /** What queries read is added to it. */
  readonly reads?: QueryStats
}

/** The results of a text's statements; what needs no waiting is written at once. */
export function writeResults(writer: AnswerWriter, run: TextRun, statementCount: number): Promise<void> | undefined {
  if (!writer.format.takesAll) return writeOne(writer, run)
  return statementCount === 1 ? writeSingle(writer, run) : writeAll(writer, run, statementCount)
}

/** The result of the only statement, at once when nothing is to be waited for. */
function writeSingle(writer: AnswerWriter, run: TextRun): Promise<void> | undefined {
  const startMs = writer.monotonicMs()
  const result = run.next()!
  return result instanceof Promise ? result.then((given) => writeResult(writer, given, startMs)) : writeResult(writer, result, startMs)
}

/** The results of several statements stand in a list. */
async function writeAll(writer: AnswerWriter, run: TextRun, statementCount: number): Promise<void> {
  const { sink } = writer
  sink.write('{"results":[')
  for (let index = 0; index < statementCount; index++) {
    const startMs = writer.monotonicMs()
    if (index > 0) sink.write(',')
    await writeResult(writer, (await run.next())!, startMs)
  }
  sink.write(']}')
}

/** The result of the statement that gives rows, or else of the last one; the run refuses a second with rows. */
async function writeOne(writer: AnswerWriter, run: TextRun): Promise<void> {
  const { sink, format } = writer
  const startMs = writer.monotonicMs()
  let given: { readonly result: StatementResult; readonly rowCount: number } | undefined
  let last: StatementResult | undefined
  let isDurable = false
  for (let result = await run.next(); result !== undefined; result = await run.next()) {
    if (givesRows(result)) given = { result, rowCount: await writeRows(writer, result) }
    isDurable ||= isAcknowledged(result)
    last = result
  }
  if (given === undefined) sink.write(format.begin([]).head)
  const told = given?.result ?? last!
  const summary = summaryOf(writer, told, given?.rowCount ?? changedRows(last!), startMs)
  sink.write(format.end({ ...summary, commit: isDurable ? writer.commit : undefined }))
}

function givesRows(result: StatementResult): boolean {
  return (result.kind === 'rows' || result.kind === 'write') && result.columns.length > 0
}

function writeResult(writer: AnswerWriter, result: StatementResult, startMs: number): Promise<void> | undefined {
  const end = (rowCount: number): void => writer.sink.write(writer.format.end(summaryOf(writer, result, rowCount, startMs)))
  const rowCount = writeRows(writer, result)
  if (rowCount instanceof Promise) return rowCount.then(end)
  end(rowCount)
  return undefined
}

function summaryOf({ commit, monotonicMs, reads }: AnswerWriter, result: StatementResult, rowCount: number, startMs: number): ResultSummary {
  if (reads !== undefined && result.kind === 'rows') addReads(reads, result.stats)
  const elapsedMs = Math.round((monotonicMs() - startMs) * 1000) / 1000
  return { rowCount, commit: isAcknowledged(result) ? commit : undefined, elapsedMs, read: result.kind === 'rows' ? result.stats : undefined }
}

/** By name: to go through the names costs more than all else of a small summary. */
function addReads(total: QueryStats, read: QueryStats): void {
  total.rowGroupsTotal += read.rowGroupsTotal
  total.rowGroupsPruned += read.rowGroupsPruned
  total.bytesRead += read.bytesRead
  total.storageRequests += read.storageRequests
  total.spilledBytes += read.spilledBytes
}

function changedRows(result: StatementResult): number {
  return result.kind === 'write' ? result.rowCount : 0
}

/** What a transaction writes is durable when its COMMIT is answered. */
function isAcknowledged(result: StatementResult): boolean {
  switch (result.kind) {
    case 'rows':
      return false
    case 'write':
      return result.isPending !== true
    case 'schema':
      return true
    case 'transaction':
      return result.isCommit
  }
}

/** Returns how many rows there are, or were changed. */
function writeRows(writer: AnswerWriter, result: StatementResult): number | Promise<number> {
  const { sink, format } = writer
  const hasRows = result.kind === 'rows' || result.kind === 'write'
  const { head, rows: encoder } = format.begin(hasRows ? result.columns : noColumns)
  sink.write(head)
  if (!hasRows) return 0
  const adding = areRowsHere(result.rows) ? addRows(writer, encoder, result.rows, 0) : addBatches(writer, encoder, result.rows)
  const end = (added: number): number => {
    sink.write(encoder.take())
    return result.kind === 'write' ? result.rowCount : added
  }
  return adding instanceof Promise ? adding.then(end) : end(adding)
}

const noColumns: readonly ResultColumn[] = []

/** Rows wait no longer than this for others that fill their chunk. */
const waitMsMax = 100

async function addBatches(writer: AnswerWriter, encoder: RowEncoder, batches: AsyncIterable<readonly EngineRow[]>): Promise<number> {
  let rowCount = 0
  const timer = setInterval(() => {
    if (encoder.size === 0) return
    writer.sink.write(encoder.take())
    writer.sink.flush()
  }, waitMsMax)
  try {
    for await (const batch of batches) {
      const adding = addRows(writer, encoder, batch, 0)
      rowCount += adding instanceof Promise ? await adding : adding
    }
  } finally {
    clearInterval(timer)
  }
  return rowCount
}

/** Adds the rows from `start` on, at once as long as there is room; returns how many rows there are. */
function addRows(writer: AnswerWriter, encoder: RowEncoder, rows: readonly EngineRow[], start: number): number | Promise<number> {
  const { sink, format } = writer
  for (let index = start; index < rows.length; index++) {
    encoder.add(rows[index]!)
    if (encoder.size < format.chunkSize) continue
    sink.write(encoder.take())
    const room = sink.room()
    if (room !== undefined) return room.then(() => addRows(writer, encoder, rows, index + 1))
  }
  return rows.length
}
