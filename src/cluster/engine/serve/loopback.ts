/** The channel between nodes, on which this node answers itself as it answers others. */
import { LsmtError } from '../../../errors.ts'
import type { Channel } from '../../fragments/client/peer.ts'
import type { QuestionContext, RequestHandler, StreamHandler } from '../../transport/call/services.ts'

export interface LoopbackOptions {
  readonly self: string
  readonly others: () => Channel
  readonly requests: Readonly<Record<string, RequestHandler>>
  readonly streams: Readonly<Record<string, StreamHandler>>
  /** Aborts when the node is closed. */
  readonly closing: AbortSignal
}

const noSuch = (method: string): LsmtError => new LsmtError('0A000', `this node does not answer '${method}'`)

export function createLoopback({ self, others, requests, streams, closing }: LoopbackOptions): Channel {
  const contextOf = (signal: AbortSignal | undefined): QuestionContext => ({ from: self, signal: signal === undefined ? closing : AbortSignal.any([signal, closing]), connection: closing })
  return {
    async request(node, method, body, options) {
      if (node !== self) return await others().request(node, method, body, options)
      const handler = requests[method]
      if (handler === undefined) throw noSuch(method)
      return await handler(Buffer.concat(body), contextOf(options.signal))
    },
    async *stream(node, method, body, options = {}) {
      if (node !== self) return yield* others().stream(node, method, body, options)
      const handler = streams[method]
      if (handler === undefined) throw noSuch(method)
      yield* handler(Buffer.concat(body), contextOf(options.signal))
    },
  }
}
