/** BEGIN, COMMIT, ROLLBACK and savepoints, read from left to right. */
import { syntaxErrorAt } from '../origin.ts'
import type { Name } from './names.ts'
import { accept, atEnd, expect, expectEnd, peek, readName, unsupportedAt } from './token-cursor.ts'
import type { TokenCursor } from './token-cursor.ts'

export type TransactionStatement =
  | { readonly kind: 'begin'; readonly readOnly: boolean }
  | { readonly kind: 'commit' }
  | { readonly kind: 'rollback' }
  | { readonly kind: 'savepoint' | 'release' | 'rollbackTo'; readonly savepoint: Name }

/** undefined when another statement stands here. */
export function readTransaction(cursor: TokenCursor): TransactionStatement | undefined {
  const statement = readStatement(cursor)
  if (statement !== undefined) expectEnd(cursor)
  return statement
}

function readStatement(cursor: TokenCursor): TransactionStatement | undefined {
  if (accept(cursor, 'begin')) return readBegin(cursor)
  if (accept(cursor, 'start')) {
    expect(cursor, 'transaction')
    return { kind: 'begin', readOnly: readModes(cursor) }
  }
  if (accept(cursor, 'commit') || accept(cursor, 'end')) {
    if (peek(cursor) === 'prepared') throw unsupportedAt(cursor, cursor.at, 'COMMIT PREPARED')
    return readEnd(cursor, 'commit')
  }
  if (accept(cursor, 'abort')) return readEnd(cursor, 'rollback')
  if (accept(cursor, 'rollback')) return readRollback(cursor)
  if (accept(cursor, 'savepoint')) return { kind: 'savepoint', savepoint: readName(cursor) }
  if (!accept(cursor, 'release')) return undefined
  accept(cursor, 'savepoint')
  return { kind: 'release', savepoint: readName(cursor) }
}

function readBegin(cursor: TokenCursor): TransactionStatement {
  skipNoise(cursor)
  return { kind: 'begin', readOnly: readModes(cursor) }
}

function skipNoise(cursor: TokenCursor): void {
  if (!accept(cursor, 'work')) accept(cursor, 'transaction')
}

/** Modes, with or without commas between them; whether one of them is READ ONLY. */
function readModes(cursor: TokenCursor): boolean {
  let readOnly = false
  for (let isFirst = true; !atEnd(cursor); isFirst = false) {
    if (!isFirst) accept(cursor, ',')
    if (accept(cursor, 'isolation', 'level')) readLevel(cursor)
    else if (accept(cursor, 'read', 'only')) readOnly = true
    else if (accept(cursor, 'read', 'write')) readOnly = false
    else if (peek(cursor) === 'deferrable') throw unsupportedAt(cursor, cursor.at, 'DEFERRABLE')
    else if (!accept(cursor, 'not', 'deferrable')) throw syntaxErrorAt(cursor.origin, cursor.at)
  }
  return readOnly
}

/** Every transaction reads one snapshot: that is REPEATABLE READ, and more than the weaker levels ask. */
function readLevel(cursor: TokenCursor): void {
  if (peek(cursor) === 'serializable') throw unsupportedAt(cursor, cursor.at, 'ISOLATION LEVEL SERIALIZABLE', 'REPEATABLE READ is what every transaction has')
  if (accept(cursor, 'repeatable', 'read') || accept(cursor, 'read', 'committed')) return
  if (!accept(cursor, 'read', 'uncommitted')) throw syntaxErrorAt(cursor.origin, cursor.at)
}

function readEnd(cursor: TokenCursor, kind: 'commit' | 'rollback'): TransactionStatement {
  skipNoise(cursor)
  if (peek(cursor) === 'and' && peek(cursor, 1) === 'chain') throw unsupportedAt(cursor, cursor.at, 'AND CHAIN')
  accept(cursor, 'and', 'no', 'chain')
  return { kind }
}

function readRollback(cursor: TokenCursor): TransactionStatement {
  if (peek(cursor) === 'prepared') throw unsupportedAt(cursor, cursor.at, 'ROLLBACK PREPARED')
  const { at } = cursor
  skipNoise(cursor)
  if (accept(cursor, 'to')) {
    accept(cursor, 'savepoint')
    return { kind: 'rollbackTo', savepoint: readName(cursor) }
  }
  cursor.at = at
  return readEnd(cursor, 'rollback')
}
