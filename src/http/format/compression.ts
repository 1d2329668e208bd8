/** Compressed bodies: which encoding a client takes, and the stream that makes it. */
import { pipeline } from 'node:stream'
import { constants, createBrotliCompress, createGunzip, createGzip } from 'node:zlib'
import type { BrotliCompress, Gzip } from 'node:zlib'
import Negotiator from 'negotiator'
import { LsmtError } from '../../errors.ts'

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

/** Text rarely becomes a fiftieth; what would become more times as long is made to fill disks. */
const expansionMax = 200, expandedBytesFree = 16 * 1024 * 1024

/** The bytes of a gzip stream. 22P02 when it is none, or broken off; 54000 when it grows beyond reason. */
export async function* gunzipped(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytesIn = 0
  let bytesOut = 0
  const stream = createGunzip()
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const bytes of source) {
      bytesIn += bytes.length
      yield bytes
    }
  }
  // A failure of either side is told by the stream.
  pipeline(counted, stream, () => {})
  try {
    for await (const bytes of stream as AsyncIterable<Uint8Array>) {
      bytesOut += bytes.length
      if (bytesOut > expandedBytesFree && bytesOut > expansionMax * bytesIn) throw new LsmtError('54000', `the body becomes more than ${expansionMax} times as long when it is decompressed`)
      yield bytes
    }
  } catch (error) {
    throw error instanceof LsmtError ? error : new LsmtError('22P02', 'the body is not gzip, or breaks off', {}, error)
  }
}
