/**
 * The body of an answer as it grows. A short one goes out whole, with its length, and only then the status is decided;
 * a long one is streamed in chunks, waiting while the client does not read. An error after the first chunk cannot
 * change the status any more: the connection is cut, so that the client sees a broken body and never a short result.
 */
import type { ServerResponse } from 'node:http'
import { LsmtError } from '../../errors.ts'

export interface AnswerSink {
  /** Adds text; the returned promise, if any, must be awaited before more is added. */
  write(text: string): Promise<void> | undefined
  /** Whether part of the answer is on its way. */
  readonly isStreaming: boolean
  end(): void
}

/** Characters kept before the answer begins to stream, and the size of its chunks. */
const chunkCharacters = 65_536

export function createAnswerSink(response: ServerResponse, contentType: string): AnswerSink {
  let pending = ''
  let isStreaming = false

  function sendChunk(): Promise<void> | undefined {
    if (!isStreaming) {
      isStreaming = true
      response.writeHead(200, { 'content-type': contentType })
    }
    const chunk = pending
    pending = ''
    return response.write(chunk) ? undefined : drained(response)
  }

  return {
    write(text) {
      pending += text
      return pending.length < chunkCharacters ? undefined : sendChunk()
    },
    get isStreaming() {
      return isStreaming
    },
    end() {
      if (isStreaming) response.end(pending)
      else sendWhole(response, 200, contentType, pending)
    },
  }
}

/** Resolves when the client has read enough; 57014 when it went away. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      response.off('drain', settle)
      response.off('close', settle)
      if (response.destroyed && !response.writableFinished) reject(new LsmtError('57014', 'the client went away'))
      else resolve()
    }
    response.on('drain', settle)
    response.on('close', settle)
    if (response.destroyed) settle()
  })
}

export function sendWhole(response: ServerResponse, status: number, contentType: string, body: string, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body, 'utf8'), ...headers })
  // As text, so that it leaves with the head in one write.
  response.end(body, 'utf8')
}
