/** ALTER TABLE, TRUNCATE, SHOW and DESCRIBE, read from left to right. */
import { errorAt, syntaxErrorAt } from '../../origin.ts'
import { token } from '../../scan/lexer.ts'
import type { Name, ShapeToken } from '../names.ts'
import { accept, atEnd, expect, expectEnd, peek, readName, readTableName, unsupportedAt } from '../token-cursor.ts'
import type { TokenCursor } from '../token-cursor.ts'
import { defaultEnd, joined } from './column-default.ts'
import type { AlterStep, AlterTable, CreateTable, TableStatement } from './table-statement.ts'

/** Reads `CREATE TABLE t ( column )`, whose tokens stand where they stood in ALTER TABLE. */
export type ReadDefinition = (tokens: readonly ShapeToken[]) => CreateTable

export function readAlter(cursor: TokenCursor, readDefinition: ReadDefinition): AlterTable {
  if (peek(cursor, 1) !== 'table') throw unsupportedAt(cursor, 0, `ALTER ${peek(cursor, 1).toUpperCase()}`.trimEnd())
  cursor.at = 2
  const ifExists = accept(cursor, 'if', 'exists')
  const table = readTableName(cursor)
  const step = readStep(cursor, table, readDefinition)
  if (peek(cursor) === ',') throw severalChanges(cursor, cursor.at)
  refuseBehaviour(cursor)
  expectEnd(cursor)
  return { kind: 'alterTable', table, ifExists, step }
}

function readStep(cursor: TokenCursor, table: Name, readDefinition: ReadDefinition): AlterStep {
  const { at } = cursor
  const word = peek(cursor)
  switch (word) {
    case 'add':
      return readAdd(cursor, table, readDefinition)
    case 'drop':
      return readDrop(cursor)
    case 'rename':
      return readRename(cursor)
    case 'alter':
      return readColumnChange(cursor)
  }
  if (atEnd(cursor) || cursor.tokens[at]!.kind !== token.word) throw syntaxErrorAt(cursor.origin, at)
  throw unsupportedAt(cursor, at, `ALTER TABLE … ${word.toUpperCase()}`)
}

const constraints = new Set(['constraint', 'primary', 'unique', 'check', 'foreign', 'exclude'])

function readAdd(cursor: TokenCursor, table: Name, readDefinition: ReadDefinition): AlterStep {
  cursor.at++
  if (constraints.has(peek(cursor))) throw unsupportedAt(cursor, cursor.at, 'ALTER TABLE … ADD of a constraint')
  accept(cursor, 'column')
  const ifNotExists = accept(cursor, 'if', 'not', 'exists')
  const { tokens, at } = cursor
  const comma = commaAfter(tokens, at)
  if (comma >= 0) throw severalChanges(cursor, comma)
  const definition = tokens.map((each, index): ShapeToken => (index === table.tokenIndex || index >= at ? each : { kind: token.symbol, text: '' }))
  definition[0] = { kind: token.word, text: 'create' }
  definition[table.tokenIndex - 1] = { kind: token.word, text: 'table' }
  definition[at - 1] = { kind: token.symbol, text: '(' }
  definition.push({ kind: token.symbol, text: ')' })
  cursor.at = tokens.length
  const { columns, primaryKey } = readDefinition(definition)
  if (primaryKey.length > 0) throw unsupportedAt(cursor, at, 'ALTER TABLE … ADD COLUMN with PRIMARY KEY')
  if (columns.length !== 1) throw errorAt(cursor.origin, at, '42601', 'ADD COLUMN takes one column')
  return { kind: 'addColumn', column: columns[0]!, ifNotExists }
}

/** Index of the first comma outside of parentheses; -1 when there is none. */
function commaAfter(tokens: readonly ShapeToken[], from: number): number {
  let depth = 0
  return tokens.findIndex(({ text }, at) => {
    if (at < from) return false
    depth += text === '(' ? 1 : text === ')' ? -1 : 0
    return text === ',' && depth === 0
  })
}

function severalChanges(cursor: TokenCursor, at: number): Error {
  return unsupportedAt(cursor, at, 'ALTER TABLE with several changes')
}

