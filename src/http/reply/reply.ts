/** Where the answer to one request of `POST /query` goes, however the request came: by Node (`node-reply.ts`) or by the lane. */
import type { Writable } from 'node:stream'
import type { Chunk } from '../format/result-format.ts'

export interface Reply {
  /** Under which it is found in logs. */
  readonly requestId: string
  /** How the client takes long answers, as it says. */
  readonly acceptEncoding: string | undefined
  /** Its status is told: no other one can be any more. */
  readonly isBegun: boolean
  /** Nobody hears it. */
  readonly isGone: boolean
  /** Calls the listener when the client goes away, until `unwatch`; one listener at a time. */
  watch(listener: () => void): void
  unwatch(): void
  /** The whole answer, now. `headers` are names and values in turn. */
  send(status: number, contentType: string, body: Chunk, headers: readonly string[]): void
  /**
   * The whole answer, with status 200, when the sockets have been read. A client that waits is woken by the first answer and
   * finds those of its other connections with it; sent one by one as they are made, each would wake it once more, which
   * costs both sides more than the answer.
   */
  sendTogether(contentType: string, body: Chunk, headers: readonly string[]): void
  /** Tells status 200 and the headers; the body is written to what this gives, and ends with it. */
  begin(contentType: string, headers: readonly string[]): Writable
  /** Cuts the connection when all that was written is sent, without the body's end. */
  breakOff(): void
  /** Cuts the connection. */
  destroy(): void
}
