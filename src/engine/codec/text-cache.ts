/**
 * Short texts that a scan has read, so that one that comes again in another page is neither decoded nor kept twice:
 * looking at its bytes takes a fraction of the time that making a string of them does.
 */
import { readText } from './text-bytes.ts'

export type ReadText = typeof readText

const slotCount = 512, textBytesMax = 24, hashedBytes = 4

/** Reads as `readText` does. */
export function createTextCache(): ReadText {
  const texts: string[] = Array.from({ length: slotCount }, () => '')
  return (buffer, from, byteLength) => {
    if (byteLength > textBytesMax) return readText(buffer, from, byteLength)
    // Of the last bytes mostly, in which short texts differ: all of them are looked at when they are compared.
    let hash = byteLength
    for (let i = Math.max(0, byteLength - hashedBytes); i < byteLength; i++) hash = (Math.imul(hash, 31) + buffer[from + i]!) | 0
    if (byteLength > hashedBytes) hash = Math.imul(hash, 31) + buffer[from]! + (buffer[from + (byteLength >>> 1)]! << 5)
    const slot = (hash ^ (hash >>> 9) ^ (hash >>> 18)) & (slotCount - 1), known = texts[slot]!
    return isAsciiOf(known, buffer, from, byteLength) ? known : (texts[slot] = readText(buffer, from, byteLength))
  }
}

function isAsciiOf(text: string, buffer: Buffer, from: number, byteLength: number): boolean {
  if (text.length !== byteLength) return false
  for (let i = 0; i < byteLength; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f || code !== buffer[from + i]) return false
  }
  return true
}
