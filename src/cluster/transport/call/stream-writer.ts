/** Cuts what is streamed into pieces, and sends each when the reader has room for it and the piece before has left. */
import type { LsmtError } from '../../../errors.ts'
import { violation } from '../frame/frame.ts'
import { u32Max } from './question.ts'

export interface StreamWriter {
  /** Resolves when all of it has left; rejects with the signal's reason when it is aborted. */
  write(bytes: Uint8Array): Promise<void>
  addCredit(byteCount: number): void
}

/** Small enough that messages never wait long behind one. */
const pieceBytesMax = 64 * 1024

export function createStreamWriter(windowBytes: number, signal: AbortSignal, send: (piece: Uint8Array, taken: () => void) => void): StreamWriter {
  let creditBytes = windowBytes
  let wake = (): void => {}
  signal.addEventListener('abort', () => wake())

  async function write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength;) {
      while (creditBytes === 0 && !signal.aborted) await new Promise<void>((resolve) => void (wake = resolve))
      if (signal.aborted) throw signal.reason as LsmtError
      const piece = bytes.subarray(at, at + Math.min(pieceBytesMax, creditBytes))
      creditBytes -= piece.byteLength
      at += piece.byteLength
      await new Promise<void>((resolve) => send(piece, resolve))
    }
    if (signal.aborted) throw signal.reason as LsmtError
  }

  return {
    write,
    addCredit(byteCount) {
      creditBytes += byteCount
      if (creditBytes > u32Max) throw violation(`credit of ${creditBytes} bytes for one stream`)
      wake()
    },
  }
}
