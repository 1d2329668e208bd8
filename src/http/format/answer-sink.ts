/**
 * The body of an answer as it grows. A short one goes out whole, with its length, and only then the status is decided;
 * a long one is streamed in chunks, compressed if the client takes that, and waits while the client does not read. An
 * error after the first chunk cannot change the status any more: the connection is cut before the body's end, so that
 * the client sees a broken body and never a short result.
 */
import type { ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import { LsmtError } from '../../errors.ts'
import { endReason } from '../../runtime/pace.ts'
import type { CancelSignal } from '../../sql/cancel.ts'
import { chooseEncoding, compressedBytesMin, createCompressor } from './compression.ts'
import type { Compressor } from './compression.ts'
import type { Chunk } from './result-format.ts'

export interface AnswerSink {
  write(chunk: Chunk): void
  /** To be awaited, if there is something to await, before more is made: 57014 when the client went away or `signal` says so. */
  room(): Promise<void> | undefined
  /** Sends what there is, however little. */
  flush(): void
  /** Whether part of the answer is on its way. */
  readonly isStreaming: boolean
  end(): void
  /** Breaks a streamed answer off, after a last word if there is one. */
  cut(lastWord: Chunk | undefined): void
}

/** Characters or bytes kept before the answer begins to stream, and the size of its chunks. */
const chunkSize = 65_536

/** What an answer depends on besides the statement. */
const vary = 'accept, accept-encoding'

export function createAnswerSink(response: ServerResponse, contentType: string, signal: CancelSignal): AnswerSink {
  const pending = createPending()
  let target: Writable | undefined
  let compressor: Compressor | undefined

  function startStream(): Writable {
    const encoding = chooseEncoding(response.req.headers['accept-encoding'])
    response.writeHead(200, { 'content-type': contentType, vary, ...(encoding !== undefined && { 'content-encoding': encoding }) })
    if (encoding === undefined) return response
    compressor = createCompressor(encoding)
    sendThrough(compressor, response)
    return compressor.stream
  }

  function sendPending(): void {
    target ??= startStream()
    for (const chunk of pending.take()) target.write(chunk)
  }

  function endWhole(): void {
    if (pending.size >= compressedBytesMin && chooseEncoding(response.req.headers['accept-encoding']) !== undefined) endStream()
    else sendWhole(response, 200, contentType, pending.takeWhole(), { vary })
  }

  function endStream(): void {
    sendPending()
    if (compressor === undefined) response.end()
    else endThrough(compressor, () => response.end())
  }

  return {
    write(chunk) {
      pending.add(chunk)
      if (pending.size >= chunkSize) sendPending()
    },
    room() {
      if (target === undefined) return undefined
      if (response.destroyed) throw gone()
      return target.writableNeedDrain ? drained(target, response, signal) : undefined
    },
    flush() {
      if (pending.size > 0) sendPending()
      compressor?.flush()
    },
    get isStreaming() {
      return target !== undefined
    },
    end() {
      if (target === undefined) endWhole()
      else endStream()
    },
    cut(lastWord) {
      if (lastWord === undefined || target === undefined) response.destroy()
      else {
        pending.add(lastWord)
        sendPending()
        if (compressor === undefined) response.socket?.destroySoon()
        else endThrough(compressor, () => response.socket?.destroySoon())
      }
    },
  }
}

/** What was written and not sent: text, or bytes. */
function createPending(): { readonly size: number; add(chunk: Chunk): void; take(): readonly Chunk[]; takeWhole(): Chunk } {
  let text = ''
  let bytes: Uint8Array[] = []
  let byteLength = 0
  const take = (): readonly Chunk[] => {
    const taken = text === '' ? bytes : [text]
    text = ''
    bytes = []
    byteLength = 0
    return taken
  }
  return {
    get size() {
      return text.length + byteLength
    },
    add(chunk) {
      if (typeof chunk === 'string') text += chunk
      else {
        bytes.push(chunk)
        byteLength += chunk.length
      }
    },
    take,
    takeWhole: () => (bytes.length > 0 ? Buffer.concat(take() as readonly Uint8Array[]) : text),
  }
}

/** The end of the response is not that of the stream: an answer that is cut off has none. */
function sendThrough({ stream }: Compressor, response: ServerResponse): void {
  stream.pipe(response, { end: false })
  stream.on('error', (error) => response.destroy(error))
  response.once('close', () => stream.destroy())
}

/** Calls `then` when all that was compressed has gone to the response. */
function endThrough({ stream }: Compressor, then: () => void): void {
  stream.once('end', then)
  stream.end()
}

/** Resolves when the client has read enough; 57014 when it went away, or whatever the signal says. */
function drained(target: Writable, response: ServerResponse, signal: CancelSignal): Promise<void> {
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

export function sendWhole(response: ServerResponse, status: number, contentType: string, body: Chunk, headers: Readonly<Record<string, string>> = {}): void {
  const byteLength = typeof body === 'string' ? Buffer.byteLength(body, 'utf8') : body.length
  response.writeHead(status, { 'content-type': contentType, 'content-length': byteLength, ...headers })
  // Text as text, so that it leaves with the head in one write.
  response.end(body, 'utf8')
}
