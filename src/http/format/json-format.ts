/** The JSON of `POST /query`, and JSON lines: a line for the columns, one a row, and one that tells how it ended. */
import { columnsJson, jsonEncoder, rowJson } from './json-value.ts'
import { createTextRows, textChunkSize } from './result-format.ts'
import type { ResultFormat, ResultSummary } from './result-format.ts'

export const jsonContentType = 'application/json; charset=utf-8'

export const jsonFormat: ResultFormat = {
  contentType: jsonContentType,
  takesAll: true,
  chunkSize: textChunkSize,
  begin(columns) {
    const encoders = columns.map(({ type }) => jsonEncoder(type))
    return { head: `{"columns":${columnsJson(columns)},"rows":[`, rows: createTextRows((row) => rowJson(encoders, row), ',') }
  },
  end: (summary) => `],${summaryJson(summary).slice(1)}`,
}

export const jsonLinesFormat: ResultFormat = {
  contentType: 'application/x-ndjson; charset=utf-8',
  takesAll: false,
  chunkSize: textChunkSize,
  begin(columns) {
    const encoders = columns.map(({ type }) => jsonEncoder(type))
    return { head: `{"columns":${columnsJson(columns)}}\n`, rows: createTextRows((row) => `${rowJson(encoders, row)}\n`) }
  },
  end: (summary) => `{"end":${summaryJson(summary)}}\n`,
  failure: (error) => `${error}\n`,
}

function summaryJson({ rowCount, commit, stats }: ResultSummary): string {
  return `{"rowCount":${rowCount},${commit === undefined ? '' : `"commit":${JSON.stringify(commit)},`}"stats":${JSON.stringify(stats)}}`
}
