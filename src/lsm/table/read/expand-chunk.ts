/**
 * Chunks of compressed text that point reads, or short ranges, keep asking for. Each such read expands some 8 KiB for one value, which costs
 * more than all else that it does; of an expanded chunk it takes the value as it stands. That takes two or three times the memory,
 * so it is done for chunks that were asked for often enough: early where there is room, since it costs no more than a few of these
 * reads; where others must go, only after many reads between two passes of the hand, as one of them that must be read
 * again costs as much as some dozen expanded parts. For files that are far away it costs as much as thousands of them: of these
 * chunks are expanded only while the cache is mostly empty.
 *
 * Chunks of keys that are searched again and again get an index: a search touches a dozen places of the chunk, most of which
 * the processor has to wait for, an index two. It takes some five bytes a row, and making it costs as much as
 * some thirty searches, so it is made only where there is room; searches that the kernel makes by itself (resident-groups.ts) are counted there.
 *
 * All this is done when the next such read of the file begins: making room evicts others, which the row that is being read may
 * need.
 */
import type { Pointer } from '../../../kernel/linear-memory.ts'
import type { CachedFile } from '../chunk-frames.ts'
import type { OpenFile } from './open-file.ts'
import { completeChunk } from './sparse-chunks.ts'

/** Point reads of a chunk that expanded a part of it. */
const partReadsFew = 4, partReadsMany = 64
/** Searches of a chunk of keys. */
const searchesMany = 16
/** What making an index of keys needs beside it. */
const workBytes = 8

/** A point read, or a short range, has to expand a part of a chunk. */
export function notePartRead(file: OpenFile, index: number): void {
  noteUse(file, index, partReadsFew)
  // So that the next read of the row group does what is put off.
  if (file.askedOften === index) file.resident?.untell(index)
}

/** A point read has to search a chunk of keys. */
export function noteSearch(file: OpenFile, index: number): void {
  noteUse(file, index, searchesMany)
}

function noteUse(file: OpenFile, index: number, usesMin: number): void {
  const { cache } = file, chunks = chunksWith(file, index)
  cache.notePartRead(chunks, index)
  if (cache.partReads(chunks, index) >= usesMin) file.askedOften = index
}

/** Where a chunk is, whole or sparse. */
const chunksWith = ({ cached, sparse }: OpenFile, index: number): CachedFile => (sparse !== undefined && cached.frames[index] === 0 ? sparse : cached)

/** Makes what was asked for often quicker to read, if that pays. May evict others, the file's tail too where it is not held. */
export function quickenAskedOften(file: OpenFile, index: number): void {
  const { cache, cached, object, kernel: { exports } } = file
  file.askedOften = -1
  const chunks = chunksWith(file, index), chunk = cache.peek(chunks, index)
  if (chunk === 0) return
  const expandedBytes = exports.columnExpandedBytes(chunk)
  // Of malformed text it is whoever reads the row that can say where it stands.
  if (expandedBytes > 0) {
    if (!pays(file, index, expandedBytes)) return
    if (chunks !== cached && !completeChunk(file, index, (into, at) => object.readSync!(into, at))) return
    cache.rewrite(cached, index, expandedBytes, (from, to) => exports.columnExpand(from, to) === expandedBytes)
  } else if (cache.keyIndex(cached, index) === 0) indexKeys(file, index, chunk)
}

function indexKeys(file: OpenFile, index: number, chunk: Pointer): void {
  const { cache, cached, kernel: { exports, memory: { u8 } } } = file
  const indexBytes = exports.columnKeyIndexBytes(chunk), chunkBytes = exports.columnByteLength(chunk)
  if (indexBytes === 0 || !cache.hasRoom(chunkBytes + indexBytes + workBytes)) return
  const isIndexed = cache.rewrite(cached, index, chunkBytes + indexBytes + workBytes, (from, to) => {
    u8.copyWithin(to, from, from + chunkBytes)
    exports.columnIndexKeys(to, to + chunkBytes, to + chunkBytes + indexBytes)
    return true
  }, chunkBytes)
  if (isIndexed) file.makeResident()
}

function pays(file: OpenFile, index: number, byteLength: number): boolean {
  const { cache, object } = file
  if (object.readSync === undefined) return cache.hasRoom(byteLength + cache.bytesMax / 2)
  return cache.hasRoom(byteLength) || cache.partReads(chunksWith(file, index), index) >= partReadsMany
}
