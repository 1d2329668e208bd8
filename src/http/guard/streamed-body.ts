/** A body that is read as it arrives, and only as fast as its reader asks for more: what is not asked for stays with the client. */
import type { IncomingMessage } from 'node:http'
import { LsmtError } from '../../errors.ts'

/** 57014 when the client goes away before the end, or sends no byte for `silenceMsMax`. The request stays open when its reader stops early. */
export async function* streamedBody(request: IncomingMessage, silenceMsMax: number): AsyncGenerator<Buffer> {
  const pieces = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>
  try {
    for (;;) {
      const piece = await unlessSilent(pieces.next(), silenceMsMax)
      if (piece.done === true) return
      yield piece.value
    }
  } catch (error) {
    throw error instanceof LsmtError ? error : new LsmtError('57014', 'the client went away', {}, error)
  } finally {
    // One that waits for a byte would wait with it.
    pieces.return?.().catch(() => {})
  }
}

function unlessSilent<T>(piece: Promise<T>, silenceMsMax: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new LsmtError('57014', `nothing of the body arrived for ${silenceMsMax} ms`)), silenceMsMax)
    piece.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
