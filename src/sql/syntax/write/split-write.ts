/**
 * INSERT, UPDATE and DELETE for a parser that knows little of them: what it is given is always a SELECT, which it reads
 * best. Words, names and commas change places for others, or are emptied; all else keeps its place among the tokens, so
 * that positions in errors stay right:
 *
 *   UPDATE t SET a = x , ( b , c ) = ( y , z ) FROM u WHERE w   → SELECT x , y , z FROM u WHERE w
 *   DELETE FROM t USING u WHERE w                               → SELECT NULL FROM u WHERE w
 *   INSERT INTO t VALUES ( a , DEFAULT ) , ( b , c )            → SELECT a , NULL , b , c
 *   … RETURNING a , b                                           → SELECT a , b
 */
import { syntaxErrorAt } from '../../origin.ts'
import { token } from '../../scan/lexer.ts'
import type { Name, ShapeToken } from '../names.ts'
import { accept, atEnd, expect, peek, readName, unsupportedAt } from '../token-cursor.ts'
import type { TokenCursor } from '../token-cursor.ts'

/** Tokens for the parser. */
export interface Piece {
  readonly tokens: readonly ShapeToken[]
  /** Slots of the shape that stand before them. */
  readonly slotsBefore: number
}

const blank: ShapeToken = { kind: token.symbol, text: '' }
const select: ShapeToken = { kind: token.word, text: 'select' }
const nullWord: ShapeToken = { kind: token.word, text: 'null' }
const comma: ShapeToken = { kind: token.symbol, text: ',' }

/** The tokens of [from, to), the first of which may stand for another. */
export function piece({ tokens }: TokenCursor, from: number, to: number, first = tokens[from]!): Piece {
  const kept = tokens.slice(0, to).fill(blank, 0, from)
  kept[from] = first
  return pieceOf(tokens, kept, from)
}

function pieceOf(tokens: readonly ShapeToken[], kept: readonly ShapeToken[], from: number): Piece {
  return { tokens: kept, slotsBefore: tokens.slice(0, from).filter(({ kind }) => kind === token.positionalParameter).length }
}

/** What RETURNING lists; it stands last. */
export function returningPiece(cursor: TokenCursor, at: number): Piece {
  if (at + 1 === cursor.tokens.length) throw syntaxErrorAt(cursor.origin, at + 1)
  return piece(cursor, at, cursor.tokens.length, select)
}

export interface Assignment {
  readonly column: Name
  readonly isDefault: boolean
}

/** From the first column after SET to `to`: the assignments, and a SELECT of their values with the clauses that follow them. */
export function splitSets(cursor: TokenCursor, to: number): { readonly assignments: readonly Assignment[]; readonly values: Piece } {
  const from = cursor.at
  const draft = cursor.tokens.slice(0, to).fill(blank, 0, from)
  const assignments: Assignment[] = []
  let before = select
  do {
    const start = cursor.at
    const isList = peek(cursor) === '('
    const columns = isList ? readNames(cursor) : [readName(cursor)]
    expect(cursor, '=')
    if (isList) openList(cursor)
    draft.fill(blank, Math.max(start - 1, from), cursor.at)
    draft[cursor.at - 1] = before
    for (const [index, column] of columns.entries()) {
      if (index > 0) expect(cursor, ',')
      assignments.push({ column, isDefault: skipValue(cursor, draft) })
    }
    if (isList) closeList(cursor, draft)
    before = comma
  } while (accept(cursor, ','))
  return { assignments, values: pieceOf(cursor.tokens, draft, from) }
}

function openList(cursor: TokenCursor): void {
  accept(cursor, 'row')
  if (peek(cursor) !== '(' || peek(cursor, 1) === 'select') throw unsupportedAt(cursor, cursor.at, 'SET of several columns to anything but a list of values')
  cursor.at++
}

function closeList(cursor: TokenCursor, draft: ShapeToken[]): void {
  expect(cursor, ')')
  draft[cursor.at - 1] = blank
}

/** `(a, b)`; `otherwise` is what stands there when it is no list of names. */
export function readNames(cursor: TokenCursor, otherwise?: string): readonly Name[] {
  const names: Name[] = []
  do {
    cursor.at++
    names.push(readName(cursor))
  } while (peek(cursor) === ',')
  if (otherwise !== undefined && peek(cursor) !== ')') throw unsupportedAt(cursor, cursor.at, otherwise)
  expect(cursor, ')')
  return names
}

/** The tuples after VALUES, as one SELECT of all their values; which of them are DEFAULT. */
export function splitTuples(cursor: TokenCursor): { readonly tuples: readonly (readonly boolean[])[]; readonly values: Piece } {
  const from = cursor.at
  const draft = cursor.tokens.slice().fill(blank, 0, from)
  const tuples: boolean[][] = []
  let before = select
  do {
    expect(cursor, '(')
    draft.fill(blank, Math.max(cursor.at - 2, from), cursor.at)
    draft[cursor.at - 1] = before
    const tuple: boolean[] = []
    do tuple.push(skipValue(cursor, draft))
    while (accept(cursor, ','))
    closeList(cursor, draft)
    tuples.push(tuple)
    before = comma
  } while (accept(cursor, ','))
  return { tuples, values: pieceOf(cursor.tokens, draft.slice(0, cursor.at), from) }
}

const endsValue = new Set([',', ')', 'from', 'where', 'returning', 'on', 'order', 'group', 'having', 'limit', 'offset', 'fetch', 'window', 'union', 'intersect', 'except'])

/** Goes past a value; true when it is DEFAULT, for which the draft then has NULL. */
function skipValue(cursor: TokenCursor, draft: ShapeToken[]): boolean {
  const start = cursor.at
  for (let depth = 0; !atEnd(cursor); cursor.at++) {
    const text = peek(cursor)
    const isDistinctFrom = text === 'from' && peek(cursor, -1) === 'distinct'
    if (depth === 0 && endsValue.has(text) && !isDistinctFrom) break
    depth += depthStep(text)
  }
  if (cursor.at === start) throw syntaxErrorAt(cursor.origin, start)
  const isDefault = cursor.at === start + 1 && cursor.tokens[start]!.kind === token.word && cursor.tokens[start]!.text === 'default'
  if (isDefault) draft[start] = nullWord
  return isDefault
}

function depthStep(text: string): number {
  return text === '(' || text === '[' ? 1 : text === ')' || text === ']' ? -1 : 0
}

/** `DELETE FROM t [USING u] [WHERE w]`, the cursor behind `t`, as a SELECT. */
export function deletePiece(cursor: TokenCursor, to: number): Piece {
  const draft = cursor.tokens.slice(0, to).fill(blank, 0, cursor.at)
  draft[0] = select
  draft[1] = nullWord
  if (peek(cursor) === 'using') draft[cursor.at] = { kind: token.word, text: 'from' }
  return { tokens: draft, slotsBefore: 0 }
}

/** First index from `from` on, outside of parentheses, where one of the words stands; the count of tokens when there is none. */
export function topLevel({ tokens }: TokenCursor, from: number, isHere: (at: number) => boolean): number {
  let depth = 0
  for (let at = from; at < tokens.length; at++) {
    const { kind, text } = tokens[at]!
    if (depth === 0 && kind === token.word && isHere(at)) return at
    if (kind === token.symbol) depth += depthStep(text)
  }
  return tokens.length
}