function readDrop(cursor: TokenCursor): AlterStep {
  cursor.at++
  if (constraints.has(peek(cursor))) throw unsupportedAt(cursor, cursor.at, 'ALTER TABLE … DROP CONSTRAINT')
  accept(cursor, 'column')
  const ifExists = accept(cursor, 'if', 'exists')
  return { kind: 'dropColumn', column: readName(cursor), ifExists }
}

function readRename(cursor: TokenCursor): AlterStep {
  cursor.at++
  if (accept(cursor, 'to')) return { kind: 'renameTable', to: readName(cursor) }
  if (peek(cursor) === 'constraint') throw unsupportedAt(cursor, cursor.at, 'ALTER TABLE … RENAME CONSTRAINT')
  accept(cursor, 'column')
  const column = readName(cursor)
  expect(cursor, 'to')
  return { kind: 'renameColumn', column, to: readName(cursor) }
}

function readColumnChange(cursor: TokenCursor): AlterStep {
  cursor.at++
  accept(cursor, 'column')
  const column = readName(cursor)
  const { at } = cursor
  if (accept(cursor, 'drop', 'default')) return { kind: 'setDefault', column, default: undefined }
  if (accept(cursor, 'drop', 'not', 'null')) return { kind: 'dropNotNull', column }
  if (accept(cursor, 'set', 'default')) {
    const end = defaultEnd(cursor.tokens, cursor.at)
    if (end === cursor.at) throw syntaxErrorAt(cursor.origin, cursor.at)
    const text = { text: joined(cursor.tokens.slice(cursor.at, end)), tokenIndex: cursor.at }
    cursor.at = end
    return { kind: 'setDefault', column, default: text }
  }
  const words = cursor.tokens.slice(at, at + 3).map(({ text }) => text.toUpperCase()).join(' ')
  throw words === '' ? syntaxErrorAt(cursor.origin, at) : unsupportedAt(cursor, at, `ALTER COLUMN … ${words}`)
}

export function readTruncate(cursor: TokenCursor): TableStatement {
  expect(cursor, 'truncate')
  accept(cursor, 'table')
  const table = readTableName(cursor)
  if (peek(cursor) === ',') throw unsupportedAt(cursor, cursor.at, 'TRUNCATE of several tables')
  if (!accept(cursor, 'restart', 'identity')) accept(cursor, 'continue', 'identity')
  refuseBehaviour(cursor)
  expectEnd(cursor)
  return { kind: 'truncate', table }
}

/** Nothing depends on a table or column, so CASCADE would say what never happens; RESTRICT is how it is. */
function refuseBehaviour(cursor: TokenCursor): void {
  if (peek(cursor) === 'cascade') throw unsupportedAt(cursor, cursor.at, 'CASCADE')
  accept(cursor, 'restrict')
}

export function readShow(cursor: TokenCursor): TableStatement {
  if (accept(cursor, 'describe') || accept(cursor, 'desc')) {
    accept(cursor, 'table')
    return lastTable(cursor, 'showColumns')
  }
  expect(cursor, 'show')
  const { at } = cursor
  if (atEnd(cursor)) throw syntaxErrorAt(cursor.origin, at)
  if (accept(cursor, 'columns', 'from') || accept(cursor, 'columns', 'in')) return lastTable(cursor, 'showColumns')
  if (accept(cursor, 'create', 'table')) return lastTable(cursor, 'showCreate')
  if (!accept(cursor, 'tables')) throw errorAt(cursor.origin, 0, '0A000', `SHOW ${cursor.tokens[at]!.text.toUpperCase()} is not supported`)
  if (!atEnd(cursor)) throw unsupportedAt(cursor, cursor.at, `SHOW TABLES ${cursor.tokens[cursor.at]!.text.toUpperCase()}`)
  return { kind: 'showTables' }
}

function lastTable(cursor: TokenCursor, kind: 'showColumns' | 'showCreate'): TableStatement {
  const table = readTableName(cursor)
  expectEnd(cursor)
  return { kind, table }
}
