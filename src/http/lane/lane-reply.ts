/** Answers of the lane: a whole one is one string and one write, with the headers that Node would have given it. */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import type { Clock } from '../../runtime/clock.ts'
import type { Chunk } from '../format/result-format.ts'
import { byteLengthOf } from '../format/whole-answer.ts'
import { requestIdHeader } from '../observe/own-headers.ts'
import type { Reply } from '../reply/reply.ts'
import { leaveTogether } from '../reply/together.ts'
import { ChunkedBody } from './chunked-body.ts'

/** Of a connection that answers one request after the other. */
export interface Answering {
  readonly socket: Socket
  /** The header that all answers have. */
  readonly date: () => string
  readonly keepAlive: string
  /** A body begins of which the client may be slow to read. */
  streams(): void
  /** The answer has left, whole. The connection goes on unless it `closes`. */
  answered(status: number, closes: boolean): void
}

export class LaneReply implements Reply {
  readonly requestId: string
  readonly acceptEncoding: string | undefined
  isBegun = false
  isGone = false
  private readonly to: Answering
  private listener: (() => void) | undefined = undefined
  private stream: ChunkedBody | undefined = undefined
  private status = 200
  private contentType = ''
  private headers: readonly string[] = []
  private body: Chunk = ''

  constructor(to: Answering, requestId: string, acceptEncoding: string | undefined) {
    this.to = to
    this.requestId = requestId
    this.acceptEncoding = acceptEncoding
  }

  watch(listener: () => void): void {
    this.listener = listener
  }

  unwatch(): void {
    this.listener = undefined
  }

  /** The connection is closed. */
  gone(): void {
    this.isGone = true
    this.stream?.destroy()
    this.listener?.()
  }

  send(status: number, contentType: string, body: Chunk, headers: readonly string[]): void {
    this.make(status, contentType, body, headers)
    this.leave()
  }

  sendTogether(contentType: string, body: Chunk, headers: readonly string[]): void {
    this.make(200, contentType, body, headers)
    leaveTogether(this)
  }

  leave(): void {
    if (this.isGone) return
    const { body, status, to: { socket } } = this
    const byteLength = byteLengthOf(body)
    const closes = this.headers.includes('connection')
    const head = this.head(`content-length: ${byteLength}\r\n`, closes)
    if (typeof body === 'string') socket.write(head + body, byteLength === body.length ? 'latin1' : 'utf8')
    else {
      socket.cork()
      socket.write(head, 'latin1')
      socket.write(body)
      socket.uncork()
    }
    this.to.answered(status, closes)
  }

  begin(contentType: string, headers: readonly string[]): Writable {
    this.make(200, contentType, '', headers)
    const stream = new ChunkedBody(this.to.socket)
    this.stream = stream
    this.to.streams()
    this.to.socket.write(this.head('transfer-encoding: chunked\r\n', false), 'latin1')
    stream.on('finish', () => {
      if (!this.isGone && !stream.isBroken) this.to.answered(200, false)
    })
    // What it failed with, whoever wrote to it knows.
    stream.on('error', () => {})
    return stream
  }

  breakOff(): void {
    this.stream?.breakOff()
  }

  destroy(): void {
    this.to.socket.destroy()
  }

  private make(status: number, contentType: string, body: Chunk, headers: readonly string[]): void {
    this.isBegun = true
    this.status = status
    this.contentType = contentType
    this.body = body
    this.headers = headers
  }

  private head(length: string, closes: boolean): string {
    const { status, contentType, headers, requestId, to } = this
    let text = `HTTP/1.1 ${status} ${status === 200 ? 'OK' : STATUS_CODES[status]}\r\ncontent-type: ${contentType}\r\n${length}`
    for (let index = 0; index < headers.length; index += 2) text += `${headers[index]}: ${headers[index + 1]}\r\n`
    return `${text}${requestIdHeader}: ${requestId}\r\nDate: ${to.date()}\r\n${closes ? '' : to.keepAlive}\r\n`
  }
}

/** The time as a header tells it, made anew each second. */
export function createDates({ monotonicMs, wallMicros }: Clock): () => string {
  let text = ''
  let untilMs = -Infinity
  return () => {
    const nowMs = monotonicMs()
    if (nowMs < untilMs) return text
    const wallMs = Number(wallMicros() / 1000n)
    text = new Date(wallMs).toUTCString()
    untilMs = nowMs + 1000 - (wallMs % 1000)
    return text
  }
}
