/**
 * The scanner of SQL text: one token at a time, no objects. It alone decides where literals begin and end, by
 * PostgreSQL's rules: a quote inside a text is doubled, backslashes are plain characters except in E'…', comments
 * nest, dollar quotes hold anything. Numbers and texts are never decoded here, so no digit is lost.
 */
import { LsmtError } from '../../errors.ts'
import { codePointPosition } from '../position.ts'

export const token = {
  end: 0,
  /** Unquoted identifier or keyword. */
  word: 1,
  /** "quoted identifier" */
  quotedName: 2,
  number: 3,
  /** 'text' */
  text: 4,
  /** E'text' */
  escapeText: 5,
  /** $tag$text$tag$ */
  dollarText: 6,
  /** x'00ff' */
  hexText: 7,
  /** $1 */
  numberedParameter: 8,
  /** ? */
  positionalParameter: 9,
  /** :name */
  namedParameter: 10,
  /** Operators and punctuation. */
  symbol: 11,
} as const

export interface Lexer {
  readonly text: string
  /** Kind of the current token, and its span in code units. */
  kind: number
  start: number
  end: number
}

export function createLexer(text: string, from = 0): Lexer {
  return { text, kind: token.end, start: from, end: from }
}

/** Moves to the next token and returns its kind; 42601 for a literal or comment that does not end. */
export function nextToken(lexer: Lexer): number {
  const { text } = lexer
  const start = skipBlank(text, lexer.end)
  lexer.start = start
  if (start >= text.length) {
    lexer.end = start
    return (lexer.kind = token.end)
  }
  return (lexer.kind = scanToken(lexer, text.charCodeAt(start)))
}

const singleQuote = 0x27
const doubleQuote = 0x22
const dollar = 0x24
const colon = 0x3a
const dot = 0x2e

function scanToken(lexer: Lexer, first: number): number {
  const { text, start } = lexer
  if (isWordStart(first)) return scanWord(lexer, first)
  if (isDigit(first) || (first === dot && isDigit(text.charCodeAt(start + 1)))) return scanNumber(lexer)
  switch (first) {
    case singleQuote:
      lexer.end = continuedEnd(text, closingQuote(text, start, start + 1, singleQuote, false), false)
      return token.text
    case doubleQuote:
      lexer.end = closingQuote(text, start, start + 1, doubleQuote, false)
      if (lexer.end === start + 2) throw syntaxError(text, start, 'a quoted identifier cannot be empty')
      return token.quotedName
    case dollar:
      return scanDollar(lexer)
    case 0x3f:
      lexer.end = start + 1
      return token.positionalParameter
    case colon:
      if (!isWordStart(text.charCodeAt(start + 1))) break
      lexer.end = wordEnd(text, start + 1)
      return token.namedParameter
  }
  lexer.end = start + symbolLength(text, start)
  return token.symbol
}

/** A word, or one of the literals that begin with a letter. */
function scanWord(lexer: Lexer, first: number): number {
  const { text, start } = lexer
  if (text.charCodeAt(start + 1) === singleQuote) {
    const letter = first | 0x20
    if (letter === 0x65 || letter === 0x78) {
      lexer.end = closingQuote(text, start, start + 2, singleQuote, letter === 0x65)
      if (letter === 0x65) lexer.end = continuedEnd(text, lexer.end, true)
      return letter === 0x65 ? token.escapeText : token.hexText
    }
    if (letter === 0x62 || letter === 0x6e) throw new LsmtError('0A000', `literals of the form ${text[start]}'…' are not supported`, { position: codePointPosition(text, start) })
  }
  lexer.end = wordEnd(text, start)
  return token.word
}

function scanNumber(lexer: Lexer): number {
  const { text, start } = lexer
  let at = digitsEnd(text, start)
  if (text.charCodeAt(at) === dot) at = digitsEnd(text, at + 1)
  if ((text.charCodeAt(at) | 0x20) === 0x65) at = exponentEnd(text, at)
  if (isWordPart(text.charCodeAt(at))) throw syntaxError(text, start, `trailing characters after the number at or near "${text.slice(start, wordEnd(text, at))}"`)
  lexer.end = at
  return token.number
}

/** End of an exponent that begins at `at`, or `at` when there are no digits in it. */
export function exponentEnd(text: string, at: number): number {
  const sign = text.charCodeAt(at + 1)
  const digits = sign === 0x2b || sign === 0x2d ? at + 2 : at + 1
  return isDigit(text.charCodeAt(digits)) ? digitsEnd(text, digits) : at
}

