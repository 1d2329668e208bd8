/** INSERT, UPDATE and DELETE, read from left to right; what stands in them is read as parts of queries. */
import { invariant } from '../../../errors.ts'
import { errorAt, syntaxErrorAt } from '../../origin.ts'
import type { Expression, Query, QueryItem, SelectBlock } from '../query/query.ts'
import { accept, atEnd, expect, peek, readName, readTableName, unsupportedAt } from '../token-cursor.ts'
import type { TokenCursor } from '../token-cursor.ts'
import { deletePiece, piece, readNames, returningPiece, splitSets, splitTuples, topLevel } from './split-write.ts'
import type { Piece } from './split-write.ts'
import type { Delete, Insert, InsertSource, OnConflict, SetClause, TableRef, Update } from './write-statement.ts'

/** Reads a piece, which is a query. */
export type ReadQuery = (piece: Piece) => Query

export function readUpdate(cursor: TokenCursor, read: ReadQuery): Update {
  expect(cursor, 'update')
  const table = readTarget(cursor)
  expect(cursor, 'set')
  const end = returningAt(cursor)
  const { sets, block } = readSets(cursor, ['from', 'where'], end, read)
  return { kind: 'update', table, sets, from: block.from, where: block.where, returning: readReturning(cursor, end, read) }
}

export function readDelete(cursor: TokenCursor, read: ReadQuery): Delete {
  expect(cursor, 'delete')
  expect(cursor, 'from')
  const table = readTarget(cursor)
  const end = returningAt(cursor)
  refuseClauses(cursor, ['using', 'where'], end)
  const { from, where } = blockOf(read(deletePiece(cursor, end)))
  return { kind: 'delete', table, from, where, returning: readReturning(cursor, end, read) }
}

/** A table with an alias, with or without AS. */
function readTarget(cursor: TokenCursor): TableRef {
  const name = readTableName(cursor)
  accept(cursor, '*')
  const word = peek(cursor)
  const named = accept(cursor, 'as') || (!atEnd(cursor) && word !== 'set' && word !== 'using' && word !== 'where' && word !== 'returning')
  return named ? { name, alias: readName(cursor) } : { name }
}

function returningAt(cursor: TokenCursor): number {
  return topLevel(cursor, cursor.at, (at) => cursor.tokens[at]!.text === 'returning')
}

function readReturning(cursor: TokenCursor, at: number, read: ReadQuery): readonly QueryItem[] | undefined {
  return at === cursor.tokens.length ? undefined : blockOf(read(returningPiece(cursor, at))).items
}

/** Clauses of SELECT that no write has. */
const clausesOfQueries = new Set(['order', 'group', 'having', 'limit', 'offset', 'fetch', 'window', 'union', 'intersect', 'except'])

/** 42601 unless one of `followers` stands at the cursor, or the end; and for what only a query may have. */
function refuseClauses(cursor: TokenCursor, followers: readonly string[], end: number): void {
  if (cursor.at < end && !followers.includes(peek(cursor))) throw syntaxErrorAt(cursor.origin, cursor.at)
  const stray = topLevel(cursor, cursor.at, (at) => clausesOfQueries.has(cursor.tokens[at]!.text))
  if (stray < end) throw syntaxErrorAt(cursor.origin, stray)
}

/** A piece is a SELECT without ORDER BY and the like. */
function blockOf({ body }: Query): SelectBlock {
  invariant(body.kind === 'select', 'a piece of a write is no SELECT')
  return body
}

function readSets(cursor: TokenCursor, followers: readonly string[], end: number, read: ReadQuery): { readonly sets: readonly SetClause[]; readonly block: SelectBlock } {
  const { assignments, values } = splitSets(cursor, end)
  refuseClauses(cursor, followers, end)
  const block = blockOf(read(values))
  const expressions = readValues(cursor, block)
  const sets = assignments.map(({ column, isDefault }, index): SetClause => ({ column, value: isDefault ? { kind: 'default' } : { kind: 'expression', expression: expressions[index]! } }))
  return { sets, block }
}

