/** POST /query: from request to answer, without express. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { LsmtError } from '../../errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import { createCanceller } from '../../sql/cancel.ts'
import type { Canceller, CancelSignal } from '../../sql/cancel.ts'
import type { Sql } from '../../sql/sql.ts'
import { errorAnswer } from '../error-answer.ts'
import { createAnswerSink, sendWhole } from '../format/answer-sink.ts'
import type { AnswerSink } from '../format/answer-sink.ts'
import { formatsOffered, loadFormat } from '../format/choose-format.ts'
import { jsonContentType } from '../format/json-format.ts'
import type { CommitKind, ResultFormat } from '../format/result-format.ts'
import { writeAll, writeOne } from '../format/write-results.ts'
import type { Access } from '../guard/tokens.ts'
import { readBody } from '../request-body.ts'
import { idempotencyKeyOf, readQueryHead, readQueryRequest } from './query-request.ts'
import type { QueryRequest } from './query-request.ts'

export interface QueryRoute {
  readonly sql: Sql
  readonly clock: Clock
  readonly commit: CommitKind
  readonly bodyBytesMax: number
  /** Told of errors that are the server's fault. */
  readonly onFault: (error: unknown) => void
}

/** Never rejects: every failure is an answer or a cut connection. */
export async function answerQuery(route: QueryRoute, request: IncomingMessage, response: ServerResponse, access: Access): Promise<void> {
  try {
    const name = readQueryHead(request.url ?? '/query', request.headers)
    if (name === undefined) {
      answerNotAcceptable(response)
      request.resume()
      return
    }
    if (name === 'csv' && request.httpVersionMinor === 0) throw unboundedCsv()
    const query = readQueryRequest(request.headers['content-type'], await readBody(request, route.bodyBytesMax))
    await runQuery(route, { query, access, format: await loadFormat(name), idempotencyKey: idempotencyKeyOf(request.headers) }, response)
  } catch (error) {
    answerError(route, error, response, undefined)
    request.resume()
  }
}

/** HTTP 1.0 ends a body by closing the connection, and CSV has no end of its own: one that broke off would look whole. */
function unboundedCsv(): LsmtError {
  return new LsmtError('0A000', 'CSV over HTTP 1.0 is not supported', { hint: 'use HTTP 1.1, or another format' })
}

/** A request that was read whole. */
interface Asked {
  readonly query: QueryRequest
  readonly access: Access
  readonly format: ResultFormat
  readonly idempotencyKey: string | undefined
}

async function runQuery(route: QueryRoute, asked: Asked, response: ServerResponse): Promise<void> {
  const { query, format } = asked
  const canceller = createCanceller()
  const sink = createAnswerSink(response, format.contentType, canceller.signal)
  const onClose = (): void => canceller.cancel(new LsmtError('57014', 'the client went away'))
  response.once('close', onClose)
  const timer = startTimer(query, canceller)
  try {
    await runStatements(route, asked, sink, canceller.signal)
    sink.end()
  } catch (error) {
    answerError(route, error, response, { sink, format })
  } finally {
    clearTimeout(timer)
    response.off('close', onClose)
  }
}

function startTimer({ timeoutMs }: QueryRequest, { cancel }: Canceller): NodeJS.Timeout | undefined {
  if (timeoutMs === undefined) return undefined
  return setTimeout(() => cancel(new LsmtError('57014', `the statement took longer than ${timeoutMs} ms`)), timeoutMs)
}

async function runStatements(route: QueryRoute, { query, access, format, idempotencyKey }: Asked, sink: AnswerSink, signal: CancelSignal): Promise<void> {
  const prepared = route.sql.prepare(query.sql)
  const run = route.sql.start(prepared, query.parameters, { signal, mayWrite: access === 'write', oneWithRows: !format.takesAll, ...(idempotencyKey !== undefined && { idempotencyKey }) })
  const writer = { sink, format, commit: route.commit, monotonicMs: route.clock.monotonicMs }
  try {
    await (format.takesAll ? writeAll(writer, run, prepared.statements.length) : writeOne(writer, run))
  } finally {
    run.close()
  }
}

interface AnswerBegun {
  readonly sink: AnswerSink
  readonly format: ResultFormat
}

/** The error as the answer, or, when part of the result is already sent, a body that visibly breaks off. */
export function answerError(route: Pick<QueryRoute, 'onFault'>, error: unknown, response: ServerResponse, begun: AnswerBegun | undefined): void {
  const answer = errorAnswer(error)
  if (answer.isServerFault) route.onFault(error)
  if (begun?.sink.isStreaming === true) begun.sink.cut(begun.format.failure?.(answer.body))
  else if (response.headersSent) response.destroy()
  else if (!response.destroyed) {
    sendWhole(response, answer.status, jsonContentType, answer.body, answer.headers)
  }
}

function answerNotAcceptable(response: ServerResponse): void {
  const error = { code: '0A000', message: 'there is no such format of answers', hint: formatsOffered }
  sendWhole(response, 406, jsonContentType, JSON.stringify({ error }))
}
