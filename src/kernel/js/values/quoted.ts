/** Literals in quotes: texts, bytes and times. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { valuesType } from '../../values.ts'
import { columnField, storeWords, valueAt, word } from './layout.ts'
import { storeTime } from './time.ts'

const apostrophe = 0x27

export function scanQuoted(memory: LinearMemory, start: Pointer, end: Pointer, column: Pointer, row: number): Pointer {
  const { u8 } = memory
  const closing = findClosing(u8, start + 1, end, apostrophe)
  if (closing === 0) return 0
  return storeText(memory, start + 1, withoutDoubled(u8, start + 1, closing, apostrophe), column, row) ? closing + 1 : 0
}

/** DATE '…' and TIMESTAMP '…', which only columns of such types take. */
export function scanQuotedTime(memory: LinearMemory, start: Pointer, end: Pointer, column: Pointer, row: number): Pointer {
  const type = word(memory, column, columnField.type)
  return type === valuesType.date || type === valuesType.timestamp ? scanQuoted(memory, start, end, column, row) : 0
}

/** x'00ff', from its quote on. */
export function scanHex(memory: LinearMemory, start: Pointer, end: Pointer, column: Pointer, row: number): Pointer {
  if (word(memory, column, columnField.type) !== valuesType.bytea) return 0
  const closing = findClosing(memory.u8, start + 1, end, apostrophe)
  return closing !== 0 && storeHex(memory, start + 1, closing, column, row) ? closing + 1 : 0
}

/** The address of the closing quote, 0 when there is none. */
export function findClosing(u8: Uint8Array, start: Pointer, end: Pointer, quote: number): Pointer {
  for (let at = start; at < end; at++) {
    if (u8[at] !== quote) continue
    if (at + 1 >= end || u8[at + 1] !== quote) return at
    at++
  }
  return 0
}

/** Moves the bytes over the second quote of each pair; returns their end. */
export function withoutDoubled(u8: Uint8Array, from: Pointer, end: Pointer, quote: number): Pointer {
  let to = from
  for (let at = from; at < end; at++) {
    const byte = u8[at]!
    u8[to++] = byte
    if (byte === quote) at++
  }
  return to
}

export function storeText(memory: LinearMemory, from: Pointer, to: Pointer, column: Pointer, row: number): boolean {
  const type = word(memory, column, columnField.type)
  if (type === valuesType.text) {
    const charactersMax = word(memory, column, columnField.limit)
    if (to - from > charactersMax && characterCount(memory.u8, from, to) > charactersMax) return false
    return storeRef(memory, from, to, column, row)
  }
  if (type === valuesType.bytea) return storeBytes(memory, from, to, column, row)
  if (type === valuesType.timestamp || type === valuesType.date) return storeTime(memory, from, to, type === valuesType.date, valueAt(memory, column, row))
  return false
}

function storeRef(memory: LinearMemory, from: Pointer, to: Pointer, column: Pointer, row: number): true {
  storeWords(memory, valueAt(memory, column, row), from, to - from)
  return true
}

function characterCount(u8: Uint8Array, from: Pointer, to: Pointer): number {
  let count = 0
  for (let at = from; at < to; at++) if ((u8[at]! & 0xc0) !== 0x80) count++
  return count
}

/** '\x00ff', or a text without backslashes as its bytes. */
function storeBytes(memory: LinearMemory, from: Pointer, to: Pointer, column: Pointer, row: number): boolean {
  const { u8 } = memory
  if (to - from >= 2 && u8[from] === 0x5c && (u8[from + 1]! | 0x20) === 0x78) return storeHex(memory, from + 2, to, column, row)
  for (let at = from; at < to; at++) if (u8[at] === 0x5c) return false
  return storeRef(memory, from, to, column, row)
}

function storeHex(memory: LinearMemory, from: Pointer, to: Pointer, column: Pointer, row: number): boolean {
  const { u8 } = memory
  if ((to - from) % 2 !== 0) return false
  let into = from
  for (let at = from; at < to; at += 2) {
    const high = hexDigit(u8[at]!), low = hexDigit(u8[at + 1]!)
    if ((high | low) > 15) return false
    u8[into++] = (high << 4) | low
  }
  return storeRef(memory, from, into, column, row)
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = (byte | 0x20) - 0x61
  return letter >= 0 && letter < 6 ? letter + 10 : 255
}
