/** Compressed bodies: which encoding a client takes, and the stream that makes it. */
import { constants, createBrotliCompress, createGzip } from 'node:zlib'
import type { BrotliCompress, Gzip } from 'node:zlib'
import Negotiator from 'negotiator'

export type Encoding = 'gzip' | 'br'

/** Bodies shorter than this go as they are: compressed they would hardly be shorter, and later. */
export const compressedBytesMin = 1_024

/** The first of those that the client likes best; undefined: as it is, which every client takes. Deflate is not offered, since clients disagree on what it means. */
export function chooseEncoding(acceptEncoding: string | undefined): Encoding | undefined {
  if (acceptEncoding === undefined) return undefined
  const negotiator = new Negotiator({ headers: { 'accept-encoding': acceptEncoding } })
  const chosen = negotiator.encoding(['gzip', 'br', 'identity'])
  return chosen === 'gzip' || chosen === 'br' ? chosen : undefined
}

export interface Compressor {
  readonly stream: Gzip | BrotliCompress
  /** Sends on what was compressed so far. */
  flush(): void
}

/** Levels for bodies that are made once for one reader: most of the gain for a small part of the time. */
export function createCompressor(encoding: Encoding): Compressor {
  if (encoding === 'br') {
    const stream = createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 3, [constants.BROTLI_PARAM_LGWIN]: 18 } })
    return { stream, flush: () => stream.flush(constants.BROTLI_OPERATION_FLUSH) }
  }
  const stream = createGzip({ level: 3 })
  return { stream, flush: () => stream.flush(constants.Z_SYNC_FLUSH) }
}
