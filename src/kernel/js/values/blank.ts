/** White space and comments between tokens; a comment that does not end takes all. */
import type { Pointer } from '../../linear-memory.ts'

export function skipBlank(u8: Uint8Array, from: Pointer, end: Pointer): Pointer {
  let at = from
  while (at < end) {
    const byte = u8[at]!
    if (byte === 0x20 || (byte >= 9 && byte <= 13)) at++
    else if (byte === 0x2d && u8[at + 1] === 0x2d) at = lineEnd(u8, at, end)
    else if (byte === 0x2f && u8[at + 1] === 0x2a) at = commentEnd(u8, at, end)
    else return at
  }
  return at
}

function lineEnd(u8: Uint8Array, from: Pointer, end: Pointer): Pointer {
  let at = from
  while (at < end && u8[at] !== 0x0a) at++
  return at
}

/** Comments nest. */
function commentEnd(u8: Uint8Array, from: Pointer, end: Pointer): Pointer {
  let depth = 0
  let at = from
  while (at < end) {
    if (u8[at] === 0x2f && u8[at + 1] === 0x2a) depth++
    else if (u8[at] === 0x2a && u8[at + 1] === 0x2f) depth--
    else {
      at++
      continue
    }
    at += 2
    if (depth === 0) return at
  }
  return at
}

/** What may not follow a number or a word: then the token is another one. */
export function isWordPart(byte: number): boolean {
  const letter = byte | 0x20
  return (letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x5f || byte === 0x24 || byte >= 0x80
}
