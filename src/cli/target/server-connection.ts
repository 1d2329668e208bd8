/** A database behind a server, over HTTP. Its errors come as they are: code, message, position and hint. */
import { errorCodes, LsmtError } from '../../errors.ts'
import type { ErrorCode } from '../../errors.ts'
import { isLoopbackName } from '../../http/guard/same-site.ts'
import { abortSignalOf, endReason } from '../../runtime/end-signal.ts'
import type { CancelSignal } from '../../sql/cancel.ts'
import type { ImportOutcome } from '../../sql/import/import-rows.ts'
import type { Connection } from './connection.ts'

export interface ServerConnection extends Connection {
  /** A request with the token; 08006 when the server cannot be reached, otherwise the error that it answers with. */
  request(path: string, init: RequestInit, signal?: CancelSignal): Promise<Response>
}

/** Nothing is sent before the first request. */
export function openServer(url: string, token: string | undefined): ServerConnection {
  const send: ServerConnection['request'] = async (path, init, signal) => {
    const headers = { ...(init.headers as Record<string, string> | undefined), ...(token !== undefined && { authorization: `Bearer ${token}` }) }
    return await reach(url, fetch(`${url}${path}`, { ...init, headers, ...(signal !== undefined && { signal: abortSignalOf(signal) }) }), signal)
  }
  const request: ServerConnection['request'] = async (path, init, signal) => {
    const response = await send(path, init, signal)
    if (!response.ok) throw await answeredError(response)
    return response
  }
  // Within a machine compressing costs more than sending.
  const acceptedEncoding: Readonly<Record<string, string>> = isLoopbackName(new URL(url).hostname) ? { 'accept-encoding': 'identity' } : {}
  return {
    name: url,
    isServer: true,
    request,
    async query(sql, format, write, signal) {
      const response = await request(`/query?format=${format}`, { method: 'POST', body: sql, headers: { 'content-type': 'application/sql', ...acceptedEncoding } }, signal)
      const pieces = response.body![Symbol.asyncIterator]()
      for (;;) {
        const piece = await reach(url, pieces.next(), signal)
        if (piece.done === true) return
        await write(piece.value as Uint8Array)
      }
    },
    async importRows({ table, format, csv, onError, onConflict, source, signal, onProgress }, idempotencyKey) {
      const wanted = { table, format, onError, onConflict, delimiter: csv?.delimiter, header: csv?.header === false ? 'false' : undefined }
      const parameters = new URLSearchParams(Object.entries(wanted).filter((entry): entry is [string, string] => entry[1] !== undefined))
      const body = ReadableStream.from(counted(source, (bytesRead) => onProgress?.({ bytesRead, rows: 0 })))
      const init = { method: 'POST', body, duplex: 'half', headers: { 'content-type': format === 'csv' ? 'text/csv' : 'application/x-ndjson', ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }) } } as RequestInit
      return await outcomeOf(await send(`/import?${parameters.toString()}`, init, signal))
    },
    status: async () => (await (await request('/status', {})).json()) as Readonly<Record<string, unknown>>,
    close: async () => {},
  }
}

async function* counted(source: AsyncIterable<Uint8Array>, onRead: (bytesRead: number) => void): AsyncGenerator<Uint8Array> {
  let bytesRead = 0
  for await (const bytes of source) {
    bytesRead += bytes.length
    yield bytes
    onRead(bytesRead)
  }
}

/** What the network says as 08006, a wish to stop as what it says. */
async function reach<T>(url: string, work: Promise<T>, signal: CancelSignal | undefined): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (signal?.aborted === true) throw endReason(signal)
    if (error instanceof LsmtError) throw error
    throw new LsmtError('08006', `cannot reach ${url}: ${reasonOf(error)}`, { hint: 'is the server running, and the URL right?' }, error)
  }
}

interface AnsweredImport {
  readonly rowCount?: number
  readonly skipped?: number
  readonly linesFailed?: number
  readonly errors?: readonly { readonly line: number; readonly column?: string; readonly code: string; readonly message: string }[]
}

/** Lines that are wrong are an outcome; every other error is raised. */
async function outcomeOf(response: Response): Promise<ImportOutcome> {
  if (!response.ok && response.headers.get('content-type')?.startsWith('application/json') !== true) throw await answeredError(response)
  const text = await response.text()
  const { rowCount = 0, skipped = 0, linesFailed = skipped, errors } = JSON.parse(text) as AnsweredImport
  if (errors === undefined) throw errorOf(text) ?? new LsmtError('08006', `the server answers ${response.status}: ${text.slice(0, 200)}`)
  return { isWritten: response.ok, rowsWritten: rowCount, linesFailed, errors: errors.map(({ message, ...error }) => ({ ...error, code: error.code as ErrorCode, reason: message })) }
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  const { cause } = error as { readonly cause?: { readonly message?: string; readonly code?: string } }
  return cause?.message || cause?.code || (error instanceof Error ? error.message : String(error))
}

async function answeredError(response: Response): Promise<LsmtError> {
  const text = await response.text().catch(() => '')
  return errorOf(text) ?? new LsmtError('08006', `the server answers ${response.status} ${response.statusText}: ${text.slice(0, 200)}`, { hint: 'is this an lsmt server?' })
}

/** The error in an answer; undefined when there is none. */
export function errorOf(text: string): LsmtError | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  const { error } = (parsed ?? {}) as { readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly position?: number; readonly hint?: string } }
  if (typeof error?.code !== 'string' || typeof error.message !== 'string' || !(error.code in errorCodes)) return undefined
  const { position, hint } = error
  return new LsmtError(error.code as ErrorCode, error.message, { ...(position !== undefined && { position }), ...(hint !== undefined && { hint }) })
}
