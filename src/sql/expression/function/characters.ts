/**
 * Characters of texts, which are code points. Texts may have many millions, so none of these makes an object of each:
 * only pieces of some thousand become arrays.
 */

/** Surrogates are rare, and without them characters are code units. */
export function hasSurrogates(text: string): boolean {
  for (let at = 0; at < text.length; at++) if ((text.charCodeAt(at) & 0xf800) === 0xd800) return true
  return false
}

export function characterCount(text: string): number {
  if (!hasSurrogates(text)) return text.length
  let count = 0
  for (let at = 0; at < text.length; at += unitsAt(text, at)) count++
  return count
}

/** Characters from an index to another; negative ones count from the end. */
export function slice(text: string, from: number, to?: number): string {
  if (!hasSurrogates(text)) return text.slice(from, to)
  const count = from < 0 || (to !== undefined && to < 0) ? characterCount(text) : Infinity
  const start = offsetOf(text, from < 0 ? from + count : from)
  return text.slice(start, to === undefined ? undefined : Math.max(start, offsetOf(text, to < 0 ? to + count : to)))
}

/** Without the characters of a set at its start and its end. */
export function trim(text: string, characters: string, start: boolean, end: boolean): string {
  const trimmed = new Set(characters)
  let from = 0
  let to = text.length
  while (start && from < to && trimmed.has(text.slice(from, from + unitsAt(text, from)))) from += unitsAt(text, from)
  while (end && to > from && trimmed.has(text.slice(to - unitsBefore(text, to), to))) to -= unitsBefore(text, to)
  return text.slice(from, to)
}

/** So many characters of a text that is repeated without end. */
export function repeatedTo(text: string, count: number): string {
  const length = characterCount(text)
  return text.repeat(Math.floor(count / length)) + slice(text, 0, count % length)
}

export function reversed(text: string): string {
  return piecesOf(text).map((piece) => Array.from(piece).reverse().join('')).reverse().join('')
}

/** Every character, or what takes its place. */
export function mapped(text: string, change: (character: string) => string): string {
  return piecesOf(text).map((piece) => Array.from(piece, change).join('')).join('')
}

const wordCharacter = /[\p{L}\p{N}]/u

function isOfWord(character: string): boolean {
  const code = character.charCodeAt(0)
  if (code >= 0x80) return wordCharacter.test(character)
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39)
}

/** Small letters but for the first character of each run of letters and digits. */
export function capitalized(text: string): string {
  let isWithin = false
  return mapped(text.toLowerCase(), (character) => {
    const isFirst = !isWithin
    isWithin = isOfWord(character)
    return isFirst && isWithin ? character.toUpperCase() : character
  })
}

const pieceUnits = 16 * 1024

/** Of some thousand characters, none of which is cut. */
function piecesOf(text: string): string[] {
  const pieces: string[] = []
  for (let from = 0; from < text.length; ) {
    let to = Math.min(from + pieceUnits, text.length)
    if (to < text.length && unitsAt(text, to - 1) === 2) to++
    pieces.push(text.slice(from, to))
    from = to
  }
  return pieces
}

/** Where the character of an index begins, or the text ends. */
function offsetOf(text: string, index: number): number {
  let at = 0
  for (let left = index; left > 0 && at < text.length; left--) at += unitsAt(text, at)
  return at
}

/** Code units of the character that begins there. */
function unitsAt(text: string, at: number): number {
  return text.codePointAt(at)! > 0xffff ? 2 : 1
}

/** Of the character that ends there. */
function unitsBefore(text: string, end: number): number {
  return end > 1 && unitsAt(text, end - 2) === 2 ? 2 : 1
}
