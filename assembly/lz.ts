/**
 * LZ4 blocks (Yann Collet, LZ4 block format): sequences of a token, literals, a 16-bit offset back and a match length.
 * The compressor is the greedy one with a single hash table of positions; it chooses the same matches in both kinds, so
 * files do not depend on who wrote them. The decompressor trusts nothing: whatever the input, it reads only the
 * `byteLength` bytes given and writes only the `outBytes` bytes given.
 */
const tableBits: u32 = 12
const matchBytesMin: u32 = 4
const offsetBits: u32 = 16
/** Ends of a block by the format: the last match starts at least 12 bytes before the end, the last 5 bytes are literals. */
const matchStartMargin: u32 = 12
const lastLiterals: u32 = 5
/** The search steps faster by one byte after every 64 misses. */
const skipBits: u32 = 6

export function lzBound(byteLength: u32): u32 {
  return byteLength + byteLength / 255 + 16
}

export function lzTableBytes(): u32 {
  return 4 << tableBits
}

export function lzCompress(source: usize, byteLength: u32, out: usize, outBytes: u32, table: usize): u32 {
  const end = source + byteLength
  const outEnd = out + outBytes
  let anchor = source
  let to = out
  if (byteLength > matchStartMargin) {
    clearTable(table, source)
    const searchEnd = end - matchStartMargin
    for (let found = findMatch(source + 1, searchEnd, table); found != 0; found = findMatch(anchor, searchEnd, table)) {
      let at = <usize>(found & 0xffffffff)
      let from = <usize>(found >> 32)
      while (load<u8>(at - 1) == load<u8>(from - 1) && at > anchor && from > source) {
        at--
        from--
      }
      const matchBytes = matchBytesMin + commonBytes(at + matchBytesMin, from + matchBytesMin, end - lastLiterals)
      to = writeSequence(to, outEnd, end, anchor, <u32>(at - anchor), <u32>(at - from), matchBytes)
      if (to == 0) return 0
      anchor = at + matchBytes
      // One position inside the match, so that a run that goes on is found at once.
      store<u32>(slotOf(load<u32>(anchor - 2), table), <u32>(anchor - 2))
    }
  }
  to = writeLong(to, outEnd, end, anchor, <u32>(end - anchor), 0, 0)
  return to == 0 || to >= outEnd ? 0 : <u32>(to - out)
}

/** Of all hashes the start of the source was seen last. */
function clearTable(table: usize, source: usize): void {
  const starts = i32x4.splat(<i32>source)
  for (const end = table + (4 << tableBits); table < end; table += 16) v128.store(table, starts)
}

function slotOf(word: u32, table: usize): usize {
  return table + (((word * 2654435761) >> (32 - tableBits)) << 2)
}

/**
 * The first position from `at` up to `searchEnd` at which four bytes are as they were before, and, in the upper half, where; 0 when there is none.
 * Few variables are alive in its loop: all of them stay in registers.
 */
function findMatch(at: usize, searchEnd: usize, table: usize): u64 {
  let misses: u32 = 1 << skipBits
  while (at <= searchEnd) {
    const word = load<u32>(at)
    const slot = slotOf(word, table)
    const from = <usize>load<u32>(slot)
    store<u32>(slot, <u32>at)
    if (((load<u32>(from) ^ word) | (<u32>(at - from) >> offsetBits)) == 0) return <u64>at | (<u64>from << 32)
    at += misses >> skipBits
    misses++
  }
  return 0
}

/** How many bytes at `a` (before `end`) equal those at `b`. */
function commonBytes(a: usize, b: usize, end: usize): u32 {
  const start = a
  while (a + 8 <= end) {
    const difference = load<u64>(a) ^ load<u64>(b)
    if (difference != 0) return <u32>(a - start) + <u32>(ctz(difference) >> 3)
    a += 8
    b += 8
  }
  while (a < end && load<u8>(a) == load<u8>(b)) {
    a++
    b++
  }
  return <u32>(a - start)
}

