/** POST /query: from request to answer, without express. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Engine } from '../../engine/engine.ts'
import { LsmtError } from '../../errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import { Canceller } from '../../sql/cancel.ts'
import type { CancelSignal } from '../../sql/cancel.ts'
import type { QueryStats } from '../../sql/result.ts'
import { onlyReads } from '../../sql/run/reading-only.ts'
import type { PreparedText } from '../../sql/scan/supposed-text.ts'
import type { Sql } from '../../sql/sql.ts'
import { errorAnswer } from '../error-answer.ts'
import { ResponseSink } from '../format/response-sink.ts'
import { formatsOffered, loadFormat } from '../format/choose-format.ts'
import type { FormatName } from '../format/choose-format.ts'
import { jsonContentType } from '../format/json-format.ts'
import type { CommitKind, ResultFormat } from '../format/result-format.ts'
import { writeResults } from '../format/write-results.ts'
import { runAtCoordinator } from '../forward/at-coordinator.ts'
import { checkConsistencyAlone, readConsistency } from '../forward/consistency.ts'
import type { ClusterRoute } from '../forward/cluster-route.ts'
import type { Verdict } from '../forward/hand-on.ts'
import { drop } from '../guard/bodies.ts'
import type { Bodies } from '../guard/bodies.ts'
import { beforeEnd, inTurn } from '../guard/gate.ts'
import type { Gate } from '../guard/gate.ts'
import type { Access } from '../guard/tokens.ts'
import type { Traffic } from '../observe/traffic.ts'
import { NodeReply } from '../reply/node-reply.ts'
import type { Reply } from '../reply/reply.ts'
import { idempotencyKeyOf, readQueryHead, readQueryRequest } from './query-request.ts'
import type { QueryRequest } from './query-request.ts'

export interface QueryRoute {
  readonly engine: Engine
  readonly sql: Sql
  readonly clock: Clock
  readonly commit: CommitKind
  readonly cluster: ClusterRoute | undefined
  readonly statementLengthMax: number
  /** 0: no limit. */
  readonly statementTimeoutMs: number
  readonly bodies: Bodies
  readonly gate: Gate
  readonly traffic: Traffic
  /** What all queries read. */
  readonly reads: QueryStats
}

/** Every failure is an answer or a cut connection. */
export function answerQuery(route: QueryRoute, request: IncomingMessage, response: ServerResponse, access: Access): void {
  const reply = new NodeReply(response)
  const failed = (error: unknown): void => {
    answerError(route, error, reply, undefined)
    drop(request)
  }
  try {
    const name = readQueryHead(request.url ?? '/query', request.headers)
    if (name === undefined) {
      answerNotAcceptable(reply)
      drop(request)
      return
    }
    if (name === 'csv' && request.httpVersionMinor === 0) throw unboundedCsv()
    route.bodies.read(request, {
      whole: (body) => answerArrived(route, { headers: request.headers, access, name, body, exchange: { request, response } }, reply),
      failed,
    })
  } catch (error) {
    failed(error)
  }
}

