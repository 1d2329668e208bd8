/** The JSON of `POST /query`, and JSON lines: a line for the columns, one a row, and one that tells how it ended. */
import type { EngineRow } from '../../engine/engine.ts'
import type { ResultColumn } from '../../sql/plan.ts'
import type { QueryStats } from '../../sql/result.ts'
import { columnsJson, rowJson } from './json-value.ts'
import { TextRows, textChunkSize } from './result-format.ts'
import type { ResultFormat, ResultSummary } from './result-format.ts'

export const jsonContentType = 'application/json; charset=utf-8'

export const jsonFormat: ResultFormat = {
  contentType: jsonContentType,
  takesAll: true,
  chunkSize: textChunkSize,
  begin(columns) {
    const { names, rowText } = shapeOf(columns)
    return { head: `{"columns":${names},"rows":[`, rows: new TextRows(rowText, ',') }
  },
  end: (summary) => `],${fieldsJson(summary)}}`,
}

export const jsonLinesFormat: ResultFormat = {
  contentType: 'application/x-ndjson; charset=utf-8',
  takesAll: false,
  chunkSize: textChunkSize,
  begin(columns) {
    const { names, rowLine } = shapeOf(columns)
    return { head: `{"columns":${names}}\n`, rows: new TextRows(rowLine) }
  },
  end: (summary) => `{"end":{${fieldsJson(summary)}}}\n`,
  failure: (error) => `${error}\n`,
}

interface Shape {
  readonly names: string
  readonly rowText: (row: EngineRow) => string
  readonly rowLine: (row: EngineRow) => string
}

/** Plans are kept, and so are what their columns need. */
const shapes = new WeakMap<readonly ResultColumn[], Shape>()

const noShape: Shape = { names: '[]', rowText: () => '[]', rowLine: () => '[]\n' }

function shapeOf(columns: readonly ResultColumn[]): Shape {
  if (columns.length === 0) return noShape
  const known = shapes.get(columns)
  if (known !== undefined) return known
  const types = columns.map(({ type }) => type)
  const shape = { names: columnsJson(columns), rowText: rowJson(types, ']'), rowLine: rowJson(types, ']\n') }
  shapes.set(columns, shape)
  return shape
}

function fieldsJson({ rowCount, commit, elapsedMs, read }: ResultSummary): string {
  const committed = commit === undefined ? '' : `"commit":{"durability":"${commit.durability}","copies":${commit.copies}},`
  return `"rowCount":${rowCount},${committed}"stats":{"elapsedMs":${elapsedMs}${read === undefined ? '' : readJson(read)}}`
}

function readJson({ rowGroupsTotal, rowGroupsPruned, bytesRead, storageRequests, spilledBytes }: QueryStats): string {
  return `,"rowGroupsTotal":${rowGroupsTotal},"rowGroupsPruned":${rowGroupsPruned},"bytesRead":${bytesRead},"storageRequests":${storageRequests},"spilledBytes":${spilledBytes}`
}
