/**
 * The only door to node-sql-parser. It sees each shape once, without literals (it would unescape and round them) and
 * without names; what comes back is narrowed to our own statements, or refused by name.
 */
import parserModule from 'node-sql-parser/build/postgresql.js'
import { LsmtError } from '../errors.ts'
import { token } from './scan/lexer.ts'
import { isNameInCreate, isNameInDrop, isNameInQuery, parserText, shapeTokens } from './syntax/names.ts'
import type { IsName, ParserText, ShapeToken } from './syntax/names.ts'
import { errorAt, syntaxErrorAt } from './origin.ts'
import type { Origin } from './origin.ts'
import type { Statement } from './syntax/any-statement.ts'
import { disambiguate } from './scan/disambiguate.ts'
import type { Query } from './syntax/query/query.ts'
import type { Edits } from './scan/disambiguate.ts'
import { readSelect } from './syntax/query/read-query.ts'
import { isNode, tokenAt } from './syntax/syntax-node.ts'
import type { Reading, SyntaxNode } from './syntax/syntax-node.ts'
import { splitDefaults } from './syntax/table/column-default.ts'
import { readCreate, readDrop } from './syntax/table/parse-table.ts'
import { readAlter, readShow, readTruncate } from './syntax/table/read-table.ts'
import { splitTableOptions } from './syntax/table/table-options.ts'
import type { CreateTable } from './syntax/table/table-statement.ts'
import { peek } from './syntax/token-cursor.ts'
import type { TokenCursor } from './syntax/token-cursor.ts'
import { readDelete, readInsert, readUpdate } from './syntax/write/parse-write.ts'
import type { Piece } from './syntax/write/split-write.ts'
import { otherStatements, supportedInQueries, unsupportedWord } from './syntax/words.ts'

const parser = new parserModule.Parser()

/** A shape with more tokens than this is not parsed (54000): the parser's time grows faster than its input. */
const tokensMax = 20_000

/** Parentheses nested deeper than this are refused (54000): the parser's time doubles with each level. */
const nestingMax = 14

/** The statement of a shape. 42601 for what is no SQL, 0A000 for SQL that is not supported. */
export function parseStatement(shape: string, origin: Origin): Statement {
  const tokens = shapeTokens(shape)
  if (tokens.length > tokensMax) throw new LsmtError('54000', `the statement has ${tokens.length} tokens beside its plain VALUES, more than ${tokensMax}`)
  const words = readWords(tokens, origin)
  if (words !== undefined) return words
  const kind = statementKind(tokens, origin)
  const cursor: TokenCursor = { tokens, origin, at: 0 }
  const readQuery = (piece: Piece): Query => parseQuery(piece, origin)
  switch (kind) {
    case 'createTable':
      return parseCreate(tokens, origin)
    case 'dropTable':
      return parseDrop(tokens, origin)
    case 'insert':
      return readInsert(cursor, readQuery)
    case 'update':
      return readUpdate(cursor, readQuery)
    case 'delete':
      return readDelete(cursor, readQuery)
    case 'select':
      return { kind: 'select', query: readQuery({ tokens, slotsBefore: 0, slotShift: 0 }) }
  }
}

function parseDrop(tokens: readonly ShapeToken[], origin: Origin): Statement {
  const reading = newReading(origin, parserText(tokens, isNameInDrop))
  refuseWords(tokens, isNameInDrop, origin, false)
  const statement = readDrop(reading, astOf(reading))
  checkAllRead(reading)
  return statement
}

/** Statements of words and names, for most of which the parser has no grammar. */
function readWords(tokens: readonly ShapeToken[], origin: Origin): Statement | undefined {
  const cursor: TokenCursor = { tokens, origin, at: 0 }
  switch (peek(cursor)) {
    case 'alter':
      return readAlter(cursor, (definition) => parseDefinition(definition, origin, 'error'))
    case 'truncate':
      return readTruncate(cursor)
    case 'show':
    case 'describe':
    case 'desc':
      return readShow(cursor)
    default:
      return undefined
  }
}

/** What the parser makes of a query, which may be some of a statement's tokens. */
function parseQuery({ tokens, slotsBefore, slotShift }: Piece, origin: Origin): Query {
  const edits = disambiguate(tokens)
  refuseWords(tokens, isNameInQuery, origin, false, edits)
  const reading = newReading(origin, parserText(tokens, isNameInQuery, slotsBefore, edits), slotShift)
  const query = readSelect(reading, astOf(reading))
  checkAllRead(reading)
  return query
}

type Kind = 'select' | 'insert' | 'update' | 'delete' | 'createTable' | 'dropTable'
const kinds: ReadonlyMap<string, Kind> = new Map([['select', 'select'], ['with', 'select'], ['insert', 'insert'], ['upsert', 'insert'], ['update', 'update'], ['delete', 'delete']])
const secondWords: ReadonlyMap<string, readonly [string, Kind]> = new Map([
  ['create', ['table', 'createTable']],
  ['drop', ['table', 'dropTable']],
])

