/** A place in a statement's tokens, for statements that are words and names only. */
import { errorAt, syntaxErrorAt } from '../origin.ts'
import type { Origin } from '../origin.ts'
import { token } from '../scan/lexer.ts'
import { quotedName } from '../scan/literal.ts'
import type { Name, ShapeToken } from './names.ts'
import { reservedWords } from './words.ts'

export interface TokenCursor {
  readonly tokens: readonly ShapeToken[]
  readonly origin: Origin
  at: number
}

/** The word or symbol `ahead` tokens on; '' at the end and for quoted names. */
export function peek(cursor: TokenCursor, ahead = 0): string {
  const next = cursor.tokens[cursor.at + ahead]
  return next === undefined || next.kind === token.quotedName ? '' : next.text
}

/** Goes past the given words when all of them stand here. */
export function accept(cursor: TokenCursor, ...words: readonly string[]): boolean {
  if (!words.every((word, ahead) => peek(cursor, ahead) === word)) return false
  cursor.at += words.length
  return true
}

export function expect(cursor: TokenCursor, word: string): void {
  if (!accept(cursor, word)) throw syntaxErrorAt(cursor.origin, cursor.at)
}

/** 42601 unless a name stands here: quoted, or a word that is not reserved. */
export function readName(cursor: TokenCursor): Name {
  const next = cursor.tokens[cursor.at]
  const isQuoted = next?.kind === token.quotedName
  if (next === undefined || !(isQuoted || (next.kind === token.word && !reservedWords.has(next.text)))) throw syntaxErrorAt(cursor.origin, cursor.at)
  const tokenIndex = cursor.at++
  return { name: isQuoted ? quotedName(next.text, 0, next.text.length) : next.text, tokenIndex }
}

export function readTableName(cursor: TokenCursor): Name {
  if (peek(cursor) === 'only') throw unsupportedAt(cursor, cursor.at, 'ONLY')
  const name = readName(cursor)
  if (peek(cursor) === '.') throw unsupportedAt(cursor, name.tokenIndex, 'a schema before a table name')
  return name
}

export function atEnd(cursor: TokenCursor): boolean {
  return cursor.at >= cursor.tokens.length
}

export function expectEnd(cursor: TokenCursor): void {
  if (!atEnd(cursor)) throw syntaxErrorAt(cursor.origin, cursor.at)
}

export function unsupportedAt(cursor: TokenCursor, at: number, what: string, hint?: string): Error {
  return errorAt(cursor.origin, at, '0A000', `${what} is not supported`, hint)
}
