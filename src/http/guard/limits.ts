/** What a server takes from its clients, as plain data. */
export interface HttpLimits {
  /** Of one body that is read whole. */
  readonly bodyBytesMax: number
  /** Of all bodies that are held at a time. */
  readonly bodiesBytesMax: number
  /** Characters of a text of statements. */
  readonly statementLengthMax: number
  readonly headerBytesMax: number
  readonly headersMax: number
  readonly connectionsMax: number
  /** Requests whose statements run at a time, and those that wait for their turn. */
  readonly queriesMax: number
  readonly queueMax: number
  /** For the statements of a query, waiting for their turn and the reading of their answer included; a request may ask for less. 0: no limit. */
  readonly statementTimeoutMs: number
  /** From the first moment of a connection, or the first byte of a further request, to the end of the headers. */
  readonly headersTimeoutMs: number
  /** For a body that is read whole, or without any byte of one that is streamed. */
  readonly bodyTimeoutMs: number
  /** Of a connection between requests. */
  readonly idleTimeoutMs: number
  /** Of a client that reads nothing of what is sent to it. */
  readonly stalledTimeoutMs: number
}

const MiB = 1024 * 1024

export const defaultHttpLimits: HttpLimits = {
  bodyBytesMax: 64 * MiB,
  bodiesBytesMax: 256 * MiB,
  statementLengthMax: 64 * MiB,
  headerBytesMax: 16 * 1024,
  headersMax: 100,
  connectionsMax: 16_384,
  queriesMax: 128,
  queueMax: 512,
  statementTimeoutMs: 0,
  headersTimeoutMs: 15_000,
  bodyTimeoutMs: 60_000,
  idleTimeoutMs: 60_000,
  stalledTimeoutMs: 300_000,
}
