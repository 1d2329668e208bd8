/** What a node does for others, given to the transport as plain functions by the name of what is asked. */
import type { LsmtError } from '../../../errors.ts'

export interface QuestionContext {
  /** The node that asks; it has proved that it is. */
  readonly from: string
  /** Aborts when nobody waits any more: cancelled, out of time, or the connection is gone. Its reason is an LsmtError. */
  readonly signal: AbortSignal
  /** Aborts when the connection that it came over is gone; the same one for all that comes over it, and so for one start of that node. */
  readonly connection: AbortSignal
}

/** Errors other than LsmtError are bugs: the other side is told XX000, the log has the rest. The body is a view: copy what is kept. */
export type RequestHandler = (body: Uint8Array, context: QuestionContext) => Promise<Uint8Array>

/**
 * Only reads: a stream that breaks off is asked for again. Pieces of any size; the next one is asked for when there is room
 * for it, and the iteration is ended when nobody reads any more.
 */
export type StreamHandler = (body: Uint8Array, context: QuestionContext) => AsyncIterable<Uint8Array>

export interface Services {
  /** Must not wait, nor throw but LsmtError 08P01 for a body that is wrong, which cuts the connection. */
  readonly message: (from: string, body: Uint8Array) => void
  readonly requests: Readonly<Record<string, RequestHandler>>
  readonly streams: Readonly<Record<string, StreamHandler>>
  /** An error of a handler that is a bug. */
  readonly failed: (method: string, error: unknown) => LsmtError
}