function scanDollar(lexer: Lexer): number {
  const { text, start } = lexer
  if (isDigit(text.charCodeAt(start + 1))) {
    lexer.end = digitsEnd(text, start + 1)
    return token.numberedParameter
  }
  const tagEnd = isWordStart(text.charCodeAt(start + 1)) ? tagWordEnd(text, start + 1) : start + 1
  if (text.charCodeAt(tagEnd) !== dollar) throw syntaxError(text, start, 'syntax error at or near "$"')
  const tag = text.slice(start, tagEnd + 1)
  const close = text.indexOf(tag, tagEnd + 1)
  if (close < 0) throw syntaxError(text, start, `the text that begins with ${tag} does not end`)
  lexer.end = close + tag.length
  return token.dollarText
}

/** Index after the closing quote; doubled quotes (and, with `escapes`, backslashed ones) stay inside. */
function closingQuote(text: string, start: number, from: number, quote: number, escapes: boolean): number {
  for (let at = from; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === quote) {
      if (text.charCodeAt(at + 1) !== quote) return at + 1
      at++
    } else if (escapes && unit === 0x5c) at++
  }
  throw syntaxError(text, start, quote === doubleQuote ? 'the quoted identifier does not end' : 'the quoted text does not end')
}

const nextPiece = /(?:\s|--[^\n]*\n)+'/y

/** A text goes on where only blanks and line comments, with a line break among them, stand before another quote. */
function continuedEnd(text: string, from: number, escapes: boolean): number {
  let end = from
  while (isBlankOrMinus(text.charCodeAt(end))) {
    nextPiece.lastIndex = end
    const between = nextPiece.exec(text)
    if (between === null || !between[0].includes('\n')) return end
    end = closingQuote(text, nextPiece.lastIndex - 1, nextPiece.lastIndex, singleQuote, escapes)
  }
  return end
}

function isBlankOrMinus(unit: number): boolean {
  return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d) || unit === 0x2d
}

/** First index at or after `from` that is neither white space nor in a comment. */
export function skipBlank(text: string, from: number): number {
  let at = from
  while (at < text.length) {
    const unit = text.charCodeAt(at)
    if (unit === 0x20 || (unit >= 0x09 && unit <= 0x0d) || unit === 0xa0 || unit === 0xfeff) at++
    else if (unit === 0x2d && text.charCodeAt(at + 1) === 0x2d) at = lineEnd(text, at)
    else if (unit === 0x2f && text.charCodeAt(at + 1) === 0x2a) at = commentEnd(text, at)
    else return at
  }
  return at
}

function lineEnd(text: string, from: number): number {
  const at = text.indexOf('\n', from)
  return at < 0 ? text.length : at + 1
}

function commentEnd(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length - 1; at++) {
    const pair = text.charCodeAt(at) * 256 + text.charCodeAt(at + 1)
    if (pair === 0x2f2a) depth++
    else if (pair === 0x2a2f) depth--
    else continue
    at++
    if (depth === 0) return at + 1
  }
  throw syntaxError(text, start, 'the comment does not end')
}

const longSymbols = ['!~~*', '<<', '>>', '->>', '#>>', '!~~', '~~*', '!~*', '<=', '>=', '<>', '!=', '::', '||', '->', '#>', '@>', '<@', '~*', '!~', '~~', ':=', '=>', '==']

function symbolLength(text: string, at: number): number {
  if (!isOperator(text.charCodeAt(at)) || !isOperator(text.charCodeAt(at + 1))) return text.codePointAt(at)! > 0xffff ? 2 : 1
  return longSymbols.find((symbol) => text.startsWith(symbol, at))?.length ?? 1
}

function isOperator(unit: number): boolean {
  switch (unit) {
    case 0x21: case 0x23: case 0x2a: case 0x2d: case 0x3a: case 0x3c: case 0x3d: case 0x3e: case 0x40: case 0x7c: case 0x7e:
      return true
    default:
      return false
  }
}

export function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39
}

/** ASCII letters, underscore, and everything beyond Latin-1's controls, as PostgreSQL has it. */
export function isWordStart(unit: number): boolean {
  return (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a) || unit === 0x5f || (unit > 0xa0 && unit !== 0xfeff)
}

export function isWordPart(unit: number): boolean {
  return isWordStart(unit) || isDigit(unit) || unit === dollar
}

function wordEnd(text: string, from: number): number {
  let at = from
  while (isWordPart(text.charCodeAt(at))) at++
  return at
}

/** Like `wordEnd`, for the tag of a dollar quote, which has no dollar inside. */
function tagWordEnd(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) !== dollar && isWordPart(text.charCodeAt(at))) at++
  return at
}

export function digitsEnd(text: string, from: number): number {
  let at = from
  while (isDigit(text.charCodeAt(at))) at++
  return at
}

export function syntaxError(text: string, at: number, message: string): LsmtError {
  return new LsmtError('42601', message, { position: codePointPosition(text, at) })
}
