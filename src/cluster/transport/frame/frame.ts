/**
 * What goes over a connection between two nodes, after the upgrade: frames, one after the other. Little-endian; never
 * change these numbers: another layout is another version of the handshake.
 *
 *   ┌ u32 crc32 of all that follows │ u32 payload bytes │ u8 kind │ 3 × 0 │ u32 call ┐┌ payload ┐
 *
 * The side that opened the connection asks, the other one answers; `call` tells which question a frame is about, 0 none.
 * The checksum finds bytes that were damaged on the way; against somebody who changes them on purpose there is TLS.
 */
import { crc32 } from 'node:zlib'
import { LsmtError } from '../../../errors.ts'

export const frameHeaderBytes = 16

/** Copying less is quicker than a checksum and a buffer more. */
const copiedBytesMax = 1024

export const frameKinds = {
  /** Handshake (handshake/hello.ts). */
  hello: 1,
  proof: 2,
  refusal: 3,
  /** A sign of life, payload f64, which comes back as `pong`. */
  ping: 4,
  pong: 5,
  /** To the answering side: one way, a question, a question whose answer is a stream, the end of interest, room for more. */
  message: 6,
  request: 7,
  open: 8,
  cancel: 9,
  credit: 10,
  /** To the asking side: the answer, a piece of a stream, its end, or why there is none. */
  answer: 11,
  chunk: 12,
  end: 13,
  failure: 14,
} as const

export type FrameKind = keyof typeof frameKinds

const kindsByNumber: ReadonlyMap<number, FrameKind> = new Map(Object.entries(frameKinds).map(([kind, number]) => [number, kind as FrameKind]))

export interface Frame {
  readonly kind: FrameKind
  readonly call: number
  /** A view of what was received; whoever keeps it keeps up to 64 KiB with it, or copies it. */
  readonly payload: Uint8Array
}

/** A frame to be sent, as buffers that follow each other: small payloads stand behind the header, others are sent from where they are. */
export interface OutgoingFrame {
  readonly parts: readonly Uint8Array[]
  readonly byteLength: number
}

export const violation = (message: string): LsmtError => new LsmtError('08P01', message)

export function encodeFrame(kind: FrameKind, call: number, payload: readonly Uint8Array[]): OutgoingFrame {
  let payloadBytes = 0
  for (const part of payload) payloadBytes += part.byteLength
  const isSmall = payloadBytes <= copiedBytesMax
  const start = Buffer.allocUnsafe(frameHeaderBytes + (isSmall ? payloadBytes : 0))
  start.writeUInt32LE(payloadBytes, 4)
  start.writeUInt32LE(frameKinds[kind], 8)
  start.writeUInt32LE(call, 12)
  if (isSmall) copyAll(payload, start)
  let sum = crc32(start.subarray(4))
  if (!isSmall) for (const part of payload) sum = crc32(part, sum)
  start.writeUInt32LE(sum, 0)
  return { parts: isSmall ? [start] : [start, ...payload], byteLength: frameHeaderBytes + payloadBytes }
}

function copyAll(payload: readonly Uint8Array[], target: Buffer): void {
  let at = frameHeaderBytes
  for (const part of payload) {
    target.set(part, at)
    at += part.byteLength
  }
}

export interface FrameHeader {
  readonly kind: FrameKind
  readonly call: number
  readonly payloadBytes: number
  readonly sum: number
  /** The checksum of the header's part, with which that of the payload goes on. */
  readonly headerSum: number
}

/** 08P01 for what is no header, or one of a frame that is too large. */
export function decodeFrameHeader(header: Buffer, payloadBytesMax: number): FrameHeader {
  const number = header.readUInt32LE(8)
  const kind = kindsByNumber.get(number)
  if (kind === undefined) throw violation(`a frame of unknown kind ${number}`)
  const payloadBytes = header.readUInt32LE(4)
  if (payloadBytes > payloadBytesMax) throw violation(`a frame (${kind}) of ${payloadBytes} bytes, where at most ${payloadBytesMax} are allowed`)
  return { kind, call: header.readUInt32LE(12), payloadBytes, sum: header.readUInt32LE(0), headerSum: crc32(header.subarray(4, frameHeaderBytes)) }
}

export function checkPayload({ kind, sum, headerSum }: FrameHeader, payload: Uint8Array): void {
  const actual = crc32(payload, headerSum)
  if (actual !== sum) throw violation(`a damaged frame (${kind}, ${payload.byteLength} bytes): expected checksum ${sum.toString(16)}, found ${actual.toString(16)}`)
}
