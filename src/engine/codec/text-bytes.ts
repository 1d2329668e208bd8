/**
 * Text to UTF-8 in place. Short text goes by a loop over char codes, since a call into native code costs more than
 * twenty stores; the first character beyond ASCII hands the whole text to the native encoder.
 */
import { isWellFormed, notUnicode } from '../check-value.ts'

export const shortTextMax = 24

/** Upper bound of the UTF-8 bytes of a text. */
export function textBytesMax(text: string): number {
  return text.length * 3
}

/** Writes `text` at `at`, which has room for `textBytesMax`; returns the bytes written. 22021 for text that is not Unicode. */
export function writeText(buffer: Buffer, at: number, text: string): number {
  return writeShortAscii(buffer, at, text) ? text.length : writeLongText(buffer, at, text)
}

/** Writes a text that is short and ASCII; false where it is not. */
export function writeShortAscii(buffer: Uint8Array, at: number, text: string): boolean {
  const { length } = text
  if (length > shortTextMax) return false
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return false
    buffer[at + i] = code
  }
  return true
}

function writeLongText(buffer: Buffer, at: number, text: string): number {
  if (!isWellFormed(text)) throw notUnicode('a text value', text)
  return (buffer as Buffer & { utf8Write(text: string, byteOffset: number): number }).utf8Write(text, at)
}

/** The text of UTF-8 bytes. */
export function readText(buffer: Buffer, from: number, byteLength: number): string {
  if (byteLength === 0) return ''
  return (buffer as Buffer & { utf8Slice(start: number, end: number): string }).utf8Slice(from, from + byteLength)
}

/** The same of bytes that are known to be ASCII, for two thirds of the time. */
export function readAscii(buffer: Buffer, from: number, byteLength: number): string {
  return (buffer as Buffer & { latin1Slice(start: number, end: number): string }).latin1Slice(from, from + byteLength)
}
