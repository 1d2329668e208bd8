/** Plans reads of chunks: which to fetch together. Pure. */

/** One chunk to be read: its index in the file's directory, and where its bytes are. */
export interface ChunkRange {
  readonly index: number
  readonly byteOffset: number
  readonly byteLength: number
}

/** One request, and the chunks that it brings. */
export interface PlannedRead {
  readonly byteOffset: number
  readonly byteLength: number
  readonly chunks: readonly ChunkRange[]
}

/** Bytes that are cheaper to read along than to leave out by a request more. */
export const gapBytesMax = 32 * 1024
/** A request is not made longer than this by joining. */
export const readBytesMax = 4 * 1024 * 1024

/** Joins chunks, given in ascending order of offset, into requests. */
export function planReads(chunks: readonly ChunkRange[], gapMax = gapBytesMax, bytesMax = readBytesMax): PlannedRead[] {
  const reads: { byteOffset: number; byteLength: number; chunks: ChunkRange[] }[] = []
  for (const chunk of chunks) {
    const last = reads.at(-1)
    const end = chunk.byteOffset + chunk.byteLength
    if (last !== undefined && chunk.byteOffset - (last.byteOffset + last.byteLength) <= gapMax && end - last.byteOffset <= bytesMax) {
      last.byteLength = end - last.byteOffset
      last.chunks.push(chunk)
    } else {
      reads.push({ byteOffset: chunk.byteOffset, byteLength: chunk.byteLength, chunks: [chunk] })
    }
  }
  return reads
}
