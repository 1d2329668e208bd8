/**
 * Answers that are sent whole, with their length. A head is one list: Node puts what was set before, or stands in an
 * object, together again for each answer.
 */
import type { ServerResponse } from 'node:http'
import { ownFields } from '../observe/own-headers.ts'
import type { Chunk } from './result-format.ts'

export function sendWhole(response: ServerResponse, status: number, contentType: string, body: Chunk, headers: Readonly<Record<string, string>> = {}): void {
  writeHead(response, status, contentType, body, Object.entries(headers).flat())
  send(response, body)
}

interface Ready {
  readonly response: ServerResponse
  readonly body: Chunk
}

let ready: Ready[] = []

/**
 * The answer of a request that was read to its end, sent when the sockets have been read. A client that waits is woken by
 * the first answer and finds those of its other connections with it; sent one by one as they are made, each would wake it
 * once more, which costs both sides more than the answer. `headers` are names and values in turn.
 */
export function sendWholeTogether(response: ServerResponse, contentType: string, body: Chunk, headers: readonly string[]): void {
  writeHead(response, 200, contentType, body, headers)
  if (ready.push({ response, body }) === 1) setImmediate(sendReady)
}

function sendReady(): void {
  const sending = ready
  ready = []
  for (const { response, body } of sending) send(response, body)
}

function writeHead(response: ServerResponse, status: number, contentType: string, body: Chunk, headers: readonly string[]): void {
  const byteLength = typeof body === 'string' ? Buffer.byteLength(body, 'utf8') : body.length
  const list: (string | number)[] = ['content-type', contentType, 'content-length', byteLength, ...headers, ...ownFields(response)]
  response.writeHead(status, list as (string | string[])[])
}

/** Text as text, so that it leaves with the head in one write. */
function send(response: ServerResponse, body: Chunk): void {
  response.end(body, 'utf8')
}
