/** The answering side of a link: hands questions to the services and sends what comes of them, within limits for each peer. */
import { LsmtError } from '../../../errors.ts'
import { encodeFrame, violation } from '../frame/frame.ts'
import type { Frame, FrameKind } from '../frame/frame.ts'
import type { Link, LinkHandler } from '../link.ts'
import type { TransportSettings } from '../settings.ts'
import { decodeQuestion, encodeFailure, timerMsMax } from './question.ts'
import type { Question } from './question.ts'
import type { Services } from './services.ts'
import { createStreamWriter } from './stream-writer.ts'
import type { StreamWriter } from './stream-writer.ts'

interface Open {
  readonly abort: AbortController
  readonly writer?: StreamWriter
}

export class Answerer implements LinkHandler {
  readonly #from: string
  readonly #link: Link
  readonly #services: Services
  readonly #settings: TransportSettings
  readonly #open = new Map<number, Open>()
  readonly #connection = new AbortController()
  #requestCount = 0
  #requestBytes = 0
  #streamCount = 0

  constructor(from: string, link: Link, services: Services, settings: TransportSettings) {
    this.#from = from
    this.#link = link
    this.#services = services
    this.#settings = settings
  }

  receive(frame: Frame): void {
    const { kind, call, payload } = frame
    if (kind === 'message') this.#services.message(this.#from, payload)
    else if (kind === 'request') this.#onRequest(this.#newCall(call), decodeQuestion(frame))
    else if (kind === 'open') this.#onOpen(this.#newCall(call), decodeQuestion(frame))
    else if (kind === 'cancel') this.#open.get(call)?.abort.abort(new LsmtError('57014', `cancelled by ${this.#from}`))
    else if (kind === 'credit') this.#open.get(call)?.writer?.addCredit(creditOf(payload))
    else throw violation(`a frame (${kind}) from the side that asks`)
  }

  ended(reason: LsmtError): void {
    for (const { abort } of this.#open.values()) abort.abort(reason)
    this.#connection.abort(reason)
  }

  #newCall(call: number): number {
    if (call === 0 || this.#open.has(call)) throw violation(`a question with number ${call}, which is ${call === 0 ? 'none' : 'in use'}`)
    return call
  }

  #onRequest(call: number, question: Question): void {
    const { method, body, limit } = question
    const refusal = this.#refusalOf(question)
    if (refusal !== undefined) return this.#fail(call, method, refusal)
    const abort = new AbortController()
    const timer = setTimeout(() => abort.abort(new LsmtError('57014', `'${method}' of ${this.#from} was given ${limit} ms`)), Math.min(limit, timerMsMax))
    this.#open.set(call, { abort })
    this.#requestCount++
    this.#requestBytes += body.byteLength
    void this.#answer(call, question, abort.signal).finally(() => {
      clearTimeout(timer)
      this.#open.delete(call)
      this.#requestCount--
      this.#requestBytes -= body.byteLength
    })
  }

  #refusalOf({ method, body }: Question): LsmtError | undefined {
    const { requestsMax, requestBytesMax, queueBytesMax } = this.#settings
    if (!Object.hasOwn(this.#services.requests, method)) return new LsmtError('0A000', `this node does not answer '${method}'`)
    if (this.#requestCount >= requestsMax) return new LsmtError('53300', `${this.#requestCount} requests of ${this.#from} are being handled`)
    if (this.#requestCount > 0 && this.#requestBytes + body.byteLength > requestBytesMax) return new LsmtError('53300', `${this.#requestBytes} bytes of requests of ${this.#from} are being handled`)
    if (this.#link.outbox.queuedBytes > queueBytesMax) return new LsmtError('53300', `${this.#link.outbox.queuedBytes} bytes wait to be sent to ${this.#from}`)
    return undefined
  }

  /** Never rejects. */
  async #answer(call: number, { method, body }: Question, signal: AbortSignal): Promise<void> {
    try {
      const bytes = await this.#services.requests[method]!(body, { from: this.#from, signal, connection: this.#connection.signal })
      const { answerBytesMax } = this.#settings
      if (bytes.byteLength > answerBytesMax) throw new LsmtError('54000', `an answer of ${bytes.byteLength} bytes to '${method}', at most ${answerBytesMax} are allowed`)
      this.#push('answer', call, [bytes])
    } catch (error) {
      this.#fail(call, method, error)
    }
  }

  #onOpen(call: number, question: Question): void {
    const { method, limit } = question
    if (!Object.hasOwn(this.#services.streams, method)) return this.#fail(call, method, new LsmtError('0A000', `this node does not stream '${method}'`))
    if (this.#streamCount >= this.#settings.streamsMax) return this.#fail(call, method, new LsmtError('53300', `${this.#streamCount} streams of ${this.#from} are open`))
    const abort = new AbortController()
    const writer = createStreamWriter(limit, abort.signal, (piece, taken) => this.#link.outbox.pushBulk(encodeFrame('chunk', call, [piece]), taken))
    this.#open.set(call, { abort, writer })
    this.#streamCount++
    void this.#streamOut(call, question, writer, abort.signal).finally(() => {
      this.#open.delete(call)
      this.#streamCount--
    })
  }

  /** Never rejects. */
  async #streamOut(call: number, { method, body }: Question, writer: StreamWriter, signal: AbortSignal): Promise<void> {
    try {
      for await (const bytes of this.#services.streams[method]!(body, { from: this.#from, signal, connection: this.#connection.signal })) await writer.write(bytes)
      this.#push('end', call)
    } catch (error) {
      // Whoever aborted it does not want to hear more.
      if (!signal.aborted) this.#fail(call, method, error)
    }
  }

  #fail(call: number, method: string, error: unknown): void {
    this.#push('failure', call, encodeFailure(error instanceof LsmtError ? error : this.#services.failed(method, error)))
  }

  #push(kind: FrameKind, call: number, payload: readonly Uint8Array[] = []): void {
    this.#link.push(encodeFrame(kind, call, payload))
  }
}

function creditOf(payload: Uint8Array): number {
  if (payload.byteLength !== 4) throw violation(`credit of ${payload.byteLength} bytes instead of 4`)
  return Buffer.from(payload).readUInt32LE(0)
}
