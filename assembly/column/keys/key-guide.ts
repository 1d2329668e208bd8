/*
 * A guide to a chunk of keys in memory: of each 16th key the 8 bytes behind those that all keys of the chunk begin with, big-endian and
 * zero-padded, side by side behind the chunk's text. A search of the keys themselves touches a place of the chunk a step, most of which
 * the processor has to wait for; the guides of many chunks stay in its caches, and lead to 16 rows, which whoever searches mostly reads then
 * (as sparse indexes of sorted files do, and cache-conscious trees: Rao, Ross, "Making B+-Trees Cache Conscious in Main Memory", 2000).
 * Of keys whose heads are alike it leads to more rows, and never past the one that is searched for.
 */
import { commonPrefixBytes } from '../../compare/common-prefix'
import { textCompare } from '../../compare/text'
import { chunkByteLength, chunkCount, chunkEncoding, chunkHasNulls, chunkText, ENCODING_TEXT_PLAIN, FLAG_GUIDE, GUIDE_ROWS } from '../layout'
import { prefix64 } from '../text/compare'
import { TextPlace } from '../text/places'

function headCount(count: u32): u32 { return (count + GUIDE_ROWS - 1) / GUIDE_ROWS }

function headsOf(chunk: usize): usize { return chunk + load<u32>(chunk, 36) }

function sharedBytes(chunk: usize): u32 { return load<u32>(chunk, 32) }

export function columnGuide(chunk: usize): void {
  const count = <u32>chunkCount(chunk)
  if (chunkEncoding(chunk) != ENCODING_TEXT_PLAIN || chunkHasNulls(chunk) || count <= GUIDE_ROWS) return
  const text = chunkText(chunk), first = TextPlace.plainRef(chunk, 0, text), last = TextPlace.plainRef(chunk, count - 1, text)
  const shared = commonPrefixBytes(<usize>(first & 0xffffffff), <usize>(last & 0xffffffff), min(<u32>(first >>> 32), <u32>(last >>> 32)))
  const byteLength = chunkByteLength(chunk)
  let head = chunk + byteLength
  for (let row: u32 = 0; row < count; row += GUIDE_ROWS, head += 8) {
    const ref = TextPlace.plainRef(chunk, row, text)
    store<u64>(head, prefix64(<usize>(ref & 0xffffffff) + shared, <u32>(ref >>> 32) - shared))
  }
  store<u8>(chunk, FLAG_GUIDE, 2)
  store<u32>(chunk, shared, 32)
  store<u32>(chunk, byteLength, 36)
  store<u32>(chunk, <u32>(head - chunk), 8)
}

export class KeyGuide {
  static isIn(chunk: usize): bool { return (load<u8>(chunk, 2) & FLAG_GUIDE) != 0 }

  /** The first row that is not below a key is between `from` (lower half) and `to` (upper half), or is `to`; every row before `from` is below. */
  static rows(chunk: usize, key: usize, keyBytes: u32): u64 {
    const count = <u32>chunkCount(chunk), shared = sharedBytes(chunk)
    const order = textCompare(chunkText(chunk), shared, key, min(shared, keyBytes))
    if (order != 0) return order < 0 ? window(count, count) : 0
    const head = prefix64(key + shared, keyBytes - shared), heads = headsOf(chunk), all = headCount(count), below = headsBelow(heads, all, head)
    let notAbove = below
    if (below < all && load<u64>(heads + (<usize>below << 3)) == head) notAbove = head == u64.MAX_VALUE ? all : headsBelow(heads, all, head + 1)
    return window(below == 0 ? 0 : (below - 1) * GUIDE_ROWS + 1, min(notAbove * GUIDE_ROWS, count))
  }
}

function window(from: u32, to: u32): u64 { return <u64>from | (<u64>to << 32) }

/** No branch depends on the keys. */
function headsBelow(heads: usize, count: u32, head: u64): u32 {
  let from: u32 = 0, rest = count
  while (rest > 1) {
    const half = rest >> 1
    from = select<u32>(from + half, from, load<u64>(heads + (<usize>(from + half - 1) << 3)) < head)
    rest -= half
  }
  return from + <u32>(load<u64>(heads + (<usize>from << 3)) < head)
}
