/**
 * Import: a stream of bytes to rows of a table. All or nothing by default: what fits into one statement is one, more is
 * staged beside the table and becomes part of it at once (`Engine.stageTable`). With `skip`, rows are written as they
 * come and those that cannot be are told and left out.
 */
import type { Engine } from '../../engine/engine.ts'
import { LsmtError } from '../../errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import { checkCancelled } from '../cancel.ts'
import type { CancelSignal } from '../cancel.ts'
import { createBatchBuilder } from './row-batch.ts'
import type { BatchBuilder } from './row-batch.ts'
import { writeAsTheyCome } from './skipping-target.ts'
import type { RowTarget, VisibleRows } from './row-target.ts'
import { createSourceReader } from './source-reader.ts'
import type { CsvOptions, SourceReader } from './source-reader.ts'
import type { LineError, RowSink } from './source-record.ts'
import { writeAtOnce } from './whole-target.ts'

export interface ImportRequest {
  readonly table: string
  readonly source: AsyncIterable<Uint8Array>
  readonly format: 'csv' | 'jsonl'
  readonly csv?: CsvOptions
  /** 'stop': nothing is written if any line is wrong. 'skip': the lines that are right are. */
  readonly onError: 'stop' | 'skip'
  /** What becomes of a row whose key exists; default as a plain INSERT of the table does. */
  readonly onConflict?: 'error' | 'replace'
  readonly clock: Clock
  readonly signal?: CancelSignal
  /** How far an earlier run with 'skip' came: this one goes on behind that. */
  readonly resumed?: ImportState
  /** Instead of the engine: what makes rows visible is written through what this gives, which asks for the state that is reached then. */
  readonly recording?: (stateAfter: (rowCount: number) => ImportState) => VisibleRows
  /** Called for every piece of the source that was read. */
  readonly onProgress?: (progress: ImportProgress) => void
}

export interface ImportProgress {
  readonly bytesRead: number
  /** Read and right so far; with 'stop' none of them is visible before the end. */
  readonly rows: number
}

export interface ImportOutcome {
  /** Whether rows are in the table: all that are right; false when one was wrong and 'stop' asked for. */
  readonly isWritten: boolean
  readonly rowsWritten: number
  /** Lines that are wrong; with 'stop' reading ends a megabyte after the first. */
  readonly linesFailed: number
  /** The first of them, at most `lineErrorsMax`. */
  readonly errors: readonly LineError[]
}

/** How far an import is. */
export interface ImportState extends ImportOutcome {
  /** The last line that was read as a record. */
  readonly lineReached: number
}

const lineErrorsMax = 100

/** 42P01 for an unknown table, 57014 when cancelled, and what writing raises. Whatever is raised, with 'stop' nothing was written. */
export async function importRows(engine: Engine, request: ImportRequest): Promise<ImportOutcome> {
  const table = engine.table(request.table)
  if (table === undefined) throw new LsmtError('42P01', `table "${request.table}" does not exist`, { hint: 'create it first: CREATE TABLE …' })
  const mode = (request.onConflict ?? (table.onInsert === 'upsert' ? 'replace' : 'error')) === 'replace' ? 'upsert' : 'insert'
  const { recording, resumed } = request
  const target = request.onError === 'skip'
    ? writeAsTheyCome(engine, table, mode, (errors) => recording?.((rowCount) => stateOf(reading, rowCount, errors)) ?? engine)
    : await writeAtOnce(engine, table, mode, () => recording?.(() => stateOf(reading, 0, [])) ?? engine)
  const nowMicros = Number(request.clock.wallMicros())
  const reading: Reading = {
    request, target,
    reader: createSourceReader(table, request.format, request.csv),
    builderFor: (targets) => createBatchBuilder(engine, table, targets, request.format, nowMicros),
    builder: undefined, batchBytes: 0, bytesRead: 0, rows: resumed?.rowsWritten ?? 0, linesFailed: resumed?.linesFailed ?? 0, errors: [...(resumed?.errors ?? [])], lineReached: 0, readUntil: Infinity,
  }
  try {
    await readAll(reading)
    if (!isRefused(reading)) for (const error of await target.finish()) addError(reading, error)
    const refused = isRefused(reading)
    if (refused) await target.abandon()
    return { isWritten: !refused, rowsWritten: refused ? 0 : reading.rows, linesFailed: reading.linesFailed, errors: reading.errors }
  } catch (error) {
    await target.abandon()
    throw error
  }
}

