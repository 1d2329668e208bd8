/** A stream read by counts of bytes instead of by the pieces in which it comes. */
import { LsmtError } from '../../../errors.ts'

export interface StreamBytes {
  /** Some bytes, at most so many, and at least one; good until the next call. 08006 at the end. */
  some(byteLengthMax: number): Promise<Uint8Array>
  /** Exactly so many, of one's own. */
  exactly(byteLength: number): Promise<Uint8Array>
  /** Ends the stream where it is. */
  end(): Promise<void>
}

export function createStreamBytes(chunks: AsyncGenerator<Uint8Array, void, void>): StreamBytes {
  let rest: Uint8Array = new Uint8Array(0)

  async function some(byteLengthMax: number): Promise<Uint8Array> {
    while (rest.byteLength === 0) {
      const next = await chunks.next()
      if (next.done === true) throw new LsmtError('08006', 'a stream of files ended before its files did')
      rest = next.value
    }
    const taken = rest.subarray(0, byteLengthMax)
    rest = rest.subarray(taken.byteLength)
    return taken
  }

  return {
    some,
    async exactly(byteLength) {
      const bytes = new Uint8Array(byteLength)
      for (let at = 0; at < byteLength;) {
        const piece = await some(byteLength - at)
        bytes.set(piece, at)
        at += piece.byteLength
      }
      return bytes
    },
    async end() {
      await chunks.return(undefined)
    },
  }
}
