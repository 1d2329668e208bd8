/**
 * Texts that a scan has read, so that one that comes again is neither decoded nor kept twice. Within a page those of a
 * dictionary stand at one place for all rows; in another page a short one is known by its bytes, since looking at them takes a
 * fraction of the time that making a string of them does.
 */
import { readText } from './text-bytes.ts'

export type ReadText = typeof readText

/** So many places of texts are known at a time: a power of two. */
const placeCount = 256, placesTriedMin = 64
const noNumbers = new Uint32Array(0)

/**
 * How texts of pages are read: of few rows each by itself, of many those that stand at one place once. Its memory is made
 * once, for the first page that has many: what is in it of pages before counts for nothing.
 */
export class PageTexts {
  readonly read: ReadText
  #addresses = noNumbers
  #lengths = noNumbers
  #pages = noNumbers
  readonly #texts: string[] = []
  #page = 0
  #triedCount = 0
  #foundCount = 0

  constructor(read: ReadText) {
    this.read = read
  }

  beginPage(): void {
    if (this.#page++ === 0) {
      this.#addresses = new Uint32Array(placeCount)
      this.#lengths = new Uint32Array(placeCount)
      this.#pages = new Uint32Array(placeCount)
    }
    this.#triedCount = this.#foundCount = 0
  }

  /** As `readText`, of a place in the page that was begun. When hardly any place comes again, they are looked for no more. */
  readPlace(buffer: Buffer, address: number, byteLength: number): string {
    if (this.#triedCount > placesTriedMin && 4 * this.#foundCount < this.#triedCount) return readText(buffer, address, byteLength)
    const place = Math.imul(address, 0x9e3779b1) >>> 24
    this.#triedCount++
    if (this.#addresses[place] === address && this.#lengths[place] === byteLength && this.#pages[place] === this.#page) {
      this.#foundCount++
      return this.#texts[place]!
    }
    this.#addresses[place] = address
    this.#lengths[place] = byteLength
    this.#pages[place] = this.#page
    return (this.#texts[place] = this.read(buffer, address, byteLength))
  }
}

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
