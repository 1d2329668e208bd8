/** What has come of a stream and was not read yet. The other side never has more under way than the window that it was given. */
import type { LsmtError } from '../../../errors.ts'
import { violation } from '../frame/frame.ts'

export interface StreamReader {
  take(chunk: Uint8Array): void
  /** The other side's end, or its failure; nothing comes any more. Chunks that are here are still read before the end. */
  finish(error?: LsmtError): void
  /** Ours: raised as soon as the reader is asked again, and the other side is still to be told. */
  fail(error: LsmtError): void
  /** Each is the reader's until it asks for the next. Once. */
  chunks(): AsyncGenerator<Uint8Array, void, void>
  /** The other side has ended it. */
  readonly isOver: boolean
}

export function createStreamReader(windowBytes: number, giveCredit: (byteCount: number) => void): StreamReader {
  const waiting: Uint8Array[] = []
  let roomBytes = windowBytes, readBytes = 0
  let isOver = false
  let overError: LsmtError | undefined, failure: LsmtError | undefined
  let wake = (): void => {}

  function consumed(byteCount: number): void {
    readBytes += byteCount
    if (readBytes < windowBytes / 2 || isOver) return
    roomBytes += readBytes
    giveCredit(readBytes)
    readBytes = 0
  }

  async function* chunks(): AsyncGenerator<Uint8Array, void, void> {
    for (;;) {
      if (failure !== undefined) throw failure
      const chunk = waiting.shift()
      if (chunk !== undefined) {
        yield chunk
        consumed(chunk.byteLength)
      } else if (overError !== undefined) throw overError
      else if (isOver) return
      else await new Promise<void>((resolve) => void (wake = resolve))
    }
  }

  return {
    take(chunk) {
      if (isOver) throw violation('a piece of a stream after its end')
      roomBytes -= chunk.byteLength
      if (roomBytes < 0) throw violation(`a stream ${-roomBytes} bytes beyond its window`)
      if (chunk.byteLength > 0) waiting.push(chunk)
      wake()
    },
    finish(error) {
      isOver = true
      overError ??= error
      wake()
    },
    fail(error) {
      failure = error
      wake()
    },
    chunks,
    get isOver() { return isOver },
  }
}
