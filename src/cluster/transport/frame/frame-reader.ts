/**
 * Bytes as they arrive, cut into frames. A frame that came in one piece is a view of it; one that did not is put together
 * in a buffer that grows with what has arrived, so memory is taken for bytes that are here, never for those that are
 * promised, nor for the pieces in which they come.
 */
import { checkPayload, decodeFrameHeader, frameHeaderBytes } from './frame.ts'
import type { Frame, FrameHeader } from './frame.ts'

export interface FrameReader {
  /** Gives all frames that are whole with it to `take`, one after the other. 08P01 for the first one that is none. */
  push(chunk: Uint8Array): void
}

/** Of the buffer of a frame that comes in pieces, unless it is smaller. */
const growthBytesMin = 64 * 1024

/** `payloadBytesMax` is asked for each frame. */
export function createFrameReader(payloadBytesMax: () => number, take: (frame: Frame) => void): FrameReader {
  let waiting = Buffer.alloc(0)
  let waitingBytes = 0
  let wantedBytes = frameHeaderBytes
  let header: FrameHeader | undefined

  /** A step forward from `piece`, which has just what is wanted. */
  function read(piece: Buffer): void {
    if (header === undefined) {
      header = decodeFrameHeader(piece, payloadBytesMax())
      wantedBytes = header.payloadBytes
      if (wantedBytes > 0) return
      piece = piece.subarray(frameHeaderBytes)
    }
    const { kind, call } = header
    checkPayload(header, piece)
    header = undefined
    wantedBytes = frameHeaderBytes
    take({ kind, call, payload: piece })
  }

  function push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let at = 0
    while (at < bytes.length) {
      const piece = bytes.subarray(at, at + wantedBytes - waitingBytes)
      at += piece.length
      if (piece.length === wantedBytes) read(piece)
      else keep(piece)
    }
  }

  function keep(piece: Buffer): void {
    const keptBytes = waitingBytes + piece.length
    if (keptBytes > waiting.length) {
      const larger = Buffer.allocUnsafe(Math.min(wantedBytes, Math.max(keptBytes, 2 * waiting.length, growthBytesMin)))
      waiting.copy(larger, 0, 0, waitingBytes)
      waiting = larger
    }
    piece.copy(waiting, waitingBytes)
    waitingBytes = keptBytes
    if (keptBytes < wantedBytes) return
    const whole = waiting
    waiting = Buffer.alloc(0)
    waitingBytes = 0
    read(whole.subarray(0, keptBytes))
  }

  return { push }
}