/** A request that was read whole. */
export interface Arrived {
  readonly headers: IncomingHttpHeaders
  readonly access: Access
  readonly name: FormatName
  /** Held by `bodies`, and released when it is answered. */
  readonly body: Buffer
  /** What it came by, where it may have to be handed on to another node. */
  readonly exchange: Exchange | undefined
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** At once when nothing is to be waited for. Every failure is an answer or a cut connection. */
export function answerArrived(route: QueryRoute, arrived: Arrived, reply: Reply): void {
  void beforeEnd(() => answerBody(route, arrived, reply), () => route.bodies.release(arrived.body))
}

/** At once when nothing is to be waited for; neither throws nor rejects. */
function answerBody(route: QueryRoute, { headers, access, name, body, exchange }: Arrived, reply: Reply): Promise<void> | undefined {
  const { cluster } = route
  try {
    const query = readQueryRequest(headers['content-type'], body)
    if (query.sql.length > route.statementLengthMax) throw new LsmtError('54000', `the text of the statements is longer than ${route.statementLengthMax} characters`)
    if (cluster === undefined) checkConsistencyAlone(headers, route.engine)
    const run = (format: ResultFormat): Promise<void> | undefined => {
      const asked: Asked = { query, access, format, idempotencyKey: idempotencyKeyOf(headers), prepared: undefined }
      return cluster === undefined || exchange === undefined ? runQuery(route, route.sql, asked, reply) : runInCluster(route, cluster, asked, { ...exchange, body, reply })
    }
    const format = loadFormat(name)
    return format instanceof Promise ? format.then(run).catch((error: unknown) => answerError(route, error, reply, undefined)) : run(format)
  } catch (error) {
    answerError(route, error, reply, undefined)
    return undefined
  }
}

/** HTTP 1.0 ends a body by closing the connection, and CSV has no end of its own: one that broke off would look whole. */
function unboundedCsv(): LsmtError {
  return new LsmtError('0A000', 'CSV over HTTP 1.0 is not supported', { hint: 'use HTTP 1.1, or another format' })
}

/** What a request asks for. */
interface Asked {
  readonly query: QueryRequest
  readonly access: Access
  readonly format: ResultFormat
  readonly idempotencyKey: string | undefined
  /** The text taken apart, where it was looked at before. */
  readonly prepared: PreparedText | undefined
}

/** What only reads runs here, all else where writes are coordinated. At once when nothing is to be waited for; never rejects. */
function runInCluster(route: QueryRoute, cluster: ClusterRoute, arrived: Asked, { request, response, body, reply }: Exchange & { readonly body: Buffer; readonly reply: Reply }): Promise<void> | undefined {
  const consistency = readConsistency(request.headers)
  const prepared = route.sql.prepare(arrived.query.sql)
  const { statements } = prepared
  const asked: Asked = { ...arrived, prepared }
  if (asked.access === 'read' || onlyReads(statements)) return runQuery(route, cluster.reading(consistency), asked, reply)
  const isRepeatable = asked.idempotencyKey !== undefined
  const here = async (engine: Engine): Promise<Verdict> => {
    let verdict: Verdict = { kind: 'answered' }
    const passOver = (error: unknown): boolean => {
      if (!(error instanceof LsmtError)) return false
      // Of several statements some may have been done.
      if (error.code === '57P03' && statements.length === 1) verdict = { kind: 'notTaken', reason: error.message }
      else if ((error.code === '40003' || error.code === '57P03') && isRepeatable) verdict = { kind: 'unknown', error }
      return verdict.kind !== 'answered'
    }
    await runQuery(route, cluster.writing(engine), asked, reply, passOver)
    return verdict
  }
  const waitMsMax = timeLimitOf(route, asked.query)?.ms ?? Infinity
  return runAtCoordinator(cluster.forwarding, { request, response, body: { kind: 'whole', bytes: body }, waitMsMax, isRepeatable, here }).catch((error: unknown) => answerError(route, error, reply, undefined))
}

/** At once when nothing is to be waited for; neither throws nor rejects. `passOver` says of an error that the client is not to be told of it. */
function runQuery(route: QueryRoute, sql: Sql, asked: Asked, reply: Reply, passOver?: (error: unknown) => boolean): Promise<void> | undefined {
  const canceller = new Canceller()
  const sink = new ResponseSink(reply, asked.format.contentType, canceller)
  const failed = (error: unknown): void => {
    if (sink.isStreaming || passOver?.(error) !== true) answerError(route, error, reply, { sink, format: asked.format })
  }
  try {
    const running = inTurn(route.gate, canceller, () => writeStatements(route, sql, asked, { reply, sink, signal: canceller }))
    if (running !== undefined) return unlessGivenUp({ writing: running, limit: timeLimitOf(route, asked.query), reply, canceller }, () => sink.end(), failed)
    sink.end()
  } catch (error) {
    failed(error)
  }
  return undefined
}

interface TimeLimit {
  readonly ms: number
  readonly hint?: string
}

/** What the request asks for, if that is less than the server allows. */
function timeLimitOf({ statementTimeoutMs }: QueryRoute, { timeoutMs }: QueryRequest): TimeLimit | undefined {
  if (statementTimeoutMs > 0 && !(timeoutMs !== undefined && timeoutMs < statementTimeoutMs)) return { ms: statementTimeoutMs, hint: 'this server allows no more (--statement-timeout-ms)' }
  return timeoutMs === undefined ? undefined : { ms: timeoutMs }
}

function tookLonger({ ms, ...evidence }: TimeLimit): LsmtError {
  return new LsmtError('57014', `the statement took longer than ${ms} ms`, evidence)
}

interface Running {
  readonly writing: Promise<void>
  readonly limit: TimeLimit | undefined
  readonly reply: Reply
  readonly canceller: Canceller
}

/** Cancels when the client goes away or its time is over, for as long as statements run; never rejects unless `failed` throws. */
function unlessGivenUp({ writing, limit, reply, canceller }: Running, written: () => void, failed: (error: unknown) => void): Promise<void> {
  const onGone = (): void => canceller.cancel(new LsmtError('57014', 'the client went away'))
  reply.watch(onGone)
  if (reply.isGone) onGone()
  const timer = limit && setTimeout(() => canceller.cancel(tookLonger(limit)), limit.ms)
  const over = (): void => {
    clearTimeout(timer)
    reply.unwatch()
  }
  return writing
    .then(() => {
      over()
      written()
    })
    .catch((error: unknown) => {
      over()
      failed(error)
    })
}

/** The results of a text; what needs no waiting is written at once. */
function writeStatements(route: QueryRoute, sql: Sql, asked: Asked, { reply, sink, signal }: { readonly reply: Reply; readonly sink: ResponseSink; readonly signal: CancelSignal }): Promise<void> | undefined {
  const { query, access, format, idempotencyKey } = asked
  const { clock, commit, reads, traffic } = route
  const startMs = clock.monotonicMs()
  const prepared = asked.prepared ?? sql.prepare(query.sql)
  const run = sql.start(prepared, query.parameters, { signal, mayWrite: access === 'write', oneWithRows: !format.takesAll, idempotencyKey, maxStorageRequests: query.maxStorageRequests })
  return beforeEnd(() => writeResults({ sink, format, commit, monotonicMs: clock.monotonicMs, reads }, run, prepared.count), () => {
    run.close()
    traffic.ran(prepared, startMs, reply.requestId)
  })
}

interface AnswerBegun {
  readonly sink: ResponseSink
  readonly format: ResultFormat
}

/** The error as the answer, or, when part of the result is already sent, a body that visibly breaks off. */
export function answerError({ traffic }: Pick<QueryRoute, 'traffic'>, error: unknown, reply: Reply, begun: AnswerBegun | undefined): void {
  const answer = errorAnswer(error)
  if (answer.isServerFault) traffic.fault(error, reply.requestId)
  if (begun?.sink.isStreaming === true) begun.sink.cut(begun.format.failure?.(answer.body))
  else if (reply.isBegun) reply.destroy()
  else if (!reply.isGone) reply.send(answer.status, jsonContentType, answer.body, Object.entries(answer.headers).flat())
}

function answerNotAcceptable(reply: Reply): void {
  const error = { code: '0A000', message: 'there is no such format of answers', hint: formatsOffered }
  reply.send(406, jsonContentType, JSON.stringify({ error }), [])
}
