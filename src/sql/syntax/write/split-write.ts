/**
 * Clauses of INSERT, UPDATE and DELETE that the parser does not know, or knows only in part, become statements that it
 * does know. What is cut off keeps its places among the tokens, so that positions in errors stay right:
 *
 *   INSERT … RETURNING a, b              → INSERT …            and  SELECT a, b
 *   INSERT … ON CONFLICT (k) DO UPDATE   → INSERT …            and  UPDATE t SET a = 1
 *     SET a = 1
 *   INSERT INTO t DEFAULT VALUES         → INSERT INTO t VALUES (DEFAULT)
 *   INSERT INTO t AS x                   → INSERT INTO t
 *   UPSERT INTO t                        → INSERT INTO t
 */
import { errorAt, syntaxErrorAt } from '../../origin.ts'
import type { Origin } from '../../origin.ts'
import { token } from '../../scan/lexer.ts'
import type { Name, ShapeToken } from '../names.ts'
import { accept, atEnd, expect, peek, readName, unsupportedAt } from '../token-cursor.ts'
import type { TokenCursor } from '../token-cursor.ts'

/** Tokens for the parser, and how many of the statement's slots stand before the piece. */
export interface Piece {
  readonly tokens: readonly ShapeToken[]
  readonly slotsBefore: number
}

export interface SplitWrite {
  readonly head: Piece
  /** A SELECT of what RETURNING lists. */
  readonly returning: Piece | undefined
  readonly upsert: boolean
  readonly alias: Name | undefined
  readonly defaultValues: boolean
  readonly onConflict: SplitConflict | undefined
}

export interface SplitConflict {
  readonly target: readonly Name[] | undefined
  /** An UPDATE of the table; undefined: DO NOTHING. */
  readonly update: Piece | undefined
  readonly tokenIndex: number
}

const blank: ShapeToken = { kind: token.symbol, text: '' }

export function splitWrite(tokens: readonly ShapeToken[], origin: Origin): SplitWrite {
  const returningAt = topLevel(tokens, 0, (at) => tokens[at]!.text === 'returning')
  const returning = returningAt === tokens.length ? undefined : piece(tokens, { kind: token.word, text: 'select' }, returningAt + 1, tokens.length)
  if (returning !== undefined && returningAt + 1 === tokens.length) throw syntaxErrorAt(origin, tokens.length)
  const first = tokens[0]!.text
  const upsert = first === 'upsert'
  if (!upsert && first !== 'insert') return { head: piece(tokens, tokens[0]!, 1, returningAt), returning, upsert, alias: undefined, defaultValues: false, onConflict: undefined }
  const conflictAt = topLevel(tokens, 0, (at) => at < returningAt && tokens[at]!.text === 'on' && tokens[at + 1]?.text === 'conflict')
  const onConflict = conflictAt === tokens.length ? undefined : splitConflict(tokens, origin, conflictAt, returningAt)
  if (upsert && onConflict !== undefined) throw errorAt(origin, conflictAt, '42601', 'UPSERT says what becomes of existing rows: ON CONFLICT cannot follow')
  const head = tokens.slice(0, Math.min(conflictAt, returningAt))
  return { ...splitHead(head, origin), returning, upsert, onConflict }
}

/** First index outside of parentheses where `isHere`; the count of tokens when there is none. */
function topLevel(tokens: readonly ShapeToken[], from: number, isHere: (at: number) => boolean): number {
  let depth = 0
  for (let at = from; at < tokens.length; at++) {
    const { kind, text } = tokens[at]!
    if (depth === 0 && kind === token.word && at > 1 && isHere(at)) return at
    if (kind === token.symbol) depth += text === '(' ? 1 : text === ')' ? -1 : 0
  }
  return tokens.length
}

/** The tokens of [from, to) after `first`, each in its place. */
function piece(tokens: readonly ShapeToken[], first: ShapeToken, from: number, to: number): Piece {
  const kept = tokens.slice(0, to).fill(blank, 0, from)
  kept[0] = first
  return { tokens: kept, slotsBefore: tokens.slice(0, from).filter(({ kind }) => kind === token.positionalParameter).length }
}

function splitHead(tokens: readonly ShapeToken[], origin: Origin): Pick<SplitWrite, 'head' | 'alias' | 'defaultValues'> {
  const head = tokens.slice()
  head[0] = { kind: token.word, text: 'insert' }
  const cursor: TokenCursor = { tokens, origin, at: 3 }
  let alias: Name | undefined
  if (tokens[1]?.text !== 'into') throw syntaxErrorAt(origin, 1)
  if (accept(cursor, 'as')) {
    alias = readName(cursor)
    head.fill(blank, 3, cursor.at)
  }
  const defaultValues = peek(cursor) === 'default' && peek(cursor, 1) === 'values'
  if (defaultValues) {
    head[cursor.at] = { kind: token.symbol, text: 'values (default)' }
    head[cursor.at + 1] = blank
  }
  return { head: { tokens: head, slotsBefore: 0 }, alias, defaultValues }
}

function splitConflict(tokens: readonly ShapeToken[], origin: Origin, from: number, to: number): SplitConflict {
  const cursor: TokenCursor = { tokens: tokens.slice(0, to), origin, at: from + 2 }
  if (peek(cursor) === 'on') throw unsupportedAt(cursor, cursor.at, 'ON CONFLICT ON CONSTRAINT')
  const target = peek(cursor) === '(' ? readTarget(cursor) : undefined
  if (peek(cursor) === 'where') throw unsupportedAt(cursor, cursor.at, 'WHERE after the columns of ON CONFLICT')
  expect(cursor, 'do')
  if (accept(cursor, 'nothing')) {
    if (!atEnd(cursor)) throw syntaxErrorAt(origin, cursor.at)
    return { target, update: undefined, tokenIndex: from }
  }
  expect(cursor, 'update')
  if (peek(cursor) !== 'set') throw syntaxErrorAt(origin, cursor.at)
  const update = piece(cursor.tokens, { kind: token.word, text: 'update' }, cursor.at, to)
  return { target, update: { ...update, tokens: update.tokens.with(cursor.at - 1, { kind: token.quotedName, text: '"t"' }) }, tokenIndex: from }
}

function readTarget(cursor: TokenCursor): readonly Name[] {
  const names: Name[] = []
  do {
    cursor.at++
    names.push(readName(cursor))
  } while (peek(cursor) === ',')
  if (peek(cursor) !== ')') throw unsupportedAt(cursor, cursor.at, 'ON CONFLICT of an expression')
  cursor.at++
  return names
}
