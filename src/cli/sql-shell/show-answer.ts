/** Answers as a person reads them: JSON lines of one statement as they come, or the results of several. */
import { LsmtError } from '../../errors.ts'
import { errorOf } from '../target/server-connection.ts'
import type { WriteChunk } from '../target/connection.ts'
import { createTableView } from './table-view.ts'
import type { JsonValue, TableView, ViewColumn } from './table-view.ts'

interface Result {
  readonly columns: readonly ViewColumn[]
  readonly rows: readonly (readonly JsonValue[])[]
  readonly rowCount: number
}

export interface AnswerView {
  readonly write: WriteChunk
  /** To be called when the answer is complete. XX000 when it is not what it should be. */
  end(): Promise<void>
}

/** `tag` names what a statement without rows did. */
export function viewLines(tag: string, show: (text: string) => Promise<void>): AnswerView {
  const decoder = new TextDecoder()
  let tail = ''
  let view: TableView | undefined
  let isComplete = false

  function showLine(line: string): string {
    if (line.startsWith('[')) return view!.add(JSON.parse(line) as readonly JsonValue[])
    const failure = errorOf(line)
    if (failure !== undefined) throw failure
    const { columns, end } = JSON.parse(line) as { readonly columns?: readonly ViewColumn[]; readonly end?: { readonly rowCount: number } }
    if (columns !== undefined && columns.length > 0) view = createTableView(columns)
    if (end === undefined) return ''
    isComplete = true
    return view === undefined ? `${done(tag, end.rowCount)}\n` : `${view.end()}${rowsText(end.rowCount)}\n`
  }

  return {
    async write(chunk) {
      const lines = (tail + (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }))).split('\n')
      tail = lines.pop()!
      const text = lines.map(showLine).join('')
      if (text !== '') await show(text)
    },
    async end() {
      if (!isComplete || tail !== '') throw new LsmtError('08006', 'the answer breaks off before its end')
    },
  }
}

/** The results of a transaction. */
export function resultsText(answer: string, tags: readonly string[]): string {
  const parsed = JSON.parse(answer) as Result | { readonly results: readonly Result[] }
  const results = 'results' in parsed ? parsed.results : [parsed]
  return results.map((result, index) => resultText(result, tags[index] ?? '')).join('')
}

function resultText({ columns, rows, rowCount }: Result, tag: string): string {
  if (columns.length === 0) return `${done(tag, rowCount)}\n`
  const view = createTableView(columns)
  return `${rows.map((row) => view.add(row)).join('')}${view.end()}${rowsText(rowCount)}\n`
}

function done(tag: string, rowCount: number): string {
  return /^(INSERT|UPDATE|DELETE|UPSERT|WITH)\b/.test(tag) ? `${tag} ${rowCount}` : tag
}

function rowsText(rowCount: number): string {
  return `(${rowCount} ${rowCount === 1 ? 'row' : 'rows'})`
}
