/** Twin of assembly/lz.ts: the same choices, hence the same bytes. */
import type { LinearMemory, Pointer } from '../linear-memory.ts'
import type { LzExports } from '../lz.ts'

const tableBits = 12
const matchBytesMin = 4
const offsetMax = 65_535
const matchStartMargin = 12
const lastLiterals = 5
const skipBits = 6
/** From this length on a copy by `copyWithin` beats a loop over bytes. */
const bulkCopyBytes = 32

const slotOf = (word: number): number => Math.imul(word, 2654435761) >>> (32 - tableBits)

export function createLzJs({ u8, u32, view }: LinearMemory): LzExports {
  const copy = (to: Pointer, from: Pointer, byteLength: number): void => {
    if (byteLength >= bulkCopyBytes) u8.copyWithin(to, from, from + byteLength)
    else for (let i = 0; i < byteLength; i++) u8[to + i] = u8[from + i]!
  }
  const commonBytes = (a: Pointer, b: Pointer, end: Pointer): number => {
    const start = a
    while (a + 4 <= end && view.getInt32(a, true) === view.getInt32(b, true)) {
      a += 4
      b += 4
    }
    while (a < end && u8[a] === u8[b]) {
      a++
      b++
    }
    return a - start
  }
  const writeLength = (to: Pointer, rest: number): Pointer => {
    for (; rest >= 255; rest -= 255) u8[to++] = 255
    u8[to] = rest
    return to + 1
  }
  const writeSequence = (to: Pointer, outEnd: Pointer, literals: Pointer, literalBytes: number, offset: number, matchBytes: number): Pointer => {
    const most = 1 + Math.floor(literalBytes / 255) + 1 + literalBytes + (matchBytes === 0 ? 0 : 2 + Math.floor(matchBytes / 255) + 1)
    if (outEnd - to < most) return 0
    const extra = matchBytes === 0 ? 0 : matchBytes - matchBytesMin
    u8[to++] = (Math.min(literalBytes, 15) << 4) | Math.min(extra, 15)
    if (literalBytes >= 15) to = writeLength(to, literalBytes - 15)
    copy(to, literals, literalBytes)
    to += literalBytes
    if (matchBytes === 0) return to
    u8[to] = offset
    u8[to + 1] = offset >>> 8
    return extra >= 15 ? writeLength(to + 2, extra - 15) : to + 2
  }

  const compress = (source: Pointer, byteLength: number, out: Pointer, outBytes: number, table: Pointer): number => {
    const end = source + byteLength, outEnd = out + outBytes, slots = table >>> 2
    let anchor = source, to = out
    if (byteLength > matchStartMargin) {
      u32.fill(0, slots, slots + (1 << tableBits))
      const searchEnd = end - matchStartMargin, matchEnd = end - lastLiterals
      let at = source + 1, misses = 1 << skipBits
      while (at <= searchEnd) {
        const word = view.getInt32(at, true)
        const slot = slots + slotOf(word)
        let from = source + u32[slot]!
        u32[slot] = at - source
        if (view.getInt32(from, true) !== word || at - from > offsetMax) {
          at += misses++ >>> skipBits
          continue
        }
        while (at > anchor && from > source && u8[at - 1] === u8[from - 1]) {
          at--
          from--
        }
        const matchBytes = matchBytesMin + commonBytes(at + matchBytesMin, from + matchBytesMin, matchEnd)
        to = writeSequence(to, outEnd, anchor, at - anchor, at - from, matchBytes)
        if (to === 0) return 0
        at += matchBytes
        anchor = at
        misses = 1 << skipBits
        u32[slots + slotOf(view.getInt32(at - 2, true))] = at - 2 - source
      }
    }
    to = writeSequence(to, outEnd, anchor, end - anchor, 0, 0)
    return to === 0 || to >= outEnd ? 0 : to - out
  }

  const copyMatch = (to: Pointer, offset: number, matchBytes: number): void => {
    if (offset >= matchBytes) copy(to, to - offset, matchBytes)
    else if (offset === 1) u8.fill(u8[to - 1]!, to, to + matchBytes)
    else for (let i = 0; i < matchBytes; i++) u8[to + i] = u8[to - offset + i]!
  }

  const decompress = (source: Pointer, byteLength: number, out: Pointer, outBytes: number): number => {
    const end = source + byteLength, outEnd = out + outBytes
    let at = source, to = out
    while (at < end) {
      const token = u8[at++]!
      let literalBytes = token >>> 4
      if (literalBytes === 15) {
        for (let more = 255; more === 255; literalBytes += more) {
          if (at >= end) return -1
          more = u8[at++]!
        }
      }
      if (literalBytes > end - at || literalBytes > outEnd - to) return -1
      copy(to, at, literalBytes)
      at += literalBytes
      to += literalBytes
      if (at === end) return to === outEnd ? outBytes : -1
      if (at + 2 > end) return -1
      const offset = u8[at]! | (u8[at + 1]! << 8)
      at += 2
      let matchBytes = token & 15
      if (matchBytes === 15) {
        for (let more = 255; more === 255; matchBytes += more) {
          if (at >= end) return -1
          more = u8[at++]!
        }
      }
      matchBytes += matchBytesMin
      if (offset === 0 || offset > to - out || matchBytes > outEnd - to) return -1
      copyMatch(to, offset, matchBytes)
      to += matchBytes
    }
    return -1
  }

  return {
    lzBound: (byteLength) => byteLength + Math.floor(byteLength / 255) + 16,
    lzTableBytes: () => 4 << tableBits,
    lzCompress: compress,
    lzDecompress: decompress,
  }
}
