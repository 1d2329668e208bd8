/**
 * Chunks of compressed text that point reads, or short ranges, keep asking for. Each such read expands some 8 KiB for one value, which costs
 * more than all else that it does; of an expanded chunk it takes the value as it stands. That takes two or three times the memory,
 * so it is done for chunks that were asked for often enough: early where there is room, since it costs no more than a few of these
 * reads; where others must go, only after many reads between two passes of the hand, as one of them that must be read
 * again costs as much as some dozen expanded parts. For files that are far away it costs as much as thousands of them: of these
 * chunks are expanded only while the cache is mostly empty.
 *
 * A chunk is expanded when the next such read of its file begins: making room evicts others, which the row that is
 * being read may need.
 */
import type { OpenFile } from './open-file.ts'

/** Point reads of a chunk that expanded a part of it. */
const partReadsFew = 4, partReadsMany = 64

/** A point read, or a short range, has to expand a part of a chunk. */
export function notePartRead(file: OpenFile, index: number): void {
  const { cache, cached } = file
  cache.notePartRead(cached, index)
  if (cache.partReads(cached, index) >= partReadsFew) file.askedOften = index
}

/** Expands the chunk that was asked for often, if that pays. May evict others, the file's tail too where it is not held. */
export function expandAskedOften(file: OpenFile, index: number): void {
  const { cache, cached, kernel: { exports } } = file
  file.askedOften = -1
  const chunk = cache.peek(cached, index)
  const byteLength = chunk === 0 ? 0 : exports.columnExpandedBytes(chunk)
  // Of malformed text it is whoever reads the row that can say where it stands.
  if (byteLength > 0 && pays(file, index, byteLength)) cache.rewrite(cached, index, byteLength, (from, to) => exports.columnExpand(from, to) === byteLength)
}

function pays({ cache, cached, object }: OpenFile, index: number, byteLength: number): boolean {
  if (object.readSync === undefined) return cache.hasRoom(byteLength + cache.bytesMax / 2)
  return cache.hasRoom(byteLength) || cache.partReads(cached, index) >= partReadsMany
}
