/** The results of a text's statements, one after the other, in a format, as fast as the client reads them. */
import type { EngineRow } from '../../engine/engine.ts'
import { areRowsHere } from '../../sql/result.ts'
import type { RowsResult, StatementResult } from '../../sql/result.ts'
import type { TextRun } from '../../sql/run/text-run.ts'
import type { AnswerSink } from './answer-sink.ts'
import type { CommitKind, ResultFormat, ResultSummary, RowEncoder } from './result-format.ts'

export interface AnswerWriter {
  readonly sink: AnswerSink
  readonly format: ResultFormat
  /** What a write is acknowledged with. */
  readonly commit: CommitKind
  readonly monotonicMs: () => number
}

/** A result for each statement; several stand in a list. */
export async function writeAll(writer: AnswerWriter, run: TextRun, statementCount: number): Promise<void> {
  const { sink, format } = writer
  if (statementCount > 1) sink.write('{"results":[')
  for (let index = 0; index < statementCount; index++) {
    const startMs = writer.monotonicMs()
    if (index > 0) sink.write(',')
    const result = (await run.next())!
    const rowCount = await writeRows(writer, result)
    sink.write(format.end(summaryOf(writer, result, rowCount, startMs)))
  }
  if (statementCount > 1) sink.write(']}')
}

/** The result of the statement that gives rows, or else of the last one; the run refuses a second with rows. */
export async function writeOne(writer: AnswerWriter, run: TextRun): Promise<void> {
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

function summaryOf({ commit, monotonicMs }: AnswerWriter, result: StatementResult, rowCount: number, startMs: number): ResultSummary {
  const elapsedMs = Math.round((monotonicMs() - startMs) * 1000) / 1000
  return { rowCount, commit: isAcknowledged(result) ? commit : undefined, stats: result.kind === 'rows' ? { elapsedMs, ...result.stats } : { elapsedMs } }
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
async function writeRows(writer: AnswerWriter, result: StatementResult): Promise<number> {
  const { sink, format } = writer
  const hasRows = result.kind === 'rows' || result.kind === 'write'
  const { head, rows: encoder } = format.begin(hasRows ? result.columns : [])
  sink.write(head)
  if (!hasRows) return 0
  const rowCount = areRowsHere(result.rows) ? await addRows(writer, encoder, result.rows) : await addBatches(writer, encoder, result.rows)
  sink.write(encoder.take())
  return result.kind === 'write' ? result.rowCount : rowCount
}

/** Rows wait no longer than this for others that fill their chunk. */
const waitMsMax = 100

async function addBatches(writer: AnswerWriter, encoder: RowEncoder, batches: Exclude<RowsResult['rows'], readonly EngineRow[]>): Promise<number> {
  let rowCount = 0
  const timer = setInterval(() => {
    if (encoder.size === 0) return
    writer.sink.write(encoder.take())
    writer.sink.flush()
  }, waitMsMax)
  try {
    for await (const batch of batches) rowCount += await addRows(writer, encoder, batch)
  } finally {
    clearInterval(timer)
  }
  return rowCount
}

async function addRows({ sink, format }: AnswerWriter, encoder: RowEncoder, rows: readonly EngineRow[]): Promise<number> {
  for (const row of rows) {
    encoder.add(row)
    if (encoder.size < format.chunkSize) continue
    sink.write(encoder.take())
    const room = sink.room()
    if (room !== undefined) await room
  }
  return rows.length
}
