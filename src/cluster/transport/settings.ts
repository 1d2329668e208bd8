/** Tunables of the channel between nodes, as plain data. Sizes in bytes. */
export interface TransportSettings {
  /** Between signs of life on each connection, in both directions. */
  readonly heartbeatMs: number
  /** Without a byte from the other side a connection is cut; below what replication takes for the loss of a member. */
  readonly silentMsMax: number
  /** To open a connection, TLS and the upgrade included. */
  readonly connectMsMax: number
  /** From the upgrade until both sides have proved who they are. */
  readonly handshakeMsMax: number
  /** The wait before the first new attempt, which doubles up to the greatest. */
  readonly reconnectMs: number
  readonly reconnectMsMax: number
  /** Connections whose peers have not proved who they are; with one more the oldest is cut. */
  readonly handshakesMax: number
  /** Payload of one frame. */
  readonly frameBytesMax: number
  /** What waits to be sent to a peer; beyond it messages are dropped and requests refused. */
  readonly queueBytesMax: number
  /** Requests of one peer that are being handled, and the payloads of these. */
  readonly requestsMax: number
  readonly requestBytesMax: number
  /** Of one answer; more is what streams are for. */
  readonly answerBytesMax: number
  /** Streams of one peer that are open. */
  readonly streamsMax: number
  /** What a stream may have under way and unread. */
  readonly streamWindowBytes: number
}

const KiB = 1024
const MiB = 1024 * KiB

export const defaultTransportSettings: TransportSettings = {
  heartbeatMs: 200,
  silentMsMax: 1_000,
  connectMsMax: 1_000,
  handshakeMsMax: 2_000,
  reconnectMs: 50,
  reconnectMsMax: 1_000,
  handshakesMax: 64,
  frameBytesMax: 64 * MiB,
  queueBytesMax: 16 * MiB,
  requestsMax: 1_024,
  requestBytesMax: 64 * MiB,
  answerBytesMax: 1 * MiB,
  streamsMax: 512,
  streamWindowBytes: 1 * MiB,
}