function stateOf({ rows, linesFailed, errors, lineReached }: Reading, moreRows: number, moreErrors: readonly LineError[]): ImportState {
  return { isWritten: true, rowsWritten: rows + moreRows, linesFailed: linesFailed + moreErrors.length, errors: [...errors, ...moreErrors].slice(0, lineErrorsMax), lineReached }
}

function isRefused({ request, linesFailed }: Reading): boolean {
  return request.onError === 'stop' && linesFailed > 0
}

interface Reading {
  readonly request: ImportRequest
  readonly target: RowTarget
  readonly reader: SourceReader
  readonly builderFor: (targets: readonly number[]) => BatchBuilder
  builder: BatchBuilder | undefined
  /** Bytes read since the last batch was written. */
  batchBytes: number
  bytesRead: number
  rows: number
  linesFailed: number
  readonly errors: LineError[]
  lineReached: number
  /** With 'stop', once a line is wrong: where reading for other errors ends. */
  readUntil: number
}

/** Bytes read on after an error, so that whoever mends the source sees more than one. */
const bytesAfterError = 1024 * 1024

async function readAll(reading: Reading): Promise<void> {
  const { request, target } = reading
  const sink = sinkOf(reading)
  for await (const bytes of request.source) {
    checkCancelled(request.signal)
    reading.bytesRead += bytes.length
    reading.batchBytes += bytes.length
    readPiece(reading, sink, bytes)
    target.noteRead?.(reading.batchBytes)
    if (reading.batchBytes >= target.batchBytes) await writeBatch(reading)
    request.onProgress?.({ bytesRead: reading.bytesRead, rows: reading.rows + (reading.builder?.rowCount ?? 0) })
    if (reading.bytesRead >= reading.readUntil) break
  }
  checkCancelled(request.signal)
  if (reading.bytesRead < reading.readUntil) readPiece(reading, sink, undefined)
  await writeBatch(reading)
}

function readPiece(reading: Reading, sink: RowSink, bytes: Uint8Array | undefined): void {
  reading.reader.read(bytes, sink)
  // A header that leaves out a column which must be given is refused though no row follows.
  if (reading.reader.targets !== undefined) builderOf(reading)
}

function builderOf(reading: Reading): BatchBuilder {
  return (reading.builder ??= reading.builderFor(reading.reader.targets!))
}

function sinkOf(reading: Reading): RowSink {
  const linesDone = reading.request.resumed?.lineReached ?? 0
  return {
    add(record) {
      reading.lineReached = record.line
      if (record.line <= linesDone) return
      const error = builderOf(reading).add(record)
      if (error === undefined) return
      addError(reading, error)
      if (record.isLast === true) reading.readUntil = 0
    },
    addCsv(text, delimiter, line) {
      if (reading.reader.targets === undefined || line <= linesDone) return undefined
      const records = builderOf(reading).addCsv(text, delimiter, line)
      reading.lineReached = records?.lastLine ?? reading.lineReached
      return records
    },
  }
}

function addError(reading: Reading, error: LineError): void {
  reading.linesFailed++
  if (reading.errors.length < lineErrorsMax) reading.errors.push(error)
  if (reading.request.onError === 'stop') reading.readUntil = Math.min(reading.readUntil, reading.errors.length < lineErrorsMax ? reading.bytesRead + bytesAfterError : 0)
}

/** Not after an error that ends all: its rows would be dropped. */
async function writeBatch(reading: Reading): Promise<void> {
  const { builder } = reading
  reading.batchBytes = 0
  if (builder === undefined || builder.rowCount === 0 || isRefused(reading)) return
  const batch = builder.take()
  const failed = await reading.target.write(batch)
  for (const error of failed) addError(reading, error)
  reading.rows += batch.lines.length - failed.length
}
