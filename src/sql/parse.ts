/**
 * The only door to node-sql-parser. It sees each shape once, without literals (it would unescape and round them) and
 * without names; what comes back is narrowed to our own statements, or refused by name.
 */
import parserModule from 'node-sql-parser/build/postgresql.js'
import { LsmtError } from '../errors.ts'
import { token } from './scan/lexer.ts'
import { isNameInCreate, isNameInDrop, isNameInStatement, parserText, shapeTokens } from './syntax/names.ts'
import type { IsName, ParserText, ShapeToken } from './syntax/names.ts'
import { errorAt, syntaxErrorAt } from './origin.ts'
import type { Origin } from './origin.ts'
import { readDelete, readInsert, readSelect, readUpdate } from './syntax/parse-select.ts'
import { readCreate, readDrop } from './syntax/parse-table.ts'
import type { Statement } from './statement.ts'
import { isNode, tokenAt } from './syntax/syntax-node.ts'
import type { Reading, SyntaxNode } from './syntax/syntax-node.ts'
import { splitTableOptions } from './syntax/table-options.ts'
import { otherStatements, unsupportedWord } from './syntax/words.ts'

const parser = new parserModule.Parser()

/** A shape with more tokens than this is not parsed (54000): the parser's time grows faster than its input. */
const tokensMax = 20_000

/** The statement of a shape. 42601 for what is no SQL, 0A000 for SQL that is not supported. */
export function parseStatement(shape: string, origin: Origin): Statement {
  const tokens = shapeTokens(shape)
  if (tokens.length > tokensMax) throw new LsmtError('54000', `the statement has ${tokens.length} tokens beside its plain VALUES, more than ${tokensMax}`)
  const kind = statementKind(tokens, origin)
  if (kind === 'createTable') return parseCreate(tokens, origin)
  if (kind === 'showTables') return parseShow(tokens, origin)
  const isName = kind === 'dropTable' ? isNameInDrop : isNameInStatement
  refuseWords(tokens, isName, origin, false)
  const reading = newReading(origin, parserText(tokens, isName))
  const statement = narrow(reading, kind, astOf(reading))
  checkAllRead(reading)
  return statement
}

type Kind = Statement['kind']
const kinds: ReadonlyMap<string, Kind> = new Map([['select', 'select'], ['insert', 'insert'], ['update', 'update'], ['delete', 'delete']])
const secondWords: ReadonlyMap<string, readonly [string, Kind]> = new Map([
  ['create', ['table', 'createTable']],
  ['drop', ['table', 'dropTable']],
  ['show', ['tables', 'showTables']],
])

function statementKind(tokens: readonly ShapeToken[], origin: Origin): Kind {
  const [first, second] = tokens
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
  refuseWords(definition, isNameInCreate, origin, true)
  const reading = newReading(origin, parserText(definition, isNameInCreate))
  const statement = readCreate(reading, astOf(reading), onInsert)
  checkAllRead(reading)
  return statement
}

function parseShow(tokens: readonly ShapeToken[], origin: Origin): Statement {
  if (tokens.length > 2) throw errorAt(origin, 2, '0A000', `SHOW TABLES ${tokens[2]!.text.toUpperCase()} is not supported`)
  return { kind: 'showTables' }
}

/** Refuses clauses that the parser may not know, or drop, before it sees them. */
function refuseWords(tokens: readonly ShapeToken[], isName: IsName, origin: Origin, definition: boolean): void {
  for (const [index, { kind, text }] of tokens.entries()) {
    if (kind !== token.word) continue
    const what = text === 'into' && tokens[0]!.text === 'select' ? 'SELECT INTO' : unsupportedWord(text, definition)
    if (what !== undefined && !isName(tokens, index)) throw errorAt(origin, index, '0A000', `${what} is not supported`)
  }
}

function newReading(origin: Origin, source: ParserText): Reading {
  return { origin, source, namesRead: new Set(), slotsRead: new Set() }
}

function astOf(reading: Reading): SyntaxNode {
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

function failedToken(reading: Reading, error: unknown): number {
  const location = isNode(error) ? error['location'] : undefined
  const start = isNode(location) ? location['start'] : undefined
  const offset = isNode(start) ? start['offset'] : undefined
  if (typeof offset === 'number') return tokenAt(reading.source, offset)
  if (error instanceof Error && error.message.includes('column count')) throw new LsmtError('42601', 'INSERT names more or fewer columns than there are values')
  throw new LsmtError('42601', 'the statement cannot be parsed', {}, error)
}

function narrow(reading: Reading, kind: Exclude<Kind, 'createTable' | 'showTables'>, ast: SyntaxNode): Statement {
  switch (kind) {
    case 'select':
      return readSelect(reading, ast)
    case 'insert':
      return readInsert(reading, ast)
    case 'update':
      return readUpdate(reading, ast)
    case 'delete':
      return readDelete(reading, ast)
    case 'dropTable':
      return readDrop(reading, ast)
  }
}

/** Every name and value of the text must have found its place in the statement; otherwise a clause got lost. */
function checkAllRead(reading: Reading): void {
  const { source, namesRead, slotsRead, origin } = reading
  const lost = source.names.find((name) => !namesRead.has(name.tokenIndex))
  if (lost !== undefined) throw errorAt(origin, lost.tokenIndex, '0A000', `"${lost.name}" is not supported here`)
  if (slotsRead.size !== source.slotCount) throw new LsmtError('0A000', 'a value stands where it is not supported')
}
