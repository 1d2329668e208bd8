/** What commands ask of a database, be it behind a server or in a directory. */
import type { FormatName } from '../../http/format/choose-format.ts'
import type { Chunk } from '../../http/format/result-format.ts'
import type { CancelSignal } from '../../sql/cancel.ts'
import type { ImportOutcome, ImportRequest } from '../../sql/import/import-rows.ts'

/** Where an answer goes; what it resolves to is waited for before more comes. */
export type WriteChunk = (chunk: Chunk) => Promise<void>

export interface Connection {
  /** For messages: the URL or the directory. */
  readonly name: string
  readonly isServer: boolean
  /** The answer that `POST /query` gives in a format. The statement's error is raised, also when part of the answer was written. */
  query(sql: string, format: FormatName, write: WriteChunk, signal?: CancelSignal): Promise<void>
  /** With a key, an import that was made before under it is not made again. */
  importRows(request: Omit<ImportRequest, 'clock'>, idempotencyKey?: string): Promise<ImportOutcome>
  /** What `GET /status` tells. */
  status(): Promise<Readonly<Record<string, unknown>>>
  close(): Promise<void>
}

/** A short answer as a whole. */
export async function queryText(connection: Connection, sql: string, format: FormatName, signal?: CancelSignal): Promise<string> {
  const chunks: Buffer[] = []
  await connection.query(sql, format, async (chunk) => {
    chunks.push(Buffer.from(chunk as string))
  }, signal)
  return Buffer.concat(chunks).toString('utf8')
}
