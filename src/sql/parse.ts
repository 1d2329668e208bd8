/**
 * The only door to node-sql-parser. It sees each shape once, without literals (it would unescape and round them) and
 * without names; what comes back is narrowed to our own statements, or refused by name.
 */
import { createRequire } from 'node:module'
import type { Parser } from 'node-sql-parser/build/postgresql.js'
import { columnsMax } from '../engine/tables/new-table.ts'
import { LsmtError } from '../errors.ts'
import { token } from './scan/lexer.ts'
import { createGenerationCache } from './shape-cache.ts'
import { cutWholeQuery, verbatim } from './syntax/cut/cut-statement.ts'
import type { ParserText, Part } from './syntax/cut/part.ts'
import { isNameInCreate, isNameInDrop, shapeTokens } from './syntax/names.ts'
import type { ShapeToken } from './syntax/names.ts'
import { errorAt, syntaxErrorAt } from './origin.ts'
import type { Origin } from './origin.ts'
import type { Statement } from './syntax/any-statement.ts'
import type { Query } from './syntax/query/query.ts'
import { readQuery } from './syntax/query/read-query.ts'
import { isNode, openPart, tokenAt } from './syntax/syntax-node.ts'
import type { Reading, SyntaxNode } from './syntax/syntax-node.ts'
import { splitDefaults } from './syntax/table/column-default.ts'
import { readCreate, readDrop } from './syntax/table/parse-table.ts'
import { readAlter, readShow, readTruncate } from './syntax/table/read-table.ts'
import { splitTableOptions } from './syntax/table/table-options.ts'
import type { CreateTable } from './syntax/table/table-statement.ts'
import { peek } from './syntax/token-cursor.ts'
import type { TokenCursor } from './syntax/token-cursor.ts'
import { readTransaction } from './syntax/transaction.ts'
import { readDelete, readInsert, readUpdate } from './syntax/write/parse-write.ts'
import type { Piece } from './syntax/write/split-write.ts'
import { otherStatements } from './syntax/words.ts'

/** Loaded with the first statement that needs it, and by require(): an import of so much CommonJS reads all of it twice more, for the names of what it exports. */
const parserOf = (() => {
  let parser: Parser | undefined
  return (): Parser => {
    if (parser === undefined) {
      const module = createRequire(import.meta.url)('node-sql-parser/build/postgresql.js') as { readonly Parser: new () => Parser }
      parser = new module.Parser()
    }
    return parser
  }
})()

/**
 * Trees by their text: names and values are not in it, so most parts of most statements have texts that came before.
 * Nobody changes a tree.
 */
const knownTrees = createGenerationCache<SyntaxNode>(2_000)
const treeTextMax = 300

/** A shape with more tokens than this is not parsed (54000): the parser's time grows faster than its input. */
const tokensMax = 20_000

/** The statement of a shape. 42601 for what is no SQL, 0A000 for SQL that is not supported. */
export function parseStatement(shape: string, origin: Origin): Statement {
  const tokens = shapeTokens(shape)
  if (tokens.length > tokensMax) throw new LsmtError('54000', `the statement has ${tokens.length} tokens beside its plain VALUES, more than ${tokensMax}`)
  const words = readWords(tokens, origin)
  if (words !== undefined) return words
  const kind = statementKind(tokens, origin)
  const cursor: TokenCursor = { tokens, origin, at: 0 }
  const read = (piece: Piece): Query => readAll(cutWholeQuery(piece, origin), origin, readQuery)
  switch (kind) {
    case 'createTable':
      return parseCreate(tokens, origin)
    case 'dropTable':
      return parseDrop(tokens, origin)
    case 'insert':
      return readInsert(cursor, read)
    case 'update':
      return readUpdate(cursor, read)
    case 'delete':
      return readDelete(cursor, read)
    case 'select':
      return { kind: 'select', query: read({ tokens, slotsBefore: 0 }) }
  }
}

function parseDrop(tokens: readonly ShapeToken[], origin: Origin): Statement {
  return readAll(verbatim(tokens, origin, isNameInDrop, false), origin, readDrop)
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
      return readTransaction(cursor)
  }
}

