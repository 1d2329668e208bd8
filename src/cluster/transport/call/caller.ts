/**
 * The asking side of a link: messages, requests that wait for their answers, streams that are read. A question that was
 * never sent is 08006 or 53300, and may be asked elsewhere; of one that was sent and not answered only who asked knows
 * whether it may be repeated (40003).
 */
import { LsmtError } from '../../../errors.ts'
import { endReason } from '../../../runtime/end-signal.ts'
import { encodeFrame, violation } from '../frame/frame.ts'
import type { Frame } from '../frame/frame.ts'
import type { Link, LinkHandler } from '../link.ts'
import type { TransportSettings } from '../settings.ts'
import { decodeFailure, encodeQuestion, timerMsMax, u32Max } from './question.ts'
import { createStreamReader } from './stream-reader.ts'
import type { StreamReader } from './stream-reader.ts'

export interface RequestOptions {
  /** From now until the answer is here; 40003 after it, and the other node is told to stop. */
  readonly timeoutMs: number
  /** Ends it with the signal's own LsmtError, or 57014. */
  readonly signal?: AbortSignal | undefined
}

export interface StreamOptions {
  readonly signal?: AbortSignal | undefined
}

interface Waiting {
  answered(payload: Uint8Array): void
  failed(error: LsmtError): void
}

export class Caller implements LinkHandler {
  readonly #node: string
  readonly #link: Link
  readonly #settings: TransportSettings
  readonly #requests = new Map<number, Waiting>()
  readonly #streams = new Map<number, StreamReader>()
  #lastCall = 0

  constructor(node: string, link: Link, settings: TransportSettings) {
    this.#node = node
    this.#link = link
    this.#settings = settings
  }

  /** false: too much waits to be sent, and the message is dropped. 54000 for one that no frame can take. */
  send(body: readonly Uint8Array[]): boolean {
    return this.#offer('message', 0, body)
  }

  request(method: string, body: readonly Uint8Array[], { timeoutMs, signal }: RequestOptions): Promise<Uint8Array> {
    if (signal?.aborted === true) return Promise.reject(endReason(signal))
    const call = this.#nextCall()
    return new Promise((resolve, reject) => {
      this.#ask('request', call, encodeQuestion(method, timeoutMs, body))
      const settle = (): void => {
        this.#requests.delete(call)
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
      }
      const failed = (error: LsmtError): void => {
        settle()
        reject(error)
      }
      const giveUp = (error: LsmtError): void => {
        failed(error)
        this.#link.push(encodeFrame('cancel', call, []))
      }
      const abort = (): void => giveUp(endReason(signal!))
      const timer = setTimeout(() => giveUp(new LsmtError('40003', `${this.#node} has not answered '${method}' within ${timeoutMs} ms`)), Math.min(timeoutMs, timerMsMax))
      signal?.addEventListener('abort', abort)
      const answered = (payload: Uint8Array): void => {
        settle()
        resolve(payload)
      }
      this.#requests.set(call, { answered, failed })
    })
  }

  async *stream(method: string, body: readonly Uint8Array[], { signal }: StreamOptions): AsyncGenerator<Uint8Array, void, void> {
    if (signal?.aborted === true) throw endReason(signal)
    const { streamWindowBytes } = this.#settings
    const call = this.#nextCall()
    const reader = createStreamReader(streamWindowBytes, (byteCount) => this.#link.push(encodeFrame('credit', call, [u32Of(byteCount)])))
    const abort = (): void => reader.fail(endReason(signal!))
    this.#ask('open', call, encodeQuestion(method, streamWindowBytes, body))
    this.#streams.set(call, reader)
    signal?.addEventListener('abort', abort)
    try {
      yield* reader.chunks()
    } finally {
      this.#streams.delete(call)
      signal?.removeEventListener('abort', abort)
      if (!reader.isOver) this.#link.push(encodeFrame('cancel', call, []))
    }
  }

  /** What comes for a question that nobody waits for any more is dropped. */
  receive(frame: Frame): void {
    const { kind, call, payload } = frame
    if (kind === 'answer') this.#requests.get(call)?.answered(payload)
    else if (kind === 'chunk') this.#streams.get(call)?.take(payload)
    else if (kind === 'end') this.#streams.get(call)?.finish()
    else if (kind === 'failure') {
      const error = decodeFailure(frame)
      this.#requests.get(call)?.failed(error)
      this.#streams.get(call)?.finish(error)
    } else throw violation(`a frame (${kind}) from the side that answers`)
  }

  ended(reason: LsmtError): void {
    for (const { failed } of this.#requests.values()) failed(new LsmtError('40003', `the connection to ${this.#node} ended before its answer: ${reason.message}`, {}, reason))
    for (const reader of this.#streams.values()) reader.finish(new LsmtError('08006', `the connection to ${this.#node} ended within a stream: ${reason.message}`, {}, reason))
  }

  /** Numbers come round; one whose question is still open is left out. */
  #nextCall(): number {
    do this.#lastCall = this.#lastCall === u32Max ? 1 : this.#lastCall + 1
    while (this.#requests.has(this.#lastCall) || this.#streams.has(this.#lastCall))
    return this.#lastCall
  }

  #ask(kind: 'request' | 'open', call: number, question: readonly Uint8Array[]): void {
    if (!this.#offer(kind, call, question)) throw new LsmtError('53300', `${this.#link.outbox.queuedBytes} bytes wait to be sent to ${this.#node}`, { hint: 'nothing was sent: try again in a moment' })
  }

  #offer(kind: 'message' | 'request' | 'open', call: number, payload: readonly Uint8Array[]): boolean {
    const frame = encodeFrame(kind, call, payload)
    const { frameBytesMax } = this.#settings
    if (frame.byteLength > frameBytesMax) throw new LsmtError('54000', `a ${kind} of ${frame.byteLength} bytes to ${this.#node}, at most ${frameBytesMax} are allowed`)
    return this.#link.outbox.offer(frame)
  }
}

function u32Of(value: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32LE(value, 0)
  return bytes
}
