/**
 * Bytes as they arrive, cut into frames. A frame that came in one piece is a view of it; of one that did not, what has
 * arrived is kept and joined at its end, so memory is taken for bytes that are here, never for those that are promised.
 */
import { checkPayload, decodeFrameHeader, frameHeaderBytes } from './frame.ts'
import type { Frame, FrameHeader } from './frame.ts'

export interface FrameReader {
  /** Gives all frames that are whole with it to `take`, one after the other. 08P01 for the first one that is none. */
  push(chunk: Uint8Array): void
}

/** `payloadBytesMax` is asked for each frame. */
export function createFrameReader(payloadBytesMax: () => number, take: (frame: Frame) => void): FrameReader {
  let waiting: Buffer[] = []
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
      if (waitingBytes + piece.length < wantedBytes) {
        waiting.push(piece)
        waitingBytes += piece.length
        return
      }
      const whole = waitingBytes === 0 ? piece : Buffer.concat([...waiting, piece])
      waiting = []
      waitingBytes = 0
      read(whole)
    }
  }

  return { push }
}
