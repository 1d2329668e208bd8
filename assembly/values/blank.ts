/** White space and comments between tokens; a comment that does not end takes all. */
export function skipBlank(from: usize, end: usize): usize {
  let at = from
  while (at < end) {
    const byte = load<u8>(at)
    if (byte == 0x20 || <u32>byte - 9 < 5) at++
    else if (byte == 0x2d && load<u8>(at, 1) == 0x2d) at = lineEnd(at, end)
    else if (byte == 0x2f && load<u8>(at, 1) == 0x2a) at = commentEnd(at, end)
    else return at
  }
  return at
}

function lineEnd(from: usize, end: usize): usize {
  let at = from
  while (at < end && load<u8>(at) != 0x0a) at++
  return at
}

/** Comments nest. */
function commentEnd(from: usize, end: usize): usize {
  let depth = 0
  let at = from
  while (at < end) {
    const pair = load<u16>(at)
    if (pair == 0x2a2f) depth++
    else if (pair == 0x2f2a) depth--
    else {
      at++
      continue
    }
    at += 2
    if (depth == 0) return at
  }
  return at
}

/** What may not follow a number or a word: then the token is another one. */
export function isWordPart(byte: u32): bool {
  return (byte | 0x20) - 0x61 < 26 || byte - 0x30 < 10 || byte == 0x5f || byte == 0x24 || byte >= 0x80
}
