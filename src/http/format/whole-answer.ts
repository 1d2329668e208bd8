/**
 * Answers that are sent whole, with their length. A head is one list: Node puts what was set before, or stands in an
 * object, together again for each answer.
 */
import type { ServerResponse } from 'node:http'
import { ownFields } from '../observe/own-headers.ts'
import type { Chunk } from './result-format.ts'

export function sendWhole(response: ServerResponse, status: number, contentType: string, body: Chunk, headers: Readonly<Record<string, string>> = {}): void {
  writeWholeHead(response, status, contentType, body, Object.entries(headers).flat())
  sendBody(response, body)
}

/** `headers` are names and values in turn. */
export function writeWholeHead(response: ServerResponse, status: number, contentType: string, body: Chunk, headers: readonly string[]): void {
  const list: (string | number)[] = ['content-type', contentType, 'content-length', byteLengthOf(body), ...headers, ...ownFields(response)]
  response.writeHead(status, list as (string | string[])[])
}

export function byteLengthOf(body: Chunk): number {
  return typeof body === 'string' ? Buffer.byteLength(body, 'utf8') : body.length
}

/** Text as text, so that it leaves with the head in one write. */
export function sendBody(response: ServerResponse, body: Chunk): void {
  response.end(body, 'utf8')
}
