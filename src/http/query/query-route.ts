/** POST /query: from request to answer, without express. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { LsmtError } from '../../errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import { createCanceller } from '../../sql/cancel.ts'
import type { CancelSignal } from '../../sql/cancel.ts'
import type { Sql } from '../../sql/sql.ts'
import { createAnswerSink, sendWhole } from '../format/answer-sink.ts'
import type { AnswerSink } from '../format/answer-sink.ts'
import { errorAnswer } from '../error-answer.ts'
import type { Access } from '../guard/tokens.ts'
import { writeResult } from '../format/query-answer.ts'
import type { CommitKind } from '../format/query-answer.ts'
import { checkQueryHead, readQueryRequest } from './query-request.ts'
import type { QueryRequest } from './query-request.ts'
import { readBody } from '../request-body.ts'

export interface QueryRoute {
  readonly sql: Sql
  readonly clock: Clock
  readonly commit: CommitKind
  readonly bodyBytesMax: number
  /** Told of errors that are the server's fault. */
  readonly onFault: (error: unknown) => void
}

const json = 'application/json; charset=utf-8'

/** Never rejects: every failure is an answer or a cut connection. */
export async function answerQuery(route: QueryRoute, request: IncomingMessage, response: ServerResponse, access: Access): Promise<void> {
  const sink = createAnswerSink(response, json)
  try {
    checkQueryHead(request.url ?? '/query', request.headers)
    const query = readQueryRequest(request.headers['content-type'], await readBody(request, route.bodyBytesMax))
    await runQuery(route, query, access, response, sink)
    sink.end()
  } catch (error) {
    answerError(route, error, response, sink.isStreaming)
    request.resume()
  }
}

async function runQuery(route: QueryRoute, query: QueryRequest, access: Access, response: ServerResponse, sink: AnswerSink): Promise<void> {
  const { signal, cancel } = createCanceller()
  const onClose = (): void => cancel(new LsmtError('57014', 'the client went away'))
  response.once('close', onClose)
  const timer = query.timeoutMs === undefined ? undefined : setTimeout(() => cancel(new LsmtError('57014', `the statement took longer than ${query.timeoutMs} ms`)), query.timeoutMs)
  try {
    await runStatements(route, query, access, sink, signal)
  } finally {
    clearTimeout(timer)
    response.off('close', onClose)
  }
}

async function runStatements(route: QueryRoute, query: QueryRequest, access: Access, sink: AnswerSink, signal: CancelSignal): Promise<void> {
  const prepared = route.sql.prepare(query.sql)
  const count = prepared.statements.length
  const run = route.sql.start(prepared, query.parameters, { signal, mayWrite: access === 'write' })
  if (count > 1) await sink.write('{"results":[')
  try {
    for (let index = 0; index < count; index++) {
      const startMs = route.clock.monotonicMs()
      const elapsedMs = (): number => Math.round((route.clock.monotonicMs() - startMs) * 1000) / 1000
      if (index > 0) await sink.write(',')
      await writeResult(sink, (await run.next())!, route.commit, elapsedMs)
    }
  } finally {
    run.close()
  }
  if (count > 1) await sink.write(']}')
}

/** The error as the answer, or, when part of the result is already sent, a body that visibly breaks off. */
export function answerError(route: Pick<QueryRoute, 'onFault'>, error: unknown, response: ServerResponse, isStreaming: boolean): void {
  const answer = errorAnswer(error)
  if (answer.isServerFault) route.onFault(error)
  if (isStreaming || response.headersSent) response.destroy()
  else if (!response.destroyed) {
    sendWhole(response, answer.status, json, answer.body, answer.headers)
  }
}
