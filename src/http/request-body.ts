/** Bodies of requests: read up to a limit, and only as valid UTF-8. */
import type { IncomingMessage } from 'node:http'
import { LsmtError } from '../errors.ts'

/**
 * The whole body. 54000 when it is larger than `bytesMax`: it is then still read to its end, up to a limit, so that the
 * client hears the answer instead of a broken connection. 57014 when the client goes away before its end.
 */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let byteLength = 0
    request.on('data', (chunk: Buffer) => {
      byteLength += chunk.length
      if (byteLength <= bytesMax) chunks.push(chunk)
      else chunks.length = 0
      if (byteLength > drainFactor * bytesMax) reject(tooLarge(bytesMax))
    })
    request.once('end', () => {
      if (byteLength > bytesMax) reject(tooLarge(bytesMax))
      else resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
    })
    request.once('error', (error) => reject(new LsmtError('57014', 'the client went away', {}, error)))
    request.once('close', () => {
      if (!request.complete) reject(new LsmtError('57014', 'the client went away'))
    })
  })
}

/** Bytes read and dropped of a body that is too large, in multiples of the limit. */
const drainFactor = 4

export function tooLarge(bytesMax: number): LsmtError {
  return new LsmtError('54000', `the body is larger than ${bytesMax} bytes`)
}

/** Bytes of a body that nobody wants that are read before the connection is cut. */
const droppedBytesMax = 1024 * 1024

/** Reads a body that nobody wants, so that the client hears the answer; a long one is cut. */
export function drop(request: IncomingMessage): void {
  let byteLength = 0
  request.on('data', (chunk: Buffer) => {
    byteLength += chunk.length
    if (byteLength > droppedBytesMax) request.destroy()
  })
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** 22P02 when the bytes are not UTF-8: nothing is replaced silently. A byte order mark is dropped. */
export function decodeUtf8(body: Buffer): string {
  try {
    return utf8.decode(body)
  } catch (error) {
    throw new LsmtError('22P02', 'the body is not valid UTF-8', {}, error)
  }
}