/** Writes one sequence; returns where the next starts, or 0 when there is no room. */
function writeSequence(to: usize, outEnd: usize, sourceEnd: usize, literals: usize, literalBytes: u32, offset: u32, matchBytes: u32): usize {
  const extra = matchBytes - matchBytesMin
  if (literalBytes < 15 && extra < 15 && to + 32 <= outEnd && literals + 16 <= sourceEnd) {
    store<u8>(to, (literalBytes << 4) | extra)
    v128.store(to + 1, v128.load(literals))
    to += literalBytes
    store<u16>(to + 1, <u16>offset)
    return to + 3
  }
  return writeLong(to, outEnd, sourceEnd, literals, literalBytes, offset, matchBytes)
}

/** The same of any length, and the last one, when `matchBytes` is 0. */
function writeLong(to: usize, outEnd: usize, sourceEnd: usize, literals: usize, literalBytes: u32, offset: u32, matchBytes: u32): usize {
  const matchPart: u32 = matchBytes == 0 ? 0 : 2 + matchBytes / 255 + 1
  const most: u32 = 2 + literalBytes / 255 + literalBytes + matchPart
  if (outEnd < to || <u32>(outEnd - to) < most) return 0
  const extra: u32 = matchBytes == 0 ? 0 : matchBytes - matchBytesMin
  store<u8>(to++, (min<u32>(literalBytes, 15) << 4) | min<u32>(extra, 15))
  if (literalBytes >= 15) to = writeLength(to, literalBytes - 15)
  if (literalBytes <= 16 && literals + 16 <= sourceEnd && to + 16 <= outEnd) v128.store(to, v128.load(literals))
  else memory.copy(to, literals, literalBytes)
  to += literalBytes
  if (matchBytes == 0) return to
  store<u16>(to, <u16>offset)
  to += 2
  return extra >= 15 ? writeLength(to, extra - 15) : to
}

function writeLength(to: usize, rest: u32): usize {
  for (; rest >= 255; rest -= 255) store<u8>(to++, 255)
  store<u8>(to, <u8>rest)
  return to + 1
}

export function lzDecompress(source: usize, byteLength: u32, out: usize, outBytes: u32): i32 {
  const end = source + byteLength
  const outEnd = out + outBytes
  let at = source
  let to = out
  while (at < end) {
    const token = <u32>load<u8>(at++)
    let literalBytes = token >> 4
    if (literalBytes == 15) {
      let more: u32 = 255
      while (more == 255) {
        if (at >= end) return -1
        more = load<u8>(at++)
        literalBytes += more
      }
    }
    if (literalBytes > <u32>(end - at) || literalBytes > <u32>(outEnd - to)) return -1
    if (literalBytes <= 16 && at + 16 <= end && to + 16 <= outEnd) v128.store(to, v128.load(at))
    else memory.copy(to, at, literalBytes)
    at += literalBytes
    to += literalBytes
    if (at == end) return to == outEnd ? <i32>outBytes : -1
    if (at + 2 > end) return -1
    const offset = <u32>load<u16>(at)
    at += 2
    let matchBytes = token & 15
    if (matchBytes == 15) {
      let more: u32 = 255
      while (more == 255) {
        if (at >= end) return -1
        more = load<u8>(at++)
        matchBytes += more
      }
    }
    matchBytes += matchBytesMin
    if (offset == 0 || offset > <u32>(to - out) || matchBytes > <u32>(outEnd - to)) return -1
    copyMatch(to, offset, matchBytes, outEnd)
    to += matchBytes
  }
  // A block ends with literals; one that ends after a match, or an empty one, is malformed.
  return -1
}

/** Copies a match that may overlap itself: bytes already copied are copied again. */
function copyMatch(to: usize, offset: u32, matchBytes: u32, outEnd: usize): void {
  const stop = to + matchBytes
  let from = to - offset
  if (offset >= 16 && stop + 16 <= outEnd) {
    do {
      v128.store(to, v128.load(from))
      to += 16
      from += 16
    } while (to < stop)
    return
  }
  if (offset >= 8 && stop + 8 <= outEnd) {
    do {
      store<u64>(to, load<u64>(from))
      to += 8
      from += 8
    } while (to < stop)
    return
  }
  if (offset == 1) {
    memory.fill(to, load<u8>(from), matchBytes)
    return
  }
  for (; to < stop; to++) store<u8>(to, load<u8>(from++))
}