function statementKind(tokens: readonly ShapeToken[], origin: Origin): Kind {
  const [first, second] = tokens
  if (first?.text === '(') return 'select'
  if (first === undefined || first.kind !== token.word) throw syntaxErrorAt(origin, 0)
  const kind = kinds.get(first.text)
  if (kind !== undefined) return kind
  const expected = secondWords.get(first.text)
  if (expected !== undefined && second?.text === expected[0]) return expected[1]
  if (expected !== undefined && second === undefined) throw syntaxErrorAt(origin, 1)
  if (!otherStatements.has(first.text)) throw syntaxErrorAt(origin, 0)
  const name = expected === undefined ? first.text : `${first.text} ${second!.text}`
  throw errorAt(origin, 0, '0A000', `${name.toUpperCase()} is not supported`)
}

function parseCreate(tokens: readonly ShapeToken[], origin: Origin): Statement {
  const { definition, onInsert } = splitTableOptions(tokens, origin)
  return parseDefinition(definition, origin, onInsert)
}

/** CREATE TABLE without its options; the defaults of columns never reach the parser. */
function parseDefinition(tokens: readonly ShapeToken[], origin: Origin, onInsert: CreateTable['onInsert']): CreateTable {
  const { definition, defaults } = splitDefaults(tokens, origin)
  refuseWords(definition, isNameInCreate, origin, true)
  const reading = newReading(origin, parserText(definition, isNameInCreate))
  const statement = readCreate(reading, astOf(reading), onInsert)
  checkAllRead(reading)
  const columns = statement.columns.map((column) => {
    const text = defaults.get(column.name.tokenIndex)
    return text === undefined ? column : { ...column, default: text }
  })
  return { ...statement, columns }
}

/** Refuses clauses that the parser may not know, or drop, before it sees them. */
function refuseWords(tokens: readonly ShapeToken[], isName: IsName, origin: Origin, definition: boolean, edits?: Edits): void {
  for (const [index, { kind, text }] of tokens.entries()) {
    if (kind !== token.word || (edits !== undefined && (supportedInQueries.has(text) || edits.instead[index] !== undefined))) continue
    if (edits !== undefined && tokens[index - 1]?.text === ')' && tokens[index + 1]?.text === '(' && (text === 'over' || text === 'filter')) throw errorAt(origin, index, '0A000', `${text.toUpperCase()} is not supported`)
    const what = text === 'into' ? 'SELECT INTO' : unsupportedWord(text, definition)
    if (what !== undefined && !isName(tokens, index)) throw errorAt(origin, index, '0A000', `${what} is not supported`)
  }
}

function newReading(origin: Origin, source: ParserText, slotShift = 0): Reading {
  return { origin, source, slotShift, namesRead: new Set(), slotsRead: new Set() }
}

function astOf(reading: Reading): SyntaxNode {
  refuseDeepNesting(reading.source.text)
  let ast: unknown
  try {
    ast = parser.astify(reading.source.text, { parseOptions: { includeLocations: true } })
  } catch (error) {
    throw syntaxErrorAt(reading.origin, failedToken(reading, error))
  }
  if (Array.isArray(ast) && ast.length === 1) [ast] = ast
  if (!isNode(ast)) throw syntaxErrorAt(reading.origin, 0)
  return ast
}

/** The text holds neither literals nor names, so every parenthesis in it is one. */
function refuseDeepNesting(text: string): void {
  let depth = 0
  for (const character of text) {
    if (character === ')') depth--
    else if (character === '(' && ++depth > nestingMax) throw new LsmtError('54000', `the statement nests parentheses (its own, and those that AND within OR implies) deeper than ${nestingMax}`)
  }
}

function failedToken(reading: Reading, error: unknown): number {
  const location = isNode(error) ? error['location'] : undefined
  const start = isNode(location) ? location['start'] : undefined
  const offset = isNode(start) ? start['offset'] : undefined
  if (typeof offset === 'number') return tokenAt(reading.source, offset)
  throw new LsmtError('42601', 'the statement cannot be parsed', {}, error)
}

/** Every name and value of the text must have found its place in the statement; otherwise a clause got lost. */
function checkAllRead(reading: Reading): void {
  const { source, namesRead, slotsRead, origin } = reading
  const lost = source.names.find((name) => !namesRead.has(name.tokenIndex))
  if (lost !== undefined) throw errorAt(origin, lost.tokenIndex, '0A000', `"${lost.name}" is not supported here`)
  if (slotsRead.size !== source.slotCount - source.slotsBefore) throw new LsmtError('0A000', 'a value stands where it is not supported')
}
