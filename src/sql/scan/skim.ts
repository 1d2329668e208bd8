/**
 * Looks over tuples of plain literals without lifting them: where they end, and how many they are. What they hold is
 * read when the statement runs, by a kernel (Engine.insertText) or, where that does not know it, by tuples.ts.
 *
 * A tuple is taken here only if it is `( v , … )` of numbers, 'texts', x'bytes', NULL, TRUE, FALSE, DEFAULT, DATE '…'
 * and TIMESTAMP '…'. Nothing else is judged: from the first other tuple on the lexer decides, also about errors.
 */
import { exponentEnd, isWordPart, skipBlank } from './lexer.ts'

export interface Skimmed {
  readonly count: number
  /** After the last tuple. */
  readonly end: number
}

/** The tuples of `width` values that follow, each after a comma. */
export function skimTuples(text: string, from: number, width: number): Skimmed {
  let count = 0
  let end = from
  for (;;) {
    const comma = skipBlank(text, end)
    if (text.charCodeAt(comma) !== 0x2c) return { count, end }
    const next = skimTuple(text, skipBlank(text, comma + 1), width)
    if (next < 0) return { count, end }
    end = next
    count++
  }
}

/** After the tuple, -1 when it is no plain one. */
function skimTuple(text: string, from: number, width: number): number {
  if (text.charCodeAt(from) !== 0x28) return -1
  let at = from + 1
  for (let i = 1; i <= width; i++) {
    at = skimValue(text, skipBlank(text, at))
    if (at < 0) return -1
    at = skipBlank(text, at)
    if (text.charCodeAt(at) !== (i === width ? 0x29 : 0x2c)) return -1
    at++
  }
  return at
}

function skimValue(text: string, from: number): number {
  const unit = text.charCodeAt(from)
  if (unit === 0x27) return skimText(text, from)
  if (unit <= 0x39 && unit >= 0x2d) return skimNumber(text, unit === 0x2d ? from + 1 : from)
  return skimWord(text, from)
}

function skimText(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text.charCodeAt(at) !== 0x27) continue
    if (text.charCodeAt(at + 1) !== 0x27) return at + 1
    at++
  }
  return -1
}

/** Digits with a point among them, and an exponent; what has a letter after it is the lexer's. */
function skimNumber(text: string, from: number): number {
  let at = from
  let digits = 0
  let points = 0
  for (;; at++) {
    const unit = text.charCodeAt(at)
    if (unit <= 0x39 && unit >= 0x30) digits++
    else if (unit === 0x2e && points === 0) points++
    else break
  }
  if (digits === 0) return -1
  if ((text.charCodeAt(at) | 0x20) === 0x65) at = exponentEnd(text, at)
  return isWordPart(text.charCodeAt(at)) ? -1 : at
}

const constants: ReadonlySet<string> = new Set(['null', 'true', 'false', 'default'])

function skimWord(text: string, from: number): number {
  let at = from
  while (isWordPart(text.charCodeAt(at))) at++
  const word = text.slice(from, at).toLowerCase()
  if (constants.has(word)) return at
  if (word === 'x' && text.charCodeAt(at) === 0x27) return skimHex(text, at)
  if (word !== 'date' && word !== 'timestamp') return -1
  const quote = skipBlank(text, at)
  return text.charCodeAt(quote) === 0x27 ? skimText(text, quote) : -1
}

/** Whole bytes only: the lexer says what is wrong with others. */
function skimHex(text: string, from: number): number {
  const end = text.indexOf("'", from + 1)
  return end > 0 && (end - from) % 2 === 1 && /^[0-9a-fA-F]*$/.test(text.slice(from + 1, end)) && text.charCodeAt(end + 1) !== 0x27 ? end + 1 : -1
}
