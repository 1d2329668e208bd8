/** One statement, or the statements of one transaction, run and shown in the session's format. */
import type { Clock } from '../../runtime/clock.ts'
import type { CancelSignal } from '../../sql/cancel.ts'
import { queryText } from '../target/connection.ts'
import type { Connection, WriteChunk } from '../target/connection.ts'
import { resultsText, viewLines } from './show-answer.ts'
import { singleStatements, wordsOf } from './split-statements.ts'

export type ShellFormat = 'table' | 'csv' | 'jsonl' | 'json'
export const shellFormats: readonly ShellFormat[] = ['table', 'csv', 'jsonl', 'json']

/** What a shell keeps between statements. */
export interface Session {
  readonly connection: Connection
  readonly clock: Clock
  readonly write: WriteChunk
  format: ShellFormat
  timing: boolean
}

/** Raises the statement's error. */
export async function runStatement(session: Session, statement: string, signal?: CancelSignal): Promise<void> {
  const startMs = session.clock.monotonicMs()
  await runIn(session, statement, signal)
  if (session.timing) await session.write(`Time: ${(session.clock.monotonicMs() - startMs).toFixed(1)} ms\n`)
}

async function runIn({ connection, format, write }: Session, statement: string, signal: CancelSignal | undefined): Promise<void> {
  if (format !== 'table') {
    await connection.query(statement, format, write, signal)
    if (format === 'json') await write('\n')
    return
  }
  const parts = singleStatements(statement)
  if (parts.length > 1) {
    await write(resultsText(await queryText(connection, statement, 'json', signal), parts.map(tagOf)))
    return
  }
  const view = viewLines(tagOf(statement), write)
  await connection.query(statement, 'jsonl', view.write, signal)
  await view.end()
}

/** As psql says what was done: INSERT, CREATE TABLE. */
function tagOf(statement: string): string {
  const [first = '', second = ''] = wordsOf(statement)
  return /^(CREATE|DROP|ALTER|TRUNCATE)$/.test(first) && /^\w+$/.test(second) ? `${first} ${second}` : first
}