type Kind = 'select' | 'insert' | 'update' | 'delete' | 'createTable' | 'dropTable'
const kinds: ReadonlyMap<string, Kind> = new Map([['select', 'select'], ['with', 'select'], ['insert', 'insert'], ['upsert', 'insert'], ['update', 'update'], ['delete', 'delete'], ['values', 'select']])
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

/** Before the parser reads them: it takes a millisecond for each. The key may be one more. */
function checkColumnCount(tokens: readonly ShapeToken[]): void {
  let depth = 0, count = 1
  for (const { text } of tokens) {
    if (text === '(') depth++
    else if (text === ')') depth--
    else if (text === ',' && depth === 1) count++
  }
  if (count > columnsMax + 1) throw new LsmtError('22023', `a table has at most ${columnsMax} columns, the statement defines ${count}`)
}

/** CREATE TABLE without its options; the defaults of columns never reach the parser. */
function parseDefinition(tokens: readonly ShapeToken[], origin: Origin, onInsert: CreateTable['onInsert']): CreateTable {
  checkColumnCount(tokens)
  const { definition, defaults } = splitDefaults(tokens, origin)
  const statement = readAll(verbatim(definition, origin, isNameInCreate, true), origin, (reading, node) => readCreate(reading, node, onInsert))
  const columns = statement.columns.map((column) => {
    const text = defaults.get(column.name.tokenIndex)
    return text === undefined ? column : { ...column, default: text }
  })
  return { ...statement, columns }
}

/** Reads a part and all that is within it. */
function readAll<T>(part: Part, origin: Origin, read: (reading: Reading, node: SyntaxNode, part: Part) => T): T {
  const all = partsWithin(part)
  const trees = new Map(all.map(({ source }) => [source, source.text === '' ? {} : parseText(source, origin)]))
  const outside: Reading = { origin, source: part.source, namesRead: new Set(), slotsRead: new Set(), partsRead: new Set(), trees }
  const { node, reading } = openPart(outside, part)
  const result = read(reading, node, part)
  for (const each of all) checkRead(reading, each)
  return result
}

/** Parts may nest deeply: they are collected, and parsed, without recursion. */
function partsWithin(whole: Part): readonly Part[] {
  const parts = [whole]
  for (let at = 0; at < parts.length; at++) parts.push(...parts[at]!.source.parts)
  return parts
}

function parseText(source: ParserText, origin: Origin): SyntaxNode {
  const { text } = source
  const known = knownTrees.get(text)
  if (known !== undefined) return known
  const parser = parserOf()
  let tree: unknown
  try {
    tree = parser.astify(text, { parseOptions: { includeLocations: true } })
  } catch (error) {
    throw syntaxErrorAt(origin, failedToken(source, error))
  }
  if (Array.isArray(tree) && tree.length === 1) [tree] = tree
  if (!isNode(tree)) throw syntaxErrorAt(origin, 0)
  if (text.length <= treeTextMax) knownTrees.set(text, tree)
  return tree
}

function failedToken(source: ParserText, error: unknown): number {
  const location = isNode(error) ? error['location'] : undefined
  const start = isNode(location) ? location['start'] : undefined
  const offset = isNode(start) ? start['offset'] : undefined
  if (typeof offset === 'number') return tokenAt(source, offset)
  throw new LsmtError('42601', 'the statement cannot be parsed', {}, error)
}

/** Every name, value and part must have found its place in the statement; otherwise a clause got lost. */
function checkRead({ namesRead, slotsRead, partsRead, origin }: Reading, part: Part): void {
  const { names, slots } = part.source
  const lost = names.find((name) => !namesRead.has(name.tokenIndex))
  if (lost !== undefined) throw errorAt(origin, lost.tokenIndex, '0A000', `"${lost.name}" is not supported here`)
  if (!partsRead.has(part) || slots.some((slot) => !slotsRead.has(slot))) throw errorAt(origin, part.start, '0A000', 'a value stands where it is not supported')
}
