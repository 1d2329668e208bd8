/** What a request to `POST /query` asks for. What is asked for and not there yet is refused, never ignored. */
import type { IncomingHttpHeaders } from 'node:http'
import { LsmtError } from '../../errors.ts'
import { checkStorageRequestsMax } from '../../sql/request-budget.ts'
import type { SqlParameters } from '../../sql/slot.ts'
import { isExactNumber, parseExactJson } from '../../sql/value/exact-json.ts'
import type { ExactJson } from '../../sql/value/exact-json.ts'
import { acceptedFormat, namedFormat } from '../format/choose-format.ts'
import type { FormatName } from '../format/choose-format.ts'
import { decodeUtf8 } from '../guard/bodies.ts'

export interface QueryRequest {
  readonly sql: string
  readonly parameters: SqlParameters | undefined
  readonly timeoutMs: number | undefined
  readonly maxStorageRequests: number | undefined
}

/**
 * The format that is asked for, or undefined when there is none that the client takes. 0A000 for headers that ask for
 * what does not exist, 22023 for unknown URL parameters.
 */
export function readQueryHead(url: string, headers: IncomingHttpHeaders): FormatName | undefined {
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') throw new LsmtError('0A000', `a body of Content-Encoding ${encoding.slice(0, 60)} is not supported`)
  const named = url === '/query' ? undefined : readUrl(url)
  return named === undefined ? acceptedFormat(headers.accept) : namedFormat(named)
}

/** As it was sent, quotes included. */
export function idempotencyKeyOf(headers: IncomingHttpHeaders): string | undefined {
  return headers['idempotency-key'] as string | undefined
}

/** What `?format=` says. */
function readUrl(url: string): string | undefined {
  const { searchParams } = new URL(url, 'http://localhost')
  const unknown = [...searchParams.keys()].find((name) => name !== 'format')
  if (unknown !== undefined) throw new LsmtError('22023', `unknown URL parameter "${unknown.slice(0, 60)}"`, { hint: 'the only one is format' })
  return searchParams.get('format') ?? undefined
}

/** A JSON body when the content type says so; with any other type the whole body is the SQL text. */
export function readQueryRequest(contentType: string | undefined, body: Buffer): QueryRequest {
  const text = decodeUtf8(body)
  if (!isJson(contentType)) return { sql: text, parameters: undefined, timeoutMs: undefined, maxStorageRequests: undefined }
  const json = parseExactJson(text)
  if (typeof json !== 'object' || json === null || isList(json)) throw new LsmtError('22P02', 'the body must be a JSON object: {"sql": "…"}')
  const { sql, params, timeoutMs, maxStorageRequests, ...others } = json as Readonly<Record<string, ExactJson>>
  const unknown = Object.keys(others)[0]
  if (unknown !== undefined) throw new LsmtError('22023', `unknown field "${unknown.slice(0, 60)}" in the body`, { hint: 'the fields are sql, params, timeoutMs and maxStorageRequests' })
  if (typeof sql !== 'string') throw new LsmtError('22023', 'the body needs the field "sql" with the SQL text')
  return { sql, parameters: readParameters(params), timeoutMs: readTimeout(timeoutMs), maxStorageRequests: readStorageRequestsMax(maxStorageRequests) }
}

function isJson(contentType: string | undefined): boolean {
  return contentType !== undefined && /^\s*application\/json\s*(?:;|$)/i.test(contentType)
}

function isList(json: ExactJson): json is readonly ExactJson[] {
  return Array.isArray(json)
}

function readParameters(params: ExactJson | undefined): SqlParameters | undefined {
  if (params === undefined || params === null) return undefined
  if (typeof params !== 'object') throw new LsmtError('22023', 'the field "params" must be an array, or an object for :name')
  for (const value of Object.values(params)) {
    if (typeof value === 'object' && value !== null && !isExactNumber(value)) throw new LsmtError('0A000', 'arrays and objects as parameters are not supported')
  }
  return params as SqlParameters
}

function readStorageRequestsMax(count: ExactJson | undefined): number | undefined {
  if (count === undefined || count === null) return undefined
  return checkStorageRequestsMax(isExactNumber(count) ? Number(count.digits) : count)
}

/** What a timer can hold. */
const timeoutMsMax = 2 ** 31 - 1

function readTimeout(timeoutMs: ExactJson | undefined): number | undefined {
  if (timeoutMs === undefined || timeoutMs === null) return undefined
  const number = isExactNumber(timeoutMs) ? Number(timeoutMs.digits) : timeoutMs
  if (typeof number !== 'number' || !(number > 0) || number > timeoutMsMax) throw new LsmtError('22023', `the field "timeoutMs" must be a number of milliseconds above 0 and at most ${timeoutMsMax}`)
  return number
}
