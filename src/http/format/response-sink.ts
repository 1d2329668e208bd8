/**
 * The body of an answer as it grows. A short one goes out whole, with its length, and only then the status is decided;
 * a long one is streamed in chunks, compressed if the client takes that, and waits while the client does not read. An
 * error after the first chunk cannot change the status any more: the connection is cut before the body's end, so that
 * the client sees a broken body and never a short result.
 */
import type { Writable } from 'node:stream'
import { LsmtError } from '../../errors.ts'
import { endReason } from '../../runtime/end-signal.ts'
import type { CancelSignal } from '../../sql/cancel.ts'
import type { Reply } from '../reply/reply.ts'
import { chooseEncoding, compressedBytesMin, createCompressor } from './compression.ts'
import type { Compressor } from './compression.ts'
import type { Chunk } from './result-format.ts'
import type { AnswerSink } from './write-results.ts'

/** Characters or bytes kept before the answer begins to stream, and the size of its chunks. */
const chunkSize = 65_536

/** What an answer depends on besides the statement. */
const varyFields: readonly string[] = ['vary', 'accept, accept-encoding']

export class ResponseSink implements AnswerSink {
  private readonly reply: Reply
  private readonly contentType: string
  private readonly signal: CancelSignal
  /** What was written and not sent: text, or bytes. */
  private text = ''
  private bytes: Uint8Array[] = []
  private byteLength = 0
  /** Of the reply, once there was a chunk, and where chunks go: there, or through a compressor. */
  private stream: Writable | undefined = undefined
  private target: Writable | undefined = undefined
  private compressor: Compressor | undefined = undefined

  /** `signal` ends waiting for the client. */
  constructor(reply: Reply, contentType: string, signal: CancelSignal) {
    this.reply = reply
    this.contentType = contentType
    this.signal = signal
  }

  /** Whether part of the answer is on its way. */
  get isStreaming(): boolean {
    return this.target !== undefined
  }

  write(chunk: Chunk): void {
    if (typeof chunk === 'string') this.text += chunk
    else {
      this.bytes.push(chunk)
      this.byteLength += chunk.length
    }
    if (this.pendingSize >= chunkSize) this.sendPending()
  }

  /** To be awaited, if there is something to await, before more is made: 57014 when the client went away, or what the signal says. */
  room(): Promise<void> | undefined {
    const { target, stream, signal } = this
    if (target === undefined || stream === undefined) return undefined
    if (stream.destroyed) throw gone()
    return target.writableNeedDrain ? drained(target, stream, signal) : undefined
  }

  /** Sends what there is, however little. */
  flush(): void {
    if (this.pendingSize > 0) this.sendPending()
    this.compressor?.flush()
  }

  end(): void {
    const { reply, contentType } = this
    const isWhole = this.target === undefined && (this.pendingSize < compressedBytesMin || chooseEncoding(reply.acceptEncoding) === undefined)
    if (isWhole) reply.sendTogether(contentType, this.byteLength > 0 ? Buffer.concat(this.bytes) : this.text, varyFields)
    else this.endStream(() => this.stream?.end())
  }

  /** Breaks a streamed answer off, after a last word if there is one. */
  cut(lastWord: Chunk | undefined): void {
    if (lastWord === undefined) {
      this.reply.destroy()
      return
    }
    this.write(lastWord)
    this.endStream(() => this.reply.breakOff())
  }

  private get pendingSize(): number {
    return this.text.length + this.byteLength
  }

  private sendPending(): void {
    const target = (this.target ??= this.startStream())
    for (const chunk of this.byteLength > 0 ? this.bytes : [this.text]) target.write(chunk)
    this.text = ''
    this.bytes = []
    this.byteLength = 0
  }

  private startStream(): Writable {
    const encoding = chooseEncoding(this.reply.acceptEncoding)
    const stream = this.reply.begin(this.contentType, encoding === undefined ? varyFields : [...varyFields, 'content-encoding', encoding])
    this.stream = stream
    if (encoding === undefined) return stream
    this.compressor = createCompressor(encoding)
    sendThrough(this.compressor, stream)
    return this.compressor.stream
  }

  /** Calls `then` when all that was written has gone to the response. */
  private endStream(then: () => void): void {
    if (this.pendingSize > 0) this.sendPending()
    if (this.compressor === undefined) then()
    else this.compressor.stream.once('end', then).end()
  }
}

/** The end of the response is not that of the stream: an answer that is cut off has none. */
function sendThrough({ stream }: Compressor, response: Writable): void {
  stream.pipe(response, { end: false })
  stream.on('error', (error) => response.destroy(error))
  response.once('close', () => stream.destroy())
}

/** Resolves when the client has read enough; 57014 when it went away, or whatever the signal says. */
function drained(target: Writable, response: Writable, signal: CancelSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      target.off('drain', settle)
      response.off('close', settle)
      signal.removeEventListener('abort', settle)
      if (signal.aborted) reject(endReason(signal))
      else if (response.destroyed) reject(gone())
      else resolve()
    }
    target.on('drain', settle)
    response.on('close', settle)
    signal.addEventListener('abort', settle)
    if (response.destroyed || signal.aborted) settle()
  })
}

function gone(): LsmtError {
  return new LsmtError('57014', 'the client went away')
}
