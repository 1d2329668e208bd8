/** Results of statements as the JSON of `POST /query`. */
import type { Durability } from '../settings.ts'
import { areRowsHere } from '../sql/result.ts'
import type { RowsResult, StatementResult } from '../sql/result.ts'
import type { AnswerSink } from './answer-sink.ts'
import { columnsJson, jsonEncoder, rowJson } from './json-value.ts'

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
  const rowCount = result.kind === 'write' ? result.rowCount : 0
  await sink.write(JSON.stringify({ columns: [], rows: [], rowCount, commit, stats: { elapsedMs: elapsedMs() } }))
}

async function writeRows(sink: AnswerSink, { columns, rows, stats }: RowsResult, elapsedMs: () => number): Promise<void> {
  const encoders = columns.map(({ type }) => jsonEncoder(type))
  let rowCount = 0
  await sink.write(`{"columns":${columnsJson(columns)},"rows":[`)
  const batches = areRowsHere(rows) ? [rows] : rows
  for await (const batch of batches) {
    for (const row of batch) {
      const wait = sink.write(rowCount++ === 0 ? rowJson(encoders, row) : `,${rowJson(encoders, row)}`)
      if (wait !== undefined) await wait
    }
  }
  await sink.write(`],"rowCount":${rowCount},"stats":${JSON.stringify({ elapsedMs: elapsedMs(), ...stats })}}`)
}
