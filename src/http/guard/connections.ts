/**
 * Connections that cost more than they should: too many, idle, or half-open ones, clients that send a head in pieces or
 * read nothing of their answer, and what is no HTTP at all. Each is answered if it can be, and closed.
 */
import { STATUS_CODES } from 'node:http'
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { LsmtError } from '../../errors.ts'
import { errorAnswer } from '../error-answer.ts'
import type { HttpLimits } from './limits.ts'

/** For the making of a server. That there is a Host is asked by `checkRequestHead`, which says so. */
export function connectionOptions({ headerBytesMax, headersTimeoutMs }: HttpLimits): ServerOptions {
  return { maxHeaderSize: headerBytesMax, connectionsCheckingInterval: Math.min(5_000, Math.ceil(headersTimeoutMs / 4)), insecureHTTPParser: false, requireHostHeader: false }
}

export interface Connections {
  /** To be called for each request. */
  begin(request: IncomingMessage, response: ServerResponse): void
  /** Counts and closes one that was silent for too long. */
  timedOut(socket: Socket): void
  /** Answers one whose request cannot be read, for a reason by Node's name, and closes it. */
  refuse(code: string, socket: Socket): void
  /** Open now; turned away, and closed for their silence or what they sent, so far. */
  readonly counts: { readonly open: number; readonly turnedAway: number; readonly timedOut: number; readonly malformed: number }
}

export function guardConnections(server: Server, limits: HttpLimits): Connections {
  const latest = new WeakMap<Duplex, ServerResponse>()
  const counts = { open: 0, turnedAway: 0, timedOut: 0, malformed: 0 }
  server.maxConnections = limits.connectionsMax
  server.headersTimeout = limits.headersTimeoutMs
  // A body may take its time where it is streamed; where it is read whole, its reader has a limit.
  server.requestTimeout = 0
  server.keepAliveTimeout = limits.idleTimeoutMs
  server.timeout = limits.stalledTimeoutMs
  // What Node would leave out of longer ones without a word, `checkRequestHead` refuses.
  server.maxHeadersCount = limits.headersMax + 1
  const counted = new WeakSet<Socket>()
  server.on('connection', (socket: Socket) => {
    // One that begins anew is no other.
    if (counted.has(socket)) return
    counted.add(socket)
    counts.open++
    socket.once('close', () => counts.open--)
  })
  server.on('drop', () => counts.turnedAway++)
  const timedOut = (socket: Socket): void => {
    counts.timedOut++
    socket.destroy()
  }
  const refuse = (code: string | undefined, socket: Duplex): void => {
    if (code === 'ERR_HTTP_REQUEST_TIMEOUT') counts.timedOut++
    else counts.malformed++
    answerMalformed(code, socket, latest.get(socket))
  }
  server.on('timeout', (socket: Socket) => {
    if (!isComputing(latest.get(socket), socket)) timedOut(socket)
  })
  server.on('clientError', ({ code }: NodeJS.ErrnoException, socket: Duplex) => refuse(code, socket))
  return {
    counts,
    timedOut,
    refuse,
    begin({ socket }, response) {
      latest.set(socket, response)
    },
  }
}

/** The silence is ours: there is a request whose answer is being made, and nothing that the client has yet to read. */
function isComputing(response: ServerResponse | undefined, socket: Socket): boolean {
  return response !== undefined && !response.writableEnded && socket.writableLength === 0
}

/** A whole request before what cannot be read still gets its answer, and nothing is said into the middle of one. */
function answerMalformed(code: string | undefined, socket: Duplex, latest: ServerResponse | undefined): void {
  const isInAnswer = latest !== undefined && !latest.writableFinished
  if (code === 'ECONNRESET' || !socket.writable || (isInAnswer && latest.headersSent && !latest.req.complete)) {
    socket.destroy()
    return
  }
  if (isInAnswer && latest.req.complete) {
    latest.once('finish', () => socket.destroy())
    return
  }
  const [status, refusal] = refusalOf(code)
  const { body } = errorAnswer(refusal)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`, () => socket.destroy())
}

function refusalOf(code: string | undefined): readonly [number, LsmtError] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [431, new LsmtError('54000', 'the headers of the request are too large')]
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, new LsmtError('57014', 'the headers of the request did not arrive in time')]
    case undefined:
    default:
      return [400, new LsmtError('22023', 'the request is not HTTP/1.1 as it should be')]
  }
}
