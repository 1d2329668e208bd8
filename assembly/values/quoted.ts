/** Literals in quotes: texts, bytes and times. */
import { storeTime } from './time'
import { COLUMN_LIMIT, COLUMN_TYPE, TYPE_BYTEA, TYPE_DATE, TYPE_TEXT, TYPE_TIMESTAMP, valueAt } from './layout'

/** Whether the text that was read last had doubled quotes. */
export let hasDoubled: bool = false

const APOSTROPHE: u32 = 0x27

export function scanQuoted(start: usize, end: usize, column: usize, row: u32): usize {
  const closing = findClosing(start + 1, end, APOSTROPHE)
  if (closing == 0) return 0
  let to = closing
  if (hasDoubled) to = withoutDoubled(start + 1, closing, APOSTROPHE)
  return storeText(start + 1, to, column, row) ? closing + 1 : 0
}

/** DATE '…' and TIMESTAMP '…', which only columns of such types take. */
export function scanQuotedTime(start: usize, end: usize, column: usize, row: u32): usize {
  const type = load<u32>(column, COLUMN_TYPE)
  return type == TYPE_DATE || type == TYPE_TIMESTAMP ? scanQuoted(start, end, column, row) : 0
}

/** x'00ff', from its quote on. */
export function scanHex(start: usize, end: usize, column: usize, row: u32): usize {
  if (load<u32>(column, COLUMN_TYPE) != TYPE_BYTEA) return 0
  const closing = findClosing(start + 1, end, APOSTROPHE)
  if (closing == 0 || hasDoubled) return 0
  return storeHex(start + 1, closing, column, row) ? closing + 1 : 0
}

/** The address of the closing quote, 0 for none; 16 bytes are looked at together, as the text's margin allows. */
export function findClosing(start: usize, end: usize, quote: u32): usize {
  const quotes = i8x16.splat(<i8>quote)
  hasDoubled = false
  let at = start
  while (at < end) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(at), quotes))
    if (found == 0) {
      at += 16
      continue
    }
    at += ctz(found)
    if (at >= end) return 0
    if (at + 1 >= end || <u32>load<u8>(at, 1) != quote) return at
    hasDoubled = true
    at += 2
  }
  return 0
}

/** Moves the bytes over the second quote of each pair; returns their end. */
export function withoutDoubled(from: usize, end: usize, quote: u32): usize {
  let to = from
  for (let at = from; at < end; at++) {
    const byte = load<u8>(at)
    store<u8>(to++, byte)
    if (<u32>byte == quote) at++
  }
  return to
}

export function storeText(from: usize, to: usize, column: usize, row: u32): bool {
  const type = load<u32>(column, COLUMN_TYPE)
  if (type == TYPE_TEXT) {
    if (<u32>(to - from) > load<u32>(column, COLUMN_LIMIT) && characterCount(from, to) > load<u32>(column, COLUMN_LIMIT)) return false
    return storeRef(from, to, column, row)
  }
  if (type == TYPE_BYTEA) return storeBytes(from, to, column, row)
  if (type == TYPE_TIMESTAMP || type == TYPE_DATE) return storeTime(from, to, type == TYPE_DATE, valueAt(column, row))
  return false
}

function storeRef(from: usize, to: usize, column: usize, row: u32): bool {
  const at = valueAt(column, row)
  store<u32>(at, <u32>from)
  store<u32>(at, <u32>(to - from), 4)
  return true
}

function characterCount(from: usize, to: usize): u32 {
  let count: u32 = 0
  for (let at = from; at < to; at++) if ((load<u8>(at) & 0xc0) != 0x80) count++
  return count
}

/** '\x00ff', or a text without backslashes as its bytes. */
function storeBytes(from: usize, to: usize, column: usize, row: u32): bool {
  if (to - from >= 2 && load<u8>(from) == 0x5c && (load<u8>(from, 1) | 0x20) == 0x78) return storeHex(from + 2, to, column, row)
  for (let at = from; at < to; at++) if (load<u8>(at) == 0x5c) return false
  return storeRef(from, to, column, row)
}

function storeHex(from: usize, to: usize, column: usize, row: u32): bool {
  if (((to - from) & 1) != 0) return false
  let into = from
  for (let at = from; at < to; at += 2) {
    const high = hexDigit(load<u8>(at)), low = hexDigit(load<u8>(at, 1))
    if ((high | low) > 15) return false
    store<u8>(into++, <u8>((high << 4) | low))
  }
  return storeRef(from, into, column, row)
}

function hexDigit(byte: u32): u32 {
  if (byte - 0x30 < 10) return byte - 0x30
  const letter = (byte | 0x20) - 0x61
  return letter < 6 ? letter + 10 : 255
}