/** Items that are nothing but values. */
function readValues({ origin }: TokenCursor, { items }: SelectBlock): readonly Expression[] {
  return items.map((item) => {
    if (item.kind === 'star') throw syntaxErrorAt(origin, item.at)
    if (item.alias !== undefined) throw syntaxErrorAt(origin, item.alias.tokenIndex)
    return item.expression
  })
}

export function readInsert(cursor: TokenCursor, read: ReadQuery): Insert {
  const upsert = accept(cursor, 'upsert')
  if (!upsert) expect(cursor, 'insert')
  expect(cursor, 'into')
  const name = readTableName(cursor)
  const table: TableRef = accept(cursor, 'as') ? { name, alias: readName(cursor) } : { name }
  const columns = peek(cursor) === '(' && !startsQuery(peek(cursor, 1)) ? readNames(cursor) : undefined
  const source = readSource(cursor, read)
  const onConflict = isConflict(cursor, cursor.at) ? readConflict(cursor, upsert, read) : undefined
  if (!atEnd(cursor) && peek(cursor) !== 'returning') throw syntaxErrorAt(cursor.origin, cursor.at)
  return { kind: 'insert', table, columns, source, upsert, onConflict, returning: readReturning(cursor, cursor.at, read) }
}

function startsQuery(word: string): boolean {
  return word === 'select' || word === 'with' || word === '('
}

function isConflict({ tokens }: TokenCursor, at: number): boolean {
  return tokens[at]?.text === 'on' && tokens[at + 1]?.text === 'conflict' && ['(', 'do', 'on', undefined].includes(tokens[at + 2]?.text)
}

function readSource(cursor: TokenCursor, read: ReadQuery): InsertSource {
  if (accept(cursor, 'default', 'values')) return { kind: 'defaults' }
  if (accept(cursor, 'values')) return readTuples(cursor, read)
  if (peek(cursor) === 'overriding') throw unsupportedAt(cursor, cursor.at, 'OVERRIDING')
  if (!startsQuery(peek(cursor))) throw syntaxErrorAt(cursor.origin, cursor.at)
  const from = cursor.at
  cursor.at = topLevel(cursor, from, (at) => cursor.tokens[at]!.text === 'returning' || isConflict(cursor, at))
  return { kind: 'query', query: read(piece(cursor, from, cursor.at)) }
}

function readTuples(cursor: TokenCursor, read: ReadQuery): InsertSource {
  const { tuples, values } = splitTuples(cursor)
  const expressions = readValues(cursor, blockOf(read(values)))
  let next = 0
  return { kind: 'values', tuples: tuples.map((tuple) => tuple.map((isDefault) => {
    const expression = expressions[next++]!
    return isDefault ? { kind: 'default' } : { kind: 'expression', expression }
  })) }
}

function readConflict(cursor: TokenCursor, upsert: boolean, read: ReadQuery): OnConflict {
  const tokenIndex = cursor.at
  if (upsert) throw errorAt(cursor.origin, tokenIndex, '42601', 'UPSERT says what becomes of existing rows: ON CONFLICT cannot follow')
  cursor.at += 2
  if (peek(cursor) === 'on') throw unsupportedAt(cursor, cursor.at, 'ON CONFLICT ON CONSTRAINT')
  const target = peek(cursor) === '(' ? readNames(cursor, 'ON CONFLICT of an expression') : undefined
  if (peek(cursor) === 'where') throw unsupportedAt(cursor, cursor.at, 'WHERE after the columns of ON CONFLICT')
  expect(cursor, 'do')
  if (accept(cursor, 'nothing')) return { target, update: undefined, tokenIndex }
  expect(cursor, 'update')
  expect(cursor, 'set')
  const end = returningAt(cursor)
  const { sets, block } = readSets(cursor, ['where'], end, read)
  cursor.at = end
  return { target, update: { sets, where: block.where }, tokenIndex }
}
