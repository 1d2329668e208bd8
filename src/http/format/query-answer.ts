/** Results of statements as the JSON of `POST /query`. */
import type { EngineRow } from '../../engine/engine.ts'
import type { Durability } from '../../settings.ts'
import { areRowsHere } from '../../sql/result.ts'
import type { RowsResult, StatementResult } from '../../sql/result.ts'
import type { AnswerSink } from './answer-sink.ts'
import { columnsJson, jsonEncoder, rowJson } from './json-value.ts'
import type { JsonEncoder } from './json-value.ts'

/** What a write is acknowledged with. */
export interface CommitKind {
  readonly durability: Durability
  readonly copies: number
}

/** Writes one result; `elapsedMs` is asked when the result is complete. */
export async function writeResult(sink: AnswerSink, result: StatementResult, commit: CommitKind, elapsedMs: () => number): Promise<void> {
  if (result.kind === 'rows') {
    await writeRows(sink, result, elapsedMs)
    return
  }
  const acknowledged = isDurable(result) ? { commit } : {}
  const tail = (rowCount: number): string => JSON.stringify({ rowCount, ...acknowledged, stats: { elapsedMs: elapsedMs() } }).slice(1)
  if (result.kind !== 'write' || result.columns.length === 0) await sink.write(`{"columns":[],"rows":[],${tail(result.kind === 'write' ? result.rowCount : 0)}`)
  else {
    await sink.write(`{"columns":${columnsJson(result.columns)},"rows":[`)
    await writeBatch(sink, result.columns.map(({ type }) => jsonEncoder(type)), result.rows, 0)
    await sink.write(`],${tail(result.rowCount)}`)
  }
}

/** What a transaction writes is durable when its COMMIT is answered. */
function isDurable(result: Exclude<StatementResult, RowsResult>): boolean {
  switch (result.kind) {
    case 'write':
      return result.isPending !== true
    case 'schema':
      return true
    case 'transaction':
      return result.isCommit
  }
}

async function writeRows(sink: AnswerSink, { columns, rows, stats }: RowsResult, elapsedMs: () => number): Promise<void> {
  const encoders = columns.map(({ type }) => jsonEncoder(type))
  await sink.write(`{"columns":${columnsJson(columns)},"rows":[`)
  const rowCount = areRowsHere(rows) ? await writeBatch(sink, encoders, rows, 0) : await writeBatches(sink, encoders, rows)
  await sink.write(`],"rowCount":${rowCount},"stats":${JSON.stringify({ elapsedMs: elapsedMs(), ...stats })}}`)
}

async function writeBatches(sink: AnswerSink, encoders: readonly JsonEncoder[], batches: AsyncIterable<readonly EngineRow[]>): Promise<number> {
  let rowCount = 0
  for await (const batch of batches) rowCount = await writeBatch(sink, encoders, batch, rowCount)
  return rowCount
}

/** Writes rows after `rowCount` others; returns how many there are then. */
async function writeBatch(sink: AnswerSink, encoders: readonly JsonEncoder[], batch: readonly EngineRow[], before: number): Promise<number> {
  let rowCount = before
  for (const row of batch) {
    const wait = sink.write(rowCount++ === 0 ? rowJson(encoders, row) : `,${rowJson(encoders, row)}`)
    if (wait !== undefined) await wait
  }
  return rowCount
}
