/**
 * The way to one member, as the calls see it: one request is one HTTP POST, nothing is repeated underneath, and every
 * outcome is data. `http-transport.ts` speaks to real members; tests have a model of etcd and scripts in its place.
 */

export interface TransportRequest {
  /** Base of the member's URL. */
  readonly endpoint: string
  /** Below '/v3/', such as 'kv/range'. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Ends the request, and the stream that it may have become. */
  readonly signal: AbortSignal
}

export interface TransportFailure {
  readonly kind: 'failed'
  readonly reason: string
  /** The member may have the request, and may act on it yet. */
  readonly mayHaveArrived: boolean
}

export type Reply = { readonly kind: 'answered'; readonly status: number; readonly body: string } | TransportFailure

export type StreamReply = { readonly kind: 'open'; readonly lines: Lines } | Reply

/** Lines as they come, none before it is asked for; returns why there are no more. Must be read to its end or returned. */
export type Lines = AsyncGenerator<string, string>

export interface Transport {
  post(request: TransportRequest): Promise<Reply>
  /** `open` for status 200; any other status is an answer. */
  stream(request: TransportRequest): Promise<StreamReply>
  /** Ends what is open. */
  close(): void
}
