/** Bodies of requests: read up to a limit for each and one for all, in bounded time, and only as valid UTF-8. */
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { LsmtError } from '../../errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import { createDeadlines } from './deadlines.ts'
import type { Deadlines } from './deadlines.ts'
import type { HttpLimits } from './limits.ts'

/** Who waits for a body; one of the two is called, once. */
export interface BodyReader {
  /** The whole body, which counts among those that are held until it is released. */
  whole(body: Buffer): void
  failed(error: LsmtError): void
}

export interface Bodies {
  /**
   * Calls the reader when the body is there; calls instead of promises, since most bodies arrive with their head. 54000
   * when it is larger than the limit: it is then still read to its end, up to a limit, so that the client hears the answer
   * instead of a broken connection. 53200 when all bodies together are too many bytes. 57014 when it does not arrive in
   * time, or the client goes away before its end.
   */
  read(request: IncomingMessage, reader: BodyReader): void
  /** Counts a body that is here among those that are held. False when they are too many bytes. */
  hold(body: Buffer): boolean
  release(body: Buffer): void
  /** Bytes of all bodies that are held. */
  readonly bytesHeld: number
}

type BodyLimits = Pick<HttpLimits, 'bodyBytesMax' | 'bodiesBytesMax' | 'bodyTimeoutMs'>

export function createBodies(limits: BodyLimits, clock: Clock): Bodies {
  const held = { bytes: 0 }
  const deadlines = createDeadlines<Reading>(clock, limits.bodyTimeoutMs, (reading) => fail(reading, new LsmtError('57014', `the body did not arrive within ${limits.bodyTimeoutMs} ms`)))
  return {
    read(request, reader) {
      const reading: Reading = { limits, held, deadlines, reader, chunks: [], byteLength: 0, keptBytes: 0, isOver: false }
      deadlines.add(reading)
      follow(request, reading)
    },
    hold(body) {
      if (held.bytes + body.length > limits.bodiesBytesMax) return false
      held.bytes += body.length
      return true
    },
    release(body) {
      held.bytes -= body.length
    },
    get bytesHeld() { return held.bytes },
  }
}

interface Reading {
  readonly limits: BodyLimits
  readonly held: { bytes: number }
  readonly deadlines: Deadlines<Reading>
  readonly reader: BodyReader
  readonly chunks: Buffer[]
  byteLength: number
  /** Counted in `held`. */
  keptBytes: number
  isOver: boolean
}

/** Listeners stay when the reading is over: to take them off costs more than to have them ask. */
function follow(request: IncomingMessage, reading: Reading): void {
  request.on('data', (chunk: Buffer) => {
    if (reading.isOver) return
    const refusal = add(reading, chunk)
    if (refusal !== undefined) fail(reading, refusal)
  })
  request.on('end', () => finish(reading))
  request.on('error', (error: Error) => fail(reading, new LsmtError('57014', 'the client went away', {}, error)))
  request.on('close', () => {
    if (!reading.isOver) fail(reading, new LsmtError('57014', 'the client went away'))
  })
}

function finish(reading: Reading): void {
  const { limits: { bodyBytesMax }, chunks, deadlines, reader } = reading
  if (reading.isOver) return
  if (reading.byteLength > bodyBytesMax) {
    fail(reading, tooLarge(bodyBytesMax))
    return
  }
  reading.isOver = true
  deadlines.remove(reading)
  reader.whole(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
}

function fail(reading: Reading, error: LsmtError): void {
  if (reading.isOver) return
  reading.isOver = true
  reading.deadlines.remove(reading)
  reading.held.bytes -= reading.keptBytes
  reading.chunks.length = 0
  reading.reader.failed(error)
}

/** Bytes read and dropped of a body that is too large, in multiples of the limit. */
const drainFactor = 4

/** Keeps a chunk, or drops it when there are too many; an error when the rest is not worth reading. */
function add(reading: Reading, chunk: Buffer): LsmtError | undefined {
  const { limits: { bodyBytesMax, bodiesBytesMax }, held, chunks } = reading
  reading.byteLength += chunk.length
  if (reading.byteLength > bodyBytesMax) {
    held.bytes -= reading.keptBytes
    reading.keptBytes = 0
    chunks.length = 0
    return reading.byteLength > drainFactor * bodyBytesMax ? tooLarge(bodyBytesMax) : undefined
  }
  if (held.bytes + chunk.length > bodiesBytesMax) return new LsmtError('53200', `the bodies of all requests together are more than ${bodiesBytesMax} bytes`, { hint: 'try again later' })
  held.bytes += chunk.length
  reading.keptBytes += chunk.length
  chunks.push(chunk)
  return undefined
}

export function tooLarge(bytesMax: number): LsmtError {
  return new LsmtError('54000', `the body is larger than ${bytesMax} bytes`)
}

/** Of a body that nobody wants, so much is read, for so long, before the connection is cut. */
const droppedBytesMax = 1024 * 1024, droppedMsMax = 5_000

/** Reads a body that nobody wants, so that the client hears the answer; one that is long, or slow, is cut. */
export function drop(request: IncomingMessage, bytesMax = droppedBytesMax): void {
  if (request.complete || request.destroyed) return
  let byteLength = 0
  const timer = setTimeout(() => request.destroy(), droppedMsMax)
  request.on('data', (chunk: Buffer) => {
    byteLength += chunk.length
    if (byteLength > bytesMax) request.destroy()
  })
  // An aborted one says so by an error first, which nobody waits for any more.
  request.on('error', () => {})
  request.once('close', () => clearTimeout(timer))
  request.once('end', () => clearTimeout(timer))
}

/** 22021 when the bytes are not UTF-8: nothing is replaced silently. A byte order mark is dropped. */
export function decodeUtf8(body: Buffer): string {
  if (!isUtf8(body)) throw new LsmtError('22021', 'the body is not valid UTF-8')
  const hasMark = body.length >= 3 && body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf
  return body.toString('utf8', hasMark ? 3 : 0)
}
