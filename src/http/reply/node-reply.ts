/** Answers by Node's own response. */
import type { ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import type { Chunk } from '../format/result-format.ts'
import { sendBody, writeWholeHead } from '../format/whole-answer.ts'
import { requestIdOf, setOwnHeaders } from '../observe/own-headers.ts'
import type { Reply } from './reply.ts'
import { leaveTogether } from './together.ts'

export class NodeReply implements Reply {
  private readonly response: ServerResponse
  private listener: () => void = () => {}
  private body: Chunk = ''

  constructor(response: ServerResponse) {
    this.response = response
  }

  get requestId(): string {
    return requestIdOf(this.response)
  }

  get acceptEncoding(): string | undefined {
    return this.response.req.headers['accept-encoding']
  }

  get isBegun(): boolean {
    return this.response.headersSent
  }

  get isGone(): boolean {
    return this.response.destroyed
  }

  watch(listener: () => void): void {
    this.listener = listener
    this.response.on('close', listener)
  }

  unwatch(): void {
    this.response.off('close', this.listener)
  }

  send(status: number, contentType: string, body: Chunk, headers: readonly string[]): void {
    writeWholeHead(this.response, status, contentType, body, headers)
    sendBody(this.response, body)
  }

  sendTogether(contentType: string, body: Chunk, headers: readonly string[]): void {
    writeWholeHead(this.response, 200, contentType, body, headers)
    this.body = body
    leaveTogether(this)
  }

  leave(): void {
    sendBody(this.response, this.body)
  }

  begin(contentType: string, headers: readonly string[]): Writable {
    setOwnHeaders(this.response)
    this.response.writeHead(200, ['content-type', contentType, ...headers])
    return this.response
  }

  breakOff(): void {
    this.response.socket?.destroySoon()
  }

  destroy(): void {
    this.response.destroy()
  }
}
