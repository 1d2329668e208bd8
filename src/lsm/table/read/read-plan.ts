/** Plans reads of chunks: which to fetch together. Pure. */

/** One chunk to be read: its index in the file's directory, and where its bytes are. */
export interface ChunkRange {
  readonly index: number
  readonly byteOffset: number
  readonly byteLength: number
}

/** One request, and the chunks that it brings. */
export interface PlannedRead<Chunk extends ChunkRange = ChunkRange> {
  readonly byteOffset: number
  readonly byteLength: number
  readonly chunks: readonly Chunk[]
}

export interface ReadLimits {
  /** Bytes that are cheaper to read along than to leave out by a request more. */
  readonly gapBytesMax: number
  /** A request is not made longer than this by joining. */
  readonly readBytesMax: number
}

export const nearReads: ReadLimits = { gapBytesMax: 32 * 1024, readBytesMax: 4 * 1024 * 1024 }
/** Of an object store: until its first byte comes, a connection would have brought a megabyte or so. */
export const farReads: ReadLimits = { gapBytesMax: 1024 * 1024, readBytesMax: 8 * 1024 * 1024 }

/** Joins chunks, given in ascending order of offset, into requests. */
export function planReads<Chunk extends ChunkRange>(chunks: readonly Chunk[], { gapBytesMax, readBytesMax }: ReadLimits): PlannedRead<Chunk>[] {
  const reads: { byteOffset: number; byteLength: number; chunks: Chunk[] }[] = []
  for (const chunk of chunks) {
    const last = reads.at(-1)
    const end = chunk.byteOffset + chunk.byteLength
    if (last !== undefined && chunk.byteOffset - (last.byteOffset + last.byteLength) <= gapBytesMax && end - last.byteOffset <= readBytesMax) {
      last.byteLength = end - last.byteOffset
      last.chunks.push(chunk)
    } else {
      reads.push({ byteOffset: chunk.byteOffset, byteLength: chunk.byteLength, chunks: [chunk] })
    }
  }
  return reads
}
